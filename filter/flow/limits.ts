import { scratch } from '../bytes/arena';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { Exchange } from './exchange';

/** Whether the body is larger than any may be; then the refusal is ready. */
export function exceedsRequestBody(exchange: Exchange, size: u64): bool {
  const most = exchange.gateway.limits.requestBody;
  if (most === 0 || size <= (most as u64)) return false;
  exchange.refuse(Reason.RequestTooLarge, newWriter(scratch, 16).decimal(size).written);
  return true;
}
