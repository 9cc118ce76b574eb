import { List } from '../bytes/list';
import { NONE, Span } from '../bytes/span';
import { Reason } from '../mcp/errors';
import { NounRow } from '../mcp/nouns';
import { Server } from '../model/server';
import { Upstream } from '../session/token';
import { Failure } from './answer';
import { Callout } from './callout';
import { Introduction } from './introduction';

/** The conversation with one server, one callout after the other. */
@unmanaged
export class UpstreamCall {
  server: Server;
  /** What to send next, or null. */
  callout: Callout | null;
  waiting: bool;
  started: bool;
  done: bool;
  /** Nanoseconds since 1970. */
  deadline: u64;
  /** Why it failed; Reason.None where it did not. */
  failure: Failure;
  /** How many callouts were sent so far. */
  step: i32;
  /** The message that was sent last. */
  sent: Callout | null;
  /** It was sent twice, as the connection had ended before an answer. */
  repeated: bool;
  /** How often it was sent again because nobody had seen it. */
  detours: u8;
  /** The host's, for the callout under way. */
  token: u32;
  /** What it is told in the era with sessions, should it not speak the other; null where it was asked in that first. */
  introduction: Introduction | null;
  /** The server was first asked in the era that it does not speak. */
  fellBack: bool;
  /** It failed at what no client can help, see `isFault`. */
  faulty: bool;
  /** At a time-out. */
  hangs: bool;
  /** A session with the server is being opened. */
  joining: bool;
  /** By this request. */
  opening: bool;
  /** For all that wait for it, see session/lease.ts. */
  holdsLease: bool;
  /** Since when it waits for another request to open one, nanoseconds since 1970; 0: it does not. */
  parkedAt: u64;
  /** The session id that the server does not know any more, or NONE. */
  lost: Span;
  /** Its pages come from the cache. */
  cached: bool;
  /** Milliseconds that are left of the lifetime which its server gave it; 0: it is as its pages say. */
  left: u32;
  /** The session that the server did not know any more, where it was renewed in the course of this; else null. */
  before: Upstream | null;
  /** By this request. */
  opened: bool;
  /** What its server says is known; its session is opened when it is first needed. */
  deferred: bool;
  /** Id of the request under way, a string token. */
  id: Span;

  upstream: Upstream;
  /** What the server must offer to be asked, bits of Capability. */
  capability: u32;
  /** What it lists. */
  noun: NounRow;
  /** `params` of the `logging/setLevel` that ends its handshake where it has logging, as JSON; NONE: there is none. */
  level: Span;
  /** As the server declared them, or NONE. */
  capabilities: Span;
  /** The JSON-RPC error that the server answered with, or NONE. */
  error: Span;
  /** A string token, or NONE. */
  instructions: Span;
  /** Elements are Page. */
  pages: List;
  /** Texts (Span) of the cursors that pages were asked for with. */
  cursors: List;
  bytes: u64;

  get failed(): bool {
    return this.failure.reason !== Reason.None;
  }

  /** It is going to be asked anew. */
  forgetAnswer(): void {
    this.failure.set(Reason.None, NONE).retryAfter = NONE;
    this.error = NONE;
    this.pages.count = 0;
    this.cursors.count = 0;
    this.bytes = 0;
  }
}
