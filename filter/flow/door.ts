import { equals, NONE } from '../bytes/span';
import * as header from '../mcp/headers';
import { Reason } from '../mcp/errors';
import { isHostAllowed } from '../policy/host';
import { isOriginAllowed } from '../policy/origin';
import { preflight } from './cors';
import { Exchange, Outcome } from './exchange';

/**
 * Who may speak to the gateway at all, before anything that it was asked is looked at: `ReadBody` where the door is open.
 * A preflight carries no credentials (Fetch §4.8), so it is answered before an identity is asked for.
 */
export function atDoor(exchange: Exchange): Outcome {
  const request = exchange.request;
  const gateway = exchange.gateway;
  if (!isHostAllowed(gateway.hosts, request.authority, exchange.reach)) {
    return exchange.refuse(Reason.HostForbidden, request.authority);
  }
  if (request.origins === 0) return Outcome.ReadBody;
  // Of several, each reader may believe another one.
  if (request.origins > 1 || !isOriginAllowed(gateway.origins, request.origin, request.authority)) {
    return exchange.refuse(Reason.OriginForbidden, request.origin);
  }
  exchange.page = request.origin;
  return equals(request.method, header.OPTIONS) ? preflight(exchange) : Outcome.ReadBody;
}

/** Whether an identity is asked for and was not found. */
export function lacksIdentity(exchange: Exchange): bool {
  return exchange.identity === NONE;
}

/** RFC 9110 §11.6.1: a 401 says how to authenticate. */
export function refuseUnidentified(exchange: Exchange): Outcome {
  const outcome = exchange.refuse(Reason.Unauthenticated);
  exchange.reply.headers.add(header.WWW_AUTHENTICATE, header.BEARER);
  return outcome;
}
