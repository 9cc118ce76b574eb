import { Arena } from '../bytes/arena';
import { Seen } from '../bytes/seen';
import { Span } from '../bytes/span';
import { Noun, NOUNS } from '../mcp/nouns';
import { Revision } from '../mcp/revisions';
import { Credentials } from './credentials';
import { Dialect, DialectRow, dialectRow } from './dialects';
import { NameSet } from './name-set';
import { Rest } from './rest';
import { ResultLimit, Rules } from './rules';

/** Who shares a cached list. In the order of the configuration's names. */
export const enum CacheScope {
  Session,
  Shared,
  /** Those who send the server the same credentials; everybody, where the gateway sends its own. */
  Credential,
}

/** An upstream MCP server. */
@unmanaged
export class Server {
  index: i32;
  name: Span;
  cluster: Span;
  authority: Span;
  path: Span;
  prefix: Span;
  /** What tells its resource URIs from those of other servers: its name and a slash; empty where it is the only server. */
  mark: Span;
  /** Patterns of resource URIs that are not marked, as no other server has any such; null: none. */
  ownedUris: NameSet | null;
  /** The revision to offer, or Unknown: the one that the client offered. */
  revision: Revision;
  /** As far as its configuration says, see `dialect`. */
  configured: Dialect;
  /** Milliseconds until the response to a call must have begun. */
  callTimeout: u32;
  credentials: Credentials;
  /** The name of the cookie by which a balancer in front of it finds the instance that opened a session; NONE: there is none. */
  stickyCookie: Span;
  /** Seconds that a list is kept; 0: it is not. */
  cacheTtl: u32;
  cacheScope: CacheScope;
  /** By noun: addresses of Rules. */
  rules: usize;
  /** Fingerprints of its tools that the log has named as left out. */
  reportedTools: Seen;
  /** It was said that a session of it was lost which no endpoint is known of. */
  reportedLoss: bool;
  /** The number of its name as a label of metrics; the host sets it. */
  label: u32;
  /** What it says of its tools may let somebody use them (annotations). */
  isTrusted: bool;
  /** Decisions on its tools need their definitions, see tool-facts.ts. */
  asksForFacts: bool;
  /** Its tools are held against pins. */
  isPinned: bool;
  /** Made of all in the configuration that facts of its tools depend on. */
  factsFingerprint: u64;
  /** Fingerprints of its tools that the log has named as changed or unpinned. */
  reportedPins: Seen;
  /** How large the results of its tools may be; null: of any size. */
  results: ResultLimit | null;
  /** What makes tools of a REST service; null: it is a server of MCP. */
  rest: Rest | null;
  /** Our entry in the Via header of what it is sent. */
  via: Span;
  /** Made of its name, cluster, authority, path, and of its credentials but for their secret. */
  unkeyedFingerprint: u64;
  /** Made of all that makes a session with it the same session, the secret included: under the sealing key, see fingerprints.ts. */
  fingerprint: u64;
  /** Names what the status tells of it: the same whatever credentials a request has for it. */
  stateFingerprint: u64;

  /** How it is spoken to. One that may speak either era has the row of that with sessions, until it was asked. */
  get dialect(): DialectRow {
    return dialectRow(this.configured);
  }

  /** What is known of its tools by their definitions is noted in its lists. */
  get notesFacts(): bool {
    return this.asksForFacts || this.isPinned;
  }

  rulesOf(noun: Noun): Rules {
    return changetype<Rules>(load<usize>(this.rules + ((noun as usize) << 2)));
  }

  /** @param arena that the server lives in */
  setRules(noun: Noun, rules: Rules, arena: Arena): void {
    if (this.rules === 0) this.rules = arena.zeroed(NOUNS << 2);
    store<usize>(this.rules + ((noun as usize) << 2), changetype<usize>(rules));
  }
}
