import { Span, length, literal, NONE } from '../bytes/span';
import { Exchange } from '../flow/exchange';
import { keptOfState, partWithState } from '../flow/request-state';
import { replaceAll } from './buffers';
import { lacksRoom, ROOM_FOR_BODY } from './held';
import { Buffer } from './status';
import { Stream } from './streams';

const EMPTY = literal('');

/**
 * The state that a request repeats, in a body that was sent on before its end: its server gets its own in the place of the
 * client's. What has come of it waits here for the rest.
 * @param part that was read last, all that the host shows
 * @returns what goes on in its place. NONE: it is cut off, and `exchange.reply` says why
 */
export function passState(stream: Stream, exchange: Exchange, part: Span): Span {
  if (length(part) === 0) return EMPTY;
  const passing = partWithState(exchange, part);
  if (passing === part || passing === NONE) return passing;
  const kept = keptOfState(exchange);
  const full = lacksRoom(stream, kept, ROOM_FOR_BODY, exchange.gateway.limits.bufferedBytes);
  if (full !== NONE) {
    exchange.overload(full);
    return NONE;
  }
  replaceAll(Buffer.RequestBody, passing);
  return passing;
}
