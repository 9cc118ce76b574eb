import { Arena, make, scratch } from '../bytes/arena';
import { readPairs } from '../bytes/pairs';
import { Span, equals, length, literal, startsWith, NONE } from '../bytes/span';
import { Answer, Failure } from '../upstream/answer';
import { isCompressed, isRedirect, judgeRefusal } from '../upstream/judge';
import { withoutMark } from '../json/byte-order-mark';
import { isJson, strip } from '../json/reader';
import * as header from '../mcp/headers';
import { Reason } from '../mcp/errors';
import { eraOf } from '../mcp/eras';
import { forgetEras } from '../session/server-eras';
import { answerWithoutStream } from './changed-lists';
import { Exchange, Outcome } from './exchange';
import { routerReply } from './router-replies';
import { crosses } from './translation';

/** The headers of a response that matter to us. */
@unmanaged
export class Response {
  /** All of them, packed. */
  headers: Span;
  status: Span;
  contentType: Span;
  contentEncoding: Span;
  retryAfter: Span;
  hasSessionId: bool;
  /** Which of its endpoints has answered, as the cluster says, or NONE. */
  endpoint: Span;
  hasLength: bool;
  /** By Envoy's router, in all that comes from an upstream and in nothing else, unless `suppress_envoy_headers` is set. */
  hasServiceTime: bool;
}

export function readResponse(headers: Span, arena: Arena): Response {
  const response = make<Response>(arena);
  response.headers = headers;
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    if (equals(pairs.name, header.STATUS)) response.status = pairs.value;
    else if (equals(pairs.name, header.CONTENT_TYPE)) response.contentType = pairs.value;
    else if (equals(pairs.name, header.CONTENT_ENCODING)) response.contentEncoding = pairs.value;
    else if (equals(pairs.name, header.CONTENT_LENGTH)) response.hasLength = true;
    else if (equals(pairs.name, header.RETRY_AFTER)) response.retryAfter = pairs.value;
    else if (equals(pairs.name, header.SESSION_ID)) response.hasSessionId = true;
    else if (equals(pairs.name, header.ENDPOINT)) response.endpoint = pairs.value;
    else if (equals(pairs.name, header.SERVICE_TIME)) response.hasServiceTime = true;
  }
  return response;
}

const VIA_UPSTREAM = literal('via_upstream');
const DIRECT_RESPONSE = literal('direct_response');
const NO_ROUTE = literal('route_not_found');
const NO_ANSWER = literal('no answer');
const JSON_START = literal('application/json');

/** Whether the upstream itself made this response. @param details Envoy's response code details */
export function isFromUpstream(details: Span): bool {
  return equals(details, VIA_UPSTREAM);
}

/** Whether a route of the listener made this response, or what the route leads to; not a filter. */
export function isFromRoute(details: Span): bool {
  return isFromUpstream(details) || equals(details, DIRECT_RESPONSE) || equals(details, NO_ROUTE);
}

/** Whether an upstream's answer other than 2xx reaches the client as it is: what it says in JSON is its own to say. */
export function passesAsItIs(answer: Answer): bool {
  const status = answer.status;
  // A client would follow a redirect past the gateway, with the body and with our session id; a challenge it would
  // answer with a token meant for somebody else, and some never show a 407; and the host name is none that it has chosen.
  if (isRedirect(status) || status === 401 || status === 403 || status === 407 || status === 421) return false;
  return startsWith(answer.contentType, JSON_START);
}

/** Whether its body may have words that the reply repeats. */
export function hasWords(answer: Answer): bool {
  return !isRedirect(answer.status) && !isCompressed(answer.contentEncoding);
}

/** Whether enough of its body is here for its words. */
export function isComplete(answer: Answer): bool {
  const body = answer.body;
  return length(body) > 0 && (!startsWith(answer.contentType, JSON_START) || isJson(strip(withoutMark(body)), scratch));
}

/**
 * The same of an answer to what was sent on. To a response of the client a server has nothing to say that is the
 * client's: its 404 speaks of its own session, and would end the client's.
 */
export function passesToClient(exchange: Exchange, answer: Answer): bool {
  // A status of one era means something else in the other.
  if (crosses(exchange, exchange.plan.forward.upstream)) return false;
  if (exchange.isHttpSse && answer.status === 404) return false;
  return !exchange.isResponse && !lacksStream(exchange, answer) && passesAsItIs(answer);
}

/** A server without an event stream says so: with 405 (MCP transports), or as one that does not know what is asked for. */
function lacksStream(exchange: Exchange, answer: Answer): bool {
  return exchange.isForEvents && !exchange.isHttpSse && (answer.status === 405 || answer.status === 404);
}

/** What becomes of an upstream's answer other than 2xx to what was sent on. `Forward`: it passes as it is. */
export function respondToError(exchange: Exchange, answer: Answer): Outcome {
  if (passesToClient(exchange, answer)) return Outcome.Forward;
  if (lacksStream(exchange, answer)) return answerWithoutStream(exchange);
  // The stream that the address is of is over.
  if (exchange.isHttpSse && !exchange.isForEvents && answer.status === 404) {
    return exchange.refuse(Reason.SessionUnknown);
  }
  const server = exchange.target.server;
  const era = eraOf(exchange.plan.forward.upstream.revision);
  const failure = judgeRefusal(make<Failure>(scratch), answer, server, era, scratch);
  if (failure.reason === Reason.UpstreamEra) forgetEras(server.fingerprint, exchange.gateway.keys, scratch);
  return exchange.refuseWith(failure, server);
}

/**
 * The same for a reply that Envoy made in the server's stead, or in ours: its router's become rows of our table, those of
 * other filters (401, 403, 429) are theirs.
 * @param arrived the request is here whole, so that it is an answer that Envoy gave up waiting for
 */
export function replacesRouterReply(exchange: Exchange, details: Span, arrived: bool): bool {
  const row = routerReply(details);
  if (row === null) return false;
  const server = exchange.server;
  const name = server === null ? NONE : server.name;
  if (row.reason === Reason.RequestTimeout && arrived) exchange.refuse(Reason.UpstreamTimeout, NO_ANSWER, name);
  else exchange.refuse(row.reason, row.detail, name);
  return true;
}
