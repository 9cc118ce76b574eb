import { Arena } from '../bytes/arena';
import { Span } from '../bytes/span';
import { Method } from '../mcp/methods';
import { Revision } from '../mcp/revisions';
import { Dialect, spokenDialect } from '../model/dialects';
import { Answer, Failure } from './answer';
import { UpstreamCall } from './call';
import { Introduction } from './introduction';
import { INITIALIZED } from './message';
import { ASKED, openSession, sessionRequest, takeSessionOpened } from './session-dialect';
import { DISCOVERED, discover, takeDiscovered } from './stateless-dialect';
import { statelessRequest } from './stateless-message';

type Open = (
  call: UpstreamCall,
  introduction: Introduction | null,
  client: Span,
  now: u64,
  arena: Arena,
  like: UpstreamCall | null,
) => void;
type Take = (
  call: UpstreamCall,
  answer: Answer,
  response: Span,
  failure: Failure,
  scratch: Arena,
  arena: Arena,
) => void;
type Request = (id: Span, method: Method, params: Span, arena: Arena) => Span;

/**
 * How messages of the gateway's own are put to a server that it can hold a conversation with, and how the answers to them
 * are read. A server over HTTP+SSE has its conversation with the client; a REST service has none.
 */
@unmanaged
export class MessageDialect {
  /** The step of a call in which its first message was sent. */
  opening: i32;
  /**
   * Makes that message the call's callout.
   * @param introduction what the server is told of the client; null: it was told that before, in the dialect with sessions
   * @param like another call that begins with the same message, or null: the two share it
   */
  open: Open;
  /**
   * Takes the answer to it. Where it says no, `failure` says why.
   * @param response to the message, in the answer; NONE: it has none
   */
  take: Take;
  /** What the server is told then, before anything else, or NONE. */
  confirmation: Span;
  /** Whatever it answers but yes may mean that it speaks the other dialect; else it says so. */
  isUncertain: bool;
  /** That. */
  other: Dialect;
  /** A request. @param params an object that is not empty, as JSON, or NONE */
  request: Request;
}

const rows = memory.data(4 * 2);

function row(dialect: Dialect, other: Dialect): MessageDialect {
  const at = changetype<MessageDialect>(heap.alloc(offsetof<MessageDialect>()));
  memory.fill(changetype<usize>(at), 0, offsetof<MessageDialect>());
  at.other = other;
  store<usize>(rows + ((dialect as usize) << 2), changetype<usize>(at));
  return at;
}

const session = row(Dialect.Session, Dialect.Stateless);
session.opening = ASKED;
session.open = openSession;
session.take = takeSessionOpened;
session.confirmation = INITIALIZED;
session.request = sessionRequest;

const stateless = row(Dialect.Stateless, Dialect.Session);
stateless.opening = DISCOVERED;
stateless.open = discover;
stateless.take = takeDiscovered;
stateless.isUncertain = true;
stateless.request = statelessRequest;

/** @param dialect Session or Stateless */
export function messageDialect(dialect: Dialect): MessageDialect {
  return changetype<MessageDialect>(load<usize>(rows + ((dialect as usize) << 2)));
}

/** The dialect of a server that has chosen a revision; Unknown: it is being asked with `initialize`. */
export function messageDialectOf(revision: Revision): MessageDialect {
  return messageDialect(spokenDialect(revision));
}
