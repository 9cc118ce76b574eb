import { Era } from '../mcp/eras';
import { Revision } from '../mcp/revisions';

/** The ways in which servers are spoken to. How a conversation in each is led is in ../upstream/dialects.ts. */
export const enum Dialect {
  /** MCP over Streamable HTTP, 2025-03-26 to 2025-11-25: with sessions. Also where a handshake has to find out which. */
  Session,
  /** MCP 2026-07-28: each request by itself. */
  Stateless,
  /** MCP 2024-11-05: HTTP+SSE. */
  Sse2024,
  /** A REST service, whose tools are made of templates. */
  Rest,
}

/** Where the lists of a server come from. */
export const enum Lists {
  /** It is asked. */
  Asked,
  /** Its answer would come in the client's own stream: the gateway cannot ask. */
  Unheard,
  Configured,
}

/** All that differs between dialects, beside the conversation: whoever wants to know it takes the server's row. */
@unmanaged
export class DialectRow {
  era: Era;
  /** It speaks MCP: it has event streams and tasks, and is told what the client notifies of. */
  isMcp: bool;
  /** It may have a session, which ends, and in which it asks something of the client, and numbers its events. */
  hasSessions: bool;
  /** Headers repeat which method a message calls, and with which name. */
  repeatsInHeaders: bool;
  /** Nothing is said to it before the first request of a client. */
  isReady: bool;
  /** What it gets is made of the whole message. */
  takesWhole: bool;
  /** Those clients reach it that speak HTTP+SSE themselves, and no others. */
  isOverHttpSse: bool;
  lists: Lists;
}

const LAST_DIALECT = Dialect.Rest;
const rows = memory.data(4 * (LAST_DIALECT + 1));

/** Adds a row in which no property holds, and lists are asked for. */
function row(dialect: Dialect, era: Era): DialectRow {
  const at = changetype<DialectRow>(heap.alloc(offsetof<DialectRow>()));
  memory.fill(changetype<usize>(at), 0, offsetof<DialectRow>());
  at.era = era;
  store<usize>(rows + ((dialect as usize) << 2), changetype<usize>(at));
  return at;
}

const session = row(Dialect.Session, Era.Sessions);
session.isMcp = true;
session.hasSessions = true;

const stateless = row(Dialect.Stateless, Era.Stateless);
stateless.isMcp = true;
stateless.repeatsInHeaders = true;

const sse2024 = row(Dialect.Sse2024, Era.Sessions);
sse2024.isMcp = true;
sse2024.hasSessions = true;
sse2024.isOverHttpSse = true;
sse2024.lists = Lists.Unheard;

const rest = row(Dialect.Rest, Era.Sessions);
rest.isReady = true;
rest.takesWhole = true;
rest.lists = Lists.Configured;

export function dialectRow(dialect: Dialect): DialectRow {
  return changetype<DialectRow>(load<usize>(rows + ((dialect as usize) << 2)));
}

/** The dialect of MCP that a configuration fixes with a revision. */
export function configuredDialect(revision: Revision): Dialect {
  return revision === Revision.V2024_11_05 ? Dialect.Sse2024 : spokenDialect(revision);
}

/** The dialect that a server over Streamable HTTP speaks, whatever revision it has chosen. */
export function spokenDialect(revision: Revision): Dialect {
  return revision === Revision.V2026_07_28 ? Dialect.Stateless : Dialect.Session;
}
