import { make } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { proxy_set_effective_context } from '../env';
import { Answer, Ending } from '../upstream/answer';
import { isCompressed } from '../upstream/judge';
import { MOST_OF_LOST } from '../upstream/lost-session';
import { Exchange, Outcome } from '../flow/exchange';
import { beginRenewal, mayBeRenewed, meansRenewal } from '../flow/lost-session';
import { Reason } from '../mcp/errors';
import { hasWords, isComplete, passesToClient, Response, respondToError } from '../flow/response';
import { rewriterFor } from '../flow/rewriting';
import * as header from '../mcp/headers';
import { rewriting } from '../response/plan';
import { continueAnswer } from './answer-progress';
import { read } from './buffers';
import { act } from './carry';
import { now } from './clock';
import { remove } from './headers';
import { readsResponse } from './modes/table';
import { beginRetelling } from './retelling';
import { logFailure } from './server-log';
import { Action, Buffer, HeaderMap, Status } from './status';
import { Held, Moment, Stream } from './streams';

/**
 * An upstream's answer other than 2xx to what was sent on. A server may have lost its session, and what it says is held
 * until that is known; or it refuses, and what it says goes into the row that the client gets. Its body is at hand
 * before its headers have gone on where the host shows it to a filter that holds headers; else see retelling.ts.
 */
const EMPTY = literal('');
/** Bytes: the messages of a handshake, and the first answer. */
const RENEWAL: u32 = (16 << 10) + MOST_OF_LOST;

/** @param ended there is no body */
export function hearError(stream: Stream, exchange: Exchange, status: u32, response: Response, ended: bool): Action {
  const arena = exchange.arena;
  const answer = make<Answer>(arena);
  answer.ending = Ending.Response;
  answer.status = status;
  answer.contentType = arena.copy(response.contentType);
  answer.contentEncoding = arena.copy(response.contentEncoding);
  answer.retryAfter = arena.copy(response.retryAfter);
  if (ended) answer.body = EMPTY;
  stream.error = answer;
  // The new session and the call once more count against the worker's budget, as the first one did.
  const most = exchange.gateway.limits.bufferedBytes;
  stream.renews = mayBeRenewed(exchange, status) && stream.hold(exchange.message.size + RENEWAL, most);
  const seesBody = readsResponse(stream);
  if (stream.renews && (ended || !seesBody)) return renew(stream, exchange);
  if (!stream.renews && (ended || passesToClient(exchange, answer) || !hasWords(answer))) return tell(stream, exchange);
  if (!seesBody) {
    beginRetelling(stream, exchange);
    return Action.Continue;
  }
  stream.held = Held.Reading;
  return Action.Pause;
}

/** @param size of the whole body so far, which is held */
export function hearErrorBody(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  // Nothing comes any more of what was read to its end.
  if (stream.held !== Held.Reading) return Action.Pause;
  const body: Span = size === 0 ? EMPTY : read(Buffer.ResponseBody, 0, min(size, MOST_OF_LOST + 1) as usize);
  if (!ended && size <= MOST_OF_LOST && !isHeard(stream, body)) return Action.Pause;
  return hear(stream, exchange, body);
}

/** Whether no more of its body is needed. @param body as far as it has come */
export function isHeard(stream: Stream, body: Span): bool {
  const answer = stream.error!;
  answer.body = body;
  const heard = !stream.renews && isComplete(answer);
  answer.body = NONE;
  return heard;
}

/** The holder of a pair has read the body. In a callback that is not of the stream. */
export function hearPosted(stream: Stream): void {
  if (proxy_set_effective_context(stream.id) !== Status.Ok) return;
  stream.moment = Moment.Later;
  const body: Span = stream.errorBody === null ? EMPTY : stream.errorBody!.written;
  hear(stream, stream.exchange!, body);
}

/** @param body as far as it is needed */
function hear(stream: Stream, exchange: Exchange, body: Span): Action {
  exchange.now = now();
  stream.error!.body = body;
  return stream.renews && (body as u32) <= MOST_OF_LOST ? renew(stream, exchange) : tell(stream, exchange);
}

/** Its end is one of trailers. */
export function endErrorBody(stream: Stream, exchange: Exchange): Action {
  if (stream.held !== Held.Reading) return Action.Pause;
  const body = read(Buffer.ResponseBody, 0, MOST_OF_LOST as usize);
  const size = body as u32;
  const action = hear(stream, exchange, size === 0 ? EMPTY : body);
  const plan = stream.plan;
  return action !== Action.Continue || plan === null ? action : continueAnswer(stream, exchange, plan, size, true);
}

function renew(stream: Stream, exchange: Exchange): Action {
  const answer = stream.error!;
  if (isCompressed(answer.contentEncoding)) answer.body = NONE;
  if (!meansRenewal(exchange, answer)) return tell(stream, exchange);
  stream.held = Held.Waiting;
  return act(stream, exchange, beginRenewal(exchange, exchange.caller.session!, answer, answer.body !== NONE));
}

function tell(stream: Stream, exchange: Exchange): Action {
  const outcome = respondToError(exchange, stream.error!);
  if (outcome === Outcome.Forward) {
    beginRewriting(stream, exchange);
    return act(stream, exchange, Outcome.Pass);
  }
  const reply = exchange.plan.reply;
  // A server without an event stream has not failed: the client is told so, or of changed lists.
  if (reply.reason !== Reason.None && reply.reason !== Reason.MethodNotAllowed) {
    logFailure(exchange, exchange.target.server, reply.reason, reply.detail);
  }
  return act(stream, exchange, outcome);
}

/** What passes has the URIs that a client knows, as every answer has; nothing else is made of it. */
function beginRewriting(stream: Stream, exchange: Exchange): void {
  const answer = stream.error!;
  const isEmpty = answer.body !== NONE && length(answer.body) === 0;
  // Later, what is held goes on by itself, see flow/lost-session.ts.
  if (isEmpty || stream.moment === Moment.Later || isCompressed(answer.contentEncoding)) return;
  const rewriter = rewriterFor(exchange, answer.contentType);
  if (rewriter === null) return;
  stream.plan = rewriting(rewriter, null, exchange.arena);
  remove(HeaderMap.Response, header.CONTENT_LENGTH);
}
