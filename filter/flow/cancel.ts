import { scratch } from '../bytes/arena';
import { literal, NONE } from '../bytes/span';
import { member } from '../json/reader';
import { Session } from '../session/token';
import { Exchange, Outcome } from './exchange';
import { tellServers } from './tell';

const REQUEST_ID = literal('requestId');
/** Bytes of a message that goes to every server of a session: a reason may be long, a copy for each must not be. */
const MOST_OF_NOTICE: u32 = 16 << 10;

/**
 * `notifications/cancelled`: the id of a request is the same at its server as here, and unique in the session, so every
 * server of it is told; one that does not know the id ignores it (MCP cancellation).
 */
export function beginCancel(exchange: Exchange, session: Session): Outcome {
  const accepted = exchange.answer(202, NONE);
  const params = exchange.message.envelope.text(exchange.message.body, exchange.message.envelope.params);
  // Without it, it cancels nothing.
  const requestId = member(params, REQUEST_ID, scratch);
  if (requestId === NONE || exchange.message.size > MOST_OF_NOTICE) return accepted;
  return tellServers(exchange, session, exchange.arena.copy(exchange.message.body));
}
