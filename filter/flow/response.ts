import { Arena, make } from '../bytes/arena';
import { readPairs } from '../bytes/pairs';
import { Span, equals, literal, startsWith } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import * as header from '../mcp/headers';
import { Reason } from '../mcp/errors';
import { Exchange, Outcome, Stage } from './exchange';
import { beginJoin } from './join';

/** The headers of a response that matter to us. */
@unmanaged
export class Response {
  status: Span;
  contentType: Span;
  hasSessionId: bool;
}

export function readResponse(headers: Span, arena: Arena): Response {
  const response = make<Response>(arena);
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    if (equals(pairs.name, header.STATUS)) response.status = pairs.value;
    else if (equals(pairs.name, header.CONTENT_TYPE)) response.contentType = pairs.value;
    else if (equals(pairs.name, header.SESSION_ID)) response.hasSessionId = true;
  }
  return response;
}

const VIA_UPSTREAM = literal('via_upstream');
const TRY_TIMEOUT = literal('upstream_per_try_timeout');
const ROUTE_TIMEOUT = literal('response_timeout');
const IDLE_TIMEOUT = literal('stream_idle_timeout');
const DURATION_TIMEOUT = literal('max_duration_timeout');
const TOO_LARGE = literal('request_payload_too_large');
const NO_CLUSTER = literal('cluster_not_found');
const NO_HOST = literal('no_healthy_upstream');
const RESET = literal('upstream_reset_');
const NO_ANSWER = literal('no answer');
const CLUSTER_MISSING = literal('the cluster does not exist');
const ENDPOINT_MISSING = literal('the cluster has no endpoint');
const NO_CONNECTION = literal('no connection');
const HTTP = literal('HTTP ');
const JSON_START = literal('application/json');

/** Whether the upstream itself made this response. @param details Envoy's response code details */
export function isFromUpstream(details: Span): bool {
  return equals(details, VIA_UPSTREAM);
}

/**
 * What becomes of an upstream's error to a call that was sent on. `Forward`: it reaches the client as it is, as does all
 * that a server says in JSON, whatever the status.
 */
export function respondToError(exchange: Exchange, status: u32, contentType: Span): Outcome {
  const server = exchange.target.server.name;
  if (status === 401 || status === 403) {
    // Its challenge is for the gateway; a client would answer it with a token meant for somebody else.
    return exchange.refuse(Reason.UpstreamUnauthorized, statusText(exchange, status), server);
  }
  if (status === 404 && exchange.forward.inSession) return respondToLostSession(exchange);
  if (startsWith(contentType, JSON_START)) return Outcome.Forward;
  return exchange.refuse(Reason.UpstreamStatus, statusText(exchange, status), server);
}

/**
 * MCP transports: a server that answers 404 does not know the session. The call was not run, so a new session and the
 * same call once more are unseen by the client, if the body is still here; else the client begins anew.
 */
function respondToLostSession(exchange: Exchange): Outcome {
  const session = exchange.session;
  if (session === null || !exchange.kept || !exchange.whole) return exchange.refuse(Reason.SessionUnknown);
  return beginJoin(exchange, session, Stage.Rejoin);
}

/**
 * The same for a reply that Envoy made in the server's stead: its router's become rows of our table, those of other
 * filters (401, 403, 429) are theirs.
 */
export function replacesRouterReply(exchange: Exchange, details: Span): bool {
  const server = exchange.target.server.name;
  if (isTimeout(details)) {
    exchange.refuse(Reason.UpstreamTimeout, NO_ANSWER, server);
  } else if (startsWith(details, NO_HOST)) {
    exchange.refuse(Reason.UpstreamUnreachable, ENDPOINT_MISSING, server);
  } else if (startsWith(details, RESET)) {
    exchange.refuse(Reason.UpstreamUnreachable, NO_CONNECTION, server);
  } else if (startsWith(details, NO_CLUSTER)) {
    exchange.refuse(Reason.UpstreamUnknownCluster, CLUSTER_MISSING, server);
  } else return false;
  return true;
}

/** Of the gateway's own `callTimeout`, or of the route, which may allow less. */
function isTimeout(details: Span): bool {
  if (startsWith(details, TRY_TIMEOUT) || startsWith(details, ROUTE_TIMEOUT)) return true;
  return startsWith(details, IDLE_TIMEOUT) || startsWith(details, DURATION_TIMEOUT);
}

/** A body that outgrew what Envoy holds for us before it outgrew `limits.heldBody`. @param size read so far */
export function replacesBufferOverflow(exchange: Exchange, details: Span, size: u32): bool {
  if (!startsWith(details, TOO_LARGE)) return false;
  exchange.refuse(Reason.BodyTooLarge, newWriter(exchange.arena, 16).decimal(size as u64).written);
  return true;
}

function statusText(exchange: Exchange, status: u32): Span {
  return newWriter(exchange.arena, 16)
    .bytes(HTTP)
    .decimal(status as u64).written;
}
