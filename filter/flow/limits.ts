import { scratch } from '../bytes/arena';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { refuseStrayResponse } from './client-response';
import { Exchange, Outcome } from './exchange';

/** Of a body that is held, and of which it is not known yet where it goes. */
export function refuseUndecided(exchange: Exchange, size: u32): Outcome {
  if (exchange.envelope.isResponse) return refuseStrayResponse(exchange);
  return exchange.refuse(Reason.BodyTooLarge, newWriter(scratch, 16).decimal(size as u64).written);
}

/** Whether the body is larger than any may be; then the refusal is ready. */
export function exceedsRequestBody(exchange: Exchange, size: u64): bool {
  const most = exchange.gateway.limits.requestBody;
  if (most === 0 || size <= (most as u64)) return false;
  exchange.refuse(Reason.RequestTooLarge, newWriter(scratch, 16).decimal(size).written);
  return true;
}
