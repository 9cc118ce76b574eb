import { scratch } from '../bytes/arena';
import { literal } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { Limit, limitName } from '../model/limit';
import { refuseLargeResponse } from './client-response';
import { Exchange, Outcome } from './exchange';

/** What `overload` names where a worker holds as much as it may, and where its memory cannot grow any more. */
export const BUFFERED_BYTES = limitName(Limit.BufferedBytes);
export const WORKER_MEMORY = literal('the memory of a worker; lower limits.bufferedBytes');

/** Refuses a body that is held, and of which it is not known yet where it goes. */
export function refuseUndecided(exchange: Exchange, size: u32): Outcome {
  if (exchange.isResponse) return refuseLargeResponse(exchange, size);
  return refuseTooLarge(exchange, size as u64);
}

/** Refuses a body that would have to be held whole: what is called is known, and needs all of it, or has to wait. */
export function refuseWhole(exchange: Exchange, size: u32): Outcome {
  return exchange.refuse(Reason.WholeTooLarge, newWriter(scratch, 16).decimal(size as u64).written);
}

/** @param size bytes of what would have to be held, which is more than `limits.heldBody` */
export function refuseTooLarge(exchange: Exchange, size: u64): Outcome {
  return exchange.refuse(Reason.BodyTooLarge, newWriter(scratch, 16).decimal(size).written);
}

/**
 * Whether a body over HTTP/1.1 is larger than may be held, or its headers leave that open. Over HTTP/2 it comes in frames,
 * and Envoy asks us after each.
 */
export function mayOutgrowHeldBody(exchange: Exchange): bool {
  return exchange.request.isChunked || exchange.request.contentLength > (exchange.gateway.limits.heldBody as u64);
}

/** Whether the body is larger than any may be; then the refusal is ready. */
export function exceedsRequestBody(exchange: Exchange, size: u64): bool {
  const most = exchange.gateway.limits.requestBody;
  if (most === 0 || size <= (most as u64)) return false;
  exchange.refuse(Reason.RequestTooLarge, newWriter(scratch, 16).decimal(size).written);
  return true;
}
