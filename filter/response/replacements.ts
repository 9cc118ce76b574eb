import { QUOTE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, after, equals, length, literal, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { inside, isString, textOf } from '../json/text';
import { Gateway } from '../model/gateway';
import { Key } from '../model/keyring';
import { Server } from '../model/server';
import { markOffsetInToken } from '../model/uri-owner';
import { callerTextLength, TextKind, writeCallerText } from '../session/caller-text';
import { sealEventId } from '../session/event-id';
import { encodeServerRequestId } from '../session/server-request-id';
import { Session, Upstream } from '../session/token';

/** What takes the place of bytes of a server's. */
export const enum Replacement {
  /** The bytes themselves. */
  None,
  /** The URI of a resource, a string token: the form that tells its server. */
  Uri,
  /** The id of a request of the server, a token. */
  RequestId,
  /** The id of the response to the client's request, a token. */
  ResponseId,
  /** The token by which progress is told of the client's request. */
  ProgressToken,
  /** A state that a client is to repeat, a string token: sealed. */
  RequestState,
  /** The id of a task, a string token: sealed. */
  TaskId,
  /** The name of a type of events, a string token: with the prefix of its server. */
  EventName,
  /** The code of an error, a number: that of the client's era. */
  ErrorCode,
  /** The method of a message, a string token: where no server may ask a client for it, a name that no client knows. */
  Method,
  /** In front of data of a tool that are no object, and behind them: an object, with them as `result`. */
  StructureOpen,
  StructureClose,
  /** The id of an event, without its field's name. */
  EventId,
  /** Nothing at all. */
  Nothing,
  /** Behind the last member of a result: what results have in the client's era. */
  Members,
  /** The same where there is no member before. */
  OnlyMembers,
  // Over HTTP+SSE alone:
  /** The data of an `endpoint` event. */
  Address,
  /** A message whose id may have an error in it. */
  Refusal,
  /** What a server offers, in its answer to `initialize`. */
  Capabilities,
  // Lists.
  Tools,
  Prompts,
  Resources,
  Templates,
}

/** The text of a replacement over HTTP+SSE, NONE where the bytes stay as they are. @param context see `Replacements` */
type StreamText = (context: usize, replacement: Replacement, raw: Span, arena: Arena) => Span;

let streamText: StreamText = (context: usize, replacement: Replacement, raw: Span, arena: Arena): Span => NONE;

/** Connects what decides about such texts, which knows of policy and of lists. For module level only. */
export function connectStreamTexts(text: StreamText): void {
  streamText = text;
}

const EMPTY = literal('');
const STRUCTURE_OPEN = literal('{"result":');
const STRUCTURE_CLOSE = literal('}');
/** Of a resource that is not found, until 2025-11-25; and since 2026-07-28, which forbids the other one. */
const RESOURCE_NOT_FOUND = literal('-32002');
const INVALID_PARAMS = literal('-32602');
/** Methods for tasks begin with it. */
const TASKS = literal('tasks/');
/** What a method begins with that a client does not know, so that it says so to the server that asks. */
const UNOFFERED = literal('unoffered:');

/** Says in a server's answer what the client is to read in the place of the server's own names for things. */
@unmanaged
export class Replacements {
  gateway: Gateway;
  server: Server;
  /** Null in the era without sessions, where servers ask nothing and number no events. */
  session: Session | null;
  upstream: Upstream;
  /** Members that every result gets at its end, as JSON, behind a comma; NONE: it stays as it is. */
  members: Span;
  /** Data of a tool that are no object become one. */
  wrapsStructure: bool;
  /** The id that the client's request has at the server, a string token, and its own; NONE: it has its own there, too. */
  idAtServer: Span;
  id: Span;
  /** The client's token for progress, where the request has `idAtServer` in its place; NONE: there is none. */
  progressToken: Span;
  /** Whom a state or a task is given to, see session/audience.ts; NONE: they are not sealed. */
  audience: Span;
  /** That they are sealed with. */
  sealing: Key;
  /** The answer is about events, and names their types. */
  isAboutEvents: bool;
  /** Names the stream to what makes its texts, over HTTP+SSE; else 0. */
  context: usize;
  /** The part of `raw` that the text of `textFor` takes the place of: where it begins, and where it ends. */
  from: u32;
  to: u32;

  /** Whether any URI of a resource is to be changed. */
  get marksUris(): bool {
    return length(this.server.mark) > 0;
  }

  /** Whether types of events are called otherwise here. */
  get namesEvents(): bool {
    return this.isAboutEvents && length(this.server.prefix) > 0;
  }

  get sealsForCallers(): bool {
    return this.audience !== NONE;
  }

  /** Whether the server may ask its client for no task, see `Gateway.withholdsTasks`. */
  get withholdsTasks(): bool {
    return this.session !== null && this.gateway.withholdsTasks;
  }

  /** Whether the client's request has another id at the server. */
  get restoresIds(): bool {
    return this.idAtServer !== NONE;
  }

  /** @param raw as the server wrote it @returns NONE where it stays as it is, else see `from` and `to` */
  textFor(replacement: Replacement, raw: Span, arena: Arena): Span {
    this.from = 0;
    this.to = length(raw) as u32;
    switch (replacement) {
      case Replacement.Uri:
        return this.markFor(raw, arena);
      case Replacement.RequestId: {
        const session = this.session;
        return session === null ? NONE : encodeServerRequestId(session, this.upstream, raw, arena);
      }
      case Replacement.ResponseId:
        return this.isIdAtServer(raw, arena) ? this.id : NONE;
      case Replacement.ProgressToken:
        return this.isIdAtServer(raw, arena) ? this.progressToken : NONE;
      case Replacement.RequestState:
        return this.sealed(TextKind.RequestState, inside(raw), arena);
      case Replacement.TaskId:
        return this.sealed(TextKind.TaskId, textOf(raw, arena), arena);
      case Replacement.EventName:
        return this.behindQuote(this.server.prefix);
      case Replacement.Method:
        return startsWith(textOf(raw, arena), TASKS) ? this.behindQuote(UNOFFERED) : NONE;
      case Replacement.ErrorCode:
        return equals(raw, RESOURCE_NOT_FOUND) ? INVALID_PARAMS : NONE;
      case Replacement.EventId: {
        const session = this.session;
        if (session === null) return NONE;
        const id = sealEventId(session, this.upstream.fingerprint, raw, arena);
        return id === NONE ? EMPTY : id;
      }
      case Replacement.Nothing:
        return EMPTY;
      case Replacement.StructureOpen:
        return STRUCTURE_OPEN;
      case Replacement.StructureClose:
        return STRUCTURE_CLOSE;
      case Replacement.Members:
        return this.members;
      case Replacement.OnlyMembers:
        return after(this.members, 1);
      case Replacement.None:
        return NONE;
      default:
        return streamText(this.context, replacement, raw, arena);
    }
  }

  /** @param text NONE: it is no text, which no request could repeat in a header */
  private sealed(kind: TextKind, text: Span, arena: Arena): Span {
    if (this.audience === NONE || text === NONE) return NONE;
    const token = newWriter(arena, (callerTextLength(length(text)) as usize) + 2).byte(QUOTE);
    writeCallerText(token, kind, this.sealing, this.audience, this.server.fingerprint, text);
    return token.byte(QUOTE).written;
  }

  /** @param text as it stands in JSON; goes before the text that the replaced token has */
  private behindQuote(text: Span): Span {
    this.from = 1;
    this.to = 1;
    return text;
  }

  /** A server may write it with other escapes. */
  private isIdAtServer(raw: Span, arena: Arena): bool {
    return isString(raw) && equals(textOf(raw, arena), inside(this.idAtServer));
  }

  private markFor(token: Span, arena: Arena): Span {
    const at = markOffsetInToken(this.gateway, this.server, token, arena);
    if (at < 0) return NONE;
    this.from = at as u32;
    this.to = at as u32;
    return this.server.mark;
  }
}

/** @param session null in the era without sessions @param upstream the server's part of it */
export function newReplacements(
  gateway: Gateway,
  server: Server,
  session: Session | null,
  upstream: Upstream,
  arena: Arena,
): Replacements {
  const replacements = make<Replacements>(arena);
  replacements.gateway = gateway;
  replacements.server = server;
  replacements.session = session;
  replacements.upstream = upstream;
  return replacements;
}
