import { SPACE } from '../bytes/ascii';
import { Span, length, literal, startsWith } from '../bytes/span';
import { Exchange } from '../flow/exchange';
import { completeRefusal } from '../flow/refusal';
import { Response } from '../flow/response';
import { inputReaderFor } from '../flow/input-requests';
import { limiterFor } from '../flow/result-limit';
import { rewriterFor } from '../flow/rewriting';
import { takeInstance } from '../flow/http-sse';
import { answerOf, isUnanswered, NO_RESPONSE, refuseUnanswered } from '../flow/success';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { isEventStream } from '../upstream/answer';
import { ABORTED, endedWith, OK } from '../mcp/outcomes';
import { LAST_BYTES, PassingAnswer } from '../response/passing-answer';
import { passing, ResponsePlan, rewriting, Way } from '../response/plan';
import { read, replaceAll } from './buffers';
import { mindStream } from './cancelled-streams';
import { now } from './clock';
import { remove, replace } from './headers';
import { line } from './log';
import { property } from './properties';
import { rewritePart } from './rewriting';
import { logFailure, logWarning } from './server-log';
import { Action, Buffer, HeaderMap } from './status';
import { Stream } from './streams';

/**
 * How the answer to a call comes along while it passes: whether it reaches its end, whether it is an answer, and how long
 * nothing of it has come. The client gets it as it is; metrics, the access log and the log get what is true.
 */
const RESPONSE_CODE_DETAILS = literal('response\0code_details');
/** Shorter than the 60 s after which four clients give up by themselves. Nanoseconds. */
const LONG_SILENCE: u64 = 50_000_000_000;
const A_SECOND: u64 = 1_000_000_000;

/** Bytes that are read at once while the answer has not begun. */
const PART: u32 = 16 << 10;

const BROKEN_OFF = literal('its answer broke off');
const FELL_SILENT = literal('nothing came for as long as the listener lets a stream be idle');
const IDLE = literal('stream_idle_timeout');
const RESET = literal('upstream_');

const SILENT_IN = literal(': ');
const SILENT_FOR = literal(' was silent for ');
const SILENT_SECONDS = literal(' s');

/** The headers of an answer that passes have come. @param ended there is no body */
export function beginAnswer(stream: Stream, exchange: Exchange, response: Response, ended: bool): void {
  hearFrom(exchange, exchange.sentAt, exchange.now);
  takeInstance(exchange, response.endpoint, response.headers);
  const watcher = answerOf(exchange, response);
  const limiter = limiterFor(exchange, response.contentType);
  const input = inputReaderFor(exchange, response.contentType);
  const rewriter = rewriterFor(exchange, response.contentType, limiter !== null || input !== null);
  if (rewriter === null) stream.plan = passing(watcher, exchange.arena);
  else {
    const plan = rewriting(rewriter, watcher, exchange.arena);
    plan.limiter = limiter;
    plan.input = input;
    if (input !== null && !input.staysDocument && !isEventStream(response.contentType))
      replace(HeaderMap.Response, header.CONTENT_TYPE, header.EVENTS_TYPE);
    stream.plan = plan;
    if (response.hasLength) remove(HeaderMap.Response, header.CONTENT_LENGTH);
  }
  if (ended) finish(stream, exchange);
  else mindStream(stream, exchange);
}

/** A part of its body. */
export function continueAnswer(stream: Stream, exchange: Exchange, plan: ResponsePlan, size: u32, ended: bool): Action {
  if (size > 0) {
    plan.begun = true;
    hearFrom(exchange, exchange.heardAt, now());
  }
  const rewriter = plan.rewriter;
  if (rewriter !== null) {
    const action = rewritePart(stream, exchange, plan, rewriter, size, ended);
    if (stream.plan !== plan || action !== Action.Continue) return action;
  } else if (size > 0) {
    const answer = plan.watcher;
    if (answer !== null) readPart(answer, size);
  } else if (ended && !plan.begun && isUnanswered(exchange, plan)) fill(exchange);
  if (ended) finish(stream, exchange);
  return Action.Continue;
}

/** Nothing has come, and nothing will: the body is ours. */
function fill(exchange: Exchange): void {
  refuseUnanswered(exchange);
  completeRefusal(exchange);
  replaceAll(Buffer.ResponseBody, exchange.plan.reply.body);
}

/** It has come to its end. */
export function finish(stream: Stream, exchange: Exchange): void {
  const plan = stream.plan!;
  stream.plan = null;
  if (isUnanswered(exchange, plan)) tell(exchange, Reason.UpstreamProtocol, NO_RESPONSE);
}

/** The stream is over, whether or not its answer has ended before. */
export function leaveAnswer(stream: Stream, exchange: Exchange): void {
  if (exchange.ended === ABORTED && exchange.sentAt !== 0) {
    hearFrom(exchange, exchange.sentAt, now());
    return;
  }
  const plan = stream.plan;
  if (plan === null || plan.way === Way.Replace) return;
  hearFrom(exchange, exchange.heardAt, now());
  const answer = plan.watcher;
  // What a server leaves open behind its answer may be closed by anybody.
  if (exchange.ended !== OK || (exchange.task === null && answer !== null && answer.endsEvent)) return;
  const details = property(RESPONSE_CODE_DETAILS);
  if (startsWith(details, IDLE)) tell(exchange, Reason.UpstreamTimeout, FELL_SILENT);
  else if (startsWith(details, RESET)) tell(exchange, Reason.UpstreamUnreachable, BROKEN_OFF);
  else exchange.ended = ABORTED;
}

function readPart(answer: PassingAnswer, size: u32): void {
  let at: u32 = 0;
  while (!answer.begun && at < size) {
    const count = min(size - at, PART);
    answer.read(read(Buffer.ResponseBody, at as usize, count as usize));
    at += count;
  }
  if (at === size || answer.hasLength) return;
  const from = max(at, size > LAST_BYTES ? size - LAST_BYTES : 0);
  answer.readTail(read(Buffer.ResponseBody, from as usize, (size - from) as usize));
}

function tell(exchange: Exchange, reason: Reason, detail: Span): void {
  exchange.ended = endedWith(reason);
  const server = exchange.server;
  if (server !== null) logFailure(exchange, server, reason, detail);
}

/** Something has come of a call, or nothing will any more. @param since when something was heard last; both as `now` */
export function hearFrom(exchange: Exchange, since: u64, at: u64): void {
  exchange.heardAt = at;
  const server = exchange.server;
  if (server === null || length(exchange.name) === 0 || at < since + LONG_SILENCE) return;
  const text = line()
    .bytes(server.name)
    .bytes(SILENT_IN)
    .bytes(exchange.noun.singular)
    .byte(SPACE)
    .bytes(exchange.name)
    .bytes(SILENT_FOR)
    .decimal((at - since) / A_SECOND)
    .bytes(SILENT_SECONDS);
  logWarning(server, text.written, exchange.gateway.logLevel);
}
