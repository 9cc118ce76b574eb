import { Arena, make } from '../bytes/arena';
import { readPairs } from '../bytes/pairs';
import { Span, equals, literal, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import * as header from '../mcp/headers';
import { Reason } from '../mcp/errors';
import { isRedirect, redirectText } from '../federation/answer';
import { Exchange, Outcome } from './exchange';
import { routerReply } from './router-replies';

/** The headers of a response that matter to us. */
@unmanaged
export class Response {
  status: Span;
  contentType: Span;
  contentEncoding: Span;
  hasSessionId: bool;
  /** By Envoy's router, in all that comes from an upstream and in nothing else, unless `suppress_envoy_headers` is set. */
  hasServiceTime: bool;
}

export function readResponse(headers: Span, arena: Arena): Response {
  const response = make<Response>(arena);
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    if (equals(pairs.name, header.STATUS)) response.status = pairs.value;
    else if (equals(pairs.name, header.CONTENT_TYPE)) response.contentType = pairs.value;
    else if (equals(pairs.name, header.CONTENT_ENCODING)) response.contentEncoding = pairs.value;
    else if (equals(pairs.name, header.SESSION_ID)) response.hasSessionId = true;
    else if (equals(pairs.name, header.SERVICE_TIME)) response.hasServiceTime = true;
  }
  return response;
}

const VIA_UPSTREAM = literal('via_upstream');
const DIRECT_RESPONSE = literal('direct_response');
const NO_ROUTE = literal('route_not_found');
const NO_ANSWER = literal('no answer');
const HTTP = literal('HTTP ');
const JSON_START = literal('application/json');

/** Whether the upstream itself made this response. @param details Envoy's response code details */
export function isFromUpstream(details: Span): bool {
  return equals(details, VIA_UPSTREAM);
}

/** Whether a route of the listener made this response, or what the route leads to; not a filter. */
export function isFromRoute(details: Span): bool {
  return isFromUpstream(details) || equals(details, DIRECT_RESPONSE) || equals(details, NO_ROUTE);
}

/**
 * What becomes of an upstream's answer other than 2xx to a call that was sent on. `Forward`: it reaches the client as it
 * is, as does every error that a server tells in JSON, whatever the status.
 */
export function respondToError(exchange: Exchange, status: u32, contentType: Span): Outcome {
  const server = exchange.target.server.name;
  // A client would follow it past the gateway, with the body and with our session id.
  if (isRedirect(status)) return exchange.refuse(Reason.UpstreamStatus, redirectText(status, exchange.arena), server);
  if (status === 401 || status === 403) {
    // Its challenge is for the gateway; a client would answer it with a token meant for somebody else.
    return exchange.refuse(Reason.UpstreamUnauthorized, statusText(exchange, status), server);
  }
  if (startsWith(contentType, JSON_START)) return Outcome.Forward;
  return exchange.refuse(Reason.UpstreamStatus, statusText(exchange, status), server);
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

function statusText(exchange: Exchange, status: u32): Span {
  return newWriter(exchange.arena, 16)
    .bytes(HTTP)
    .decimal(status as u64).written;
}
