import { scratch } from '../bytes/arena';
import { Span, literal, NONE } from '../bytes/span';
import { isEventStream, isJsonType, noBodyText, noTypeText, otherTypeText } from '../upstream/answer';
import { isCompressed } from '../upstream/judge';
import { Reason } from '../mcp/errors';
import { OK } from '../mcp/outcomes';
import { newPassingAnswer, PassingAnswer } from '../response/passing-answer';
import { ResponsePlan } from '../response/plan';
import { refusesCoding } from './content-coding';
import { Exchange } from './exchange';
import { Response } from './response';

export const NO_RESPONSE = literal('its answer ended without the response to the call');

/**
 * Whether an upstream's 2xx to a call can have no answer in it; then the refusal is ready. A client would wait for it.
 * @param ended it has no body
 */
export function refusesSuccess(exchange: Exchange, status: u32, response: Response, ended: bool): bool {
  const isStream = exchange.isForEvents;
  if (!isStream && !isAwaited(exchange))
    return !ended && refusesCoding(exchange, response.contentEncoding, response.contentType);
  if (ended) return refuse(exchange, noBodyText(status, scratch));
  if (refusesCoding(exchange, response.contentEncoding, response.contentType)) return true;
  const type = response.contentType;
  if (type === NONE) return refuse(exchange, noTypeText(status, scratch));
  return !(isJsonType(type) && !isStream) && !isEventStream(type) && refuse(exchange, otherTypeText(type, scratch));
}

function refuse(exchange: Exchange, detail: Span): bool {
  exchange.refuse(Reason.UpstreamProtocol, detail, exchange.target.server.name);
  return true;
}

/** A notification has no answer. One whose id streams past after its answer has come is not judged either. */
export function isAwaited(exchange: Exchange): bool {
  return exchange.id !== NONE;
}

/** Whether a 2xx that has ended came without the response that its client waits for. */
export function isUnanswered(exchange: Exchange, plan: ResponsePlan): bool {
  if (exchange.ended !== OK || !isAwaited(exchange)) return false;
  const rewriter = plan.rewriter;
  // MCP 2025-11-25, transports: a server may close the connection, and answer when its client has the stream go on.
  if (rewriter !== null && rewriter.isResumable) return false;
  const watcher = plan.watcher;
  return !plan.begun || (watcher !== null && !watcher.isWhole);
}

/** What such a client gets. */
export function refuseUnanswered(exchange: Exchange): void {
  exchange.refuse(Reason.UpstreamProtocol, NO_RESPONSE, exchange.target.server.name);
}

/**
 * What watches the body of a 2xx as it passes. Null where nothing is to be found out: in a coding that is not read here.
 * Envoy itself holds a server to the length that it tells.
 */
export function answerOf(exchange: Exchange, response: Response): PassingAnswer | null {
  if (isCompressed(response.contentEncoding)) return null;
  const isStream = isEventStream(response.contentType);
  const answer = newPassingAnswer(isStream, exchange.idAtServer, exchange.arena);
  answer.hasLength = response.hasLength && !isStream;
  return answer;
}

/** Whether the whole body of a 2xx has the answer in it. */
export function hasAnswer(exchange: Exchange, contentType: Span, body: Span): bool {
  const answer = newPassingAnswer(isEventStream(contentType), exchange.idAtServer, exchange.arena);
  if (body !== NONE) answer.read(body);
  return answer.isWhole;
}
