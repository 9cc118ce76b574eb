import { Span, length, literal, startsWith, NONE } from '../bytes/span';
import { isEventStream, isJsonType } from '../federation/answer';
import { isCompressed } from '../federation/judge';
import { Exchange } from '../flow/exchange';
import { Response } from '../flow/response';
import { Reason } from '../mcp/errors';
import { ABORTED, endedWith, OK } from '../mcp/outcomes';
import { newResponseSeeker } from '../sse/response-seeker';
import { read } from './buffers';
import { now } from './clock';
import { line } from './log';
import { property } from './properties';
import { logFailure, logWarning } from './server-log';
import { Buffer } from './status';
import { Progress, Stream } from './streams';

/**
 * How the answer to a call comes along while it passes: whether it reaches its end, whether it is an answer, and how long
 * nothing of it has come. The client gets it as it is; metrics, the access log and the log get what is true.
 */
const RESPONSE_CODE_DETAILS = literal('response\0code_details');
/** Shorter than the 60 s after which four clients give up by themselves. Nanoseconds. */
const LONG_SILENCE: u64 = 50_000_000_000;
const A_SECOND: u64 = 1_000_000_000;

const EMPTY = literal('its answer is empty');
const OTHER_TYPE = literal('its answer is neither JSON nor an event stream');
const UNANSWERED = literal('its event stream ended without the answer');
const BROKEN_OFF = literal('its answer broke off');
const FELL_SILENT = literal('nothing came for as long as the listener lets a stream be idle');
const IDLE = literal('stream_idle_timeout');
const RESET = literal('upstream_');

const SILENT_IN = literal(': tool ');
const SILENT_FOR = literal(' was silent for ');
const SILENT_SECONDS = literal(' s');

/** The headers of an answer that passes have come. @param ended there is no body */
export function beginAnswer(stream: Stream, exchange: Exchange, response: Response, ended: bool): void {
  hearFrom(exchange, exchange.sentAt, exchange.now);
  stream.progress = Progress.Passing;
  if (isEventStream(response.contentType)) {
    if (!isCompressed(response.contentEncoding)) stream.seeker = newResponseSeeker(exchange.arena);
  } else if (!ended && !isJsonType(response.contentType)) {
    tell(exchange, Reason.UpstreamProtocol, OTHER_TYPE);
  }
  if (ended) finish(stream, exchange);
}

/** A part of its body. */
export function continueAnswer(stream: Stream, exchange: Exchange, size: u32, ended: bool): void {
  if (stream.progress === Progress.None) return;
  if (size > 0) {
    stream.progress = Progress.Flowing;
    hearFrom(exchange, exchange.heardAt, now());
    const seeker = stream.seeker;
    if (seeker !== null && !seeker.isFound) seeker.read(read(Buffer.ResponseBody, 0, size as usize));
  }
  if (ended) finish(stream, exchange);
}

/** It has come to its end. */
export function finish(stream: Stream, exchange: Exchange): void {
  const isEmpty = stream.progress === Progress.Passing;
  stream.progress = Progress.None;
  if (exchange.ended !== OK || !isAwaited(exchange)) return;
  const seeker = stream.seeker;
  if (isEmpty) return tell(exchange, Reason.UpstreamProtocol, EMPTY);
  if (seeker === null) return;
  seeker.end();
  if (!seeker.isFound) tell(exchange, Reason.UpstreamProtocol, UNANSWERED);
}

/** The stream is over, whether or not its answer has ended before. */
export function leaveAnswer(stream: Stream, exchange: Exchange): void {
  if (exchange.ended === ABORTED && exchange.sentAt !== 0) {
    hearFrom(exchange, exchange.sentAt, now());
    return;
  }
  if (stream.progress === Progress.None) return;
  hearFrom(exchange, exchange.heardAt, now());
  const seeker = stream.seeker;
  // What a server leaves open behind its answer may be closed by anybody.
  if (exchange.ended !== OK || (seeker !== null && seeker.isFound)) return;
  const details = property(RESPONSE_CODE_DETAILS);
  if (startsWith(details, IDLE)) tell(exchange, Reason.UpstreamTimeout, FELL_SILENT);
  else if (startsWith(details, RESET)) tell(exchange, Reason.UpstreamUnreachable, BROKEN_OFF);
  else exchange.ended = ABORTED;
}

/** A notification has no answer. One whose id streams past after its answer has come is not judged either. */
function isAwaited(exchange: Exchange): bool {
  return exchange.envelope.requestId !== NONE;
}

function tell(exchange: Exchange, reason: Reason, detail: Span): void {
  exchange.ended = endedWith(reason);
  const server = exchange.server;
  if (server !== null) logFailure(server, reason, detail, exchange.gateway.logLevel);
}

/** Something has come of a call, or nothing will any more. @param since when something was heard last; both as `now` */
export function hearFrom(exchange: Exchange, since: u64, at: u64): void {
  exchange.heardAt = at;
  const server = exchange.server;
  if (server === null || length(exchange.tool) === 0 || at < since + LONG_SILENCE) return;
  const text = line()
    .bytes(server.name)
    .bytes(SILENT_IN)
    .bytes(exchange.tool)
    .bytes(SILENT_FOR)
    .decimal((at - since) / A_SECOND)
    .bytes(SILENT_SECONDS);
  logWarning(server, text.written, exchange.gateway.logLevel);
}
