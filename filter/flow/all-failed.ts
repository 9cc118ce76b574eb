import { make } from '../bytes/arena';
import { literal } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { FanOut } from '../federation/fanout';
import { errorRow } from '../mcp/errors';
import { mayReach } from '../policy/decision';
import { Failure } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { Exchange, Outcome } from './exchange';

const AS_WELL = literal('; the other servers fail as well: ');
const SEPARATOR = literal(', ');
const OPENING = literal(' (');
const CLOSING = literal(')');
const AND = literal(' and ');
const MORE = literal(' more');
/** What a person reads; the log has a line for each. */
const MOST_NAMED = 4;

/** Answers that every server which was asked has failed: what the first one failed at, and the names of the others. */
export function refuseForAll(exchange: Exchange, fanOut: FanOut, first: UpstreamCall): Outcome {
  const failure = make<Failure>(exchange.arena);
  failure.reason = first.failure.reason;
  failure.retryAfter = first.failure.retryAfter;
  const detail = newWriter(exchange.arena, 256).bytes(first.failure.detail);
  let count: u32 = 0;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call === first || !mayReach(call.server, exchange.caller.scope)) continue;
    if (++count > (MOST_NAMED as u32)) continue;
    detail
      .bytes(count === 1 ? AS_WELL : SEPARATOR)
      .bytes(call.server.name)
      .bytes(OPENING)
      .bytes(errorRow(call.failure.reason).name)
      .bytes(CLOSING);
  }
  if (count > (MOST_NAMED as u32)) {
    detail
      .bytes(AND)
      .decimal((count - MOST_NAMED) as u64)
      .bytes(MORE);
  }
  failure.detail = detail.written;
  return exchange.refuseWith(failure, first.server);
}
