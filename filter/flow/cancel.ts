import { scratch } from '../bytes/arena';
import { literal, NONE } from '../bytes/span';
import { post } from '../federation/callout';
import { newFanOut } from '../federation/fanout';
import { member } from '../json/reader';
import { mayReach } from '../policy/decision';
import { upstreamOf } from '../session/overlay';
import { Session } from '../session/token';
import { Exchange, Outcome } from './exchange';

const REQUEST_ID = literal('requestId');
/** Bytes of a message that goes to every server of a session: a reason may be long, a copy for each must not be. */
const MOST_OF_NOTICE: u32 = 16 << 10;

/**
 * `notifications/cancelled`: which server runs the request is not known here, and its id is the same at all of them and
 * unique in the session, so every server of the session is told; one that does not know the id ignores it (MCP
 * cancellation). Nobody waits for them: the client has its 202 at once.
 */
export function beginCancel(exchange: Exchange, session: Session): Outcome {
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  const params = exchange.envelope.text(exchange.body, exchange.envelope.params);
  // Without it, it cancels nothing.
  const requestId = member(params, REQUEST_ID, scratch);
  if (requestId !== NONE && exchange.size <= MOST_OF_NOTICE) {
    const notices = newFanOut(gateway.limits.fanOut, gateway.limits.handshakeTimeout, arena);
    for (let i = 0; i < gateway.servers.count; i++) {
      const server = gateway.serverAt(i);
      if (!mayReach(server, exchange.scope)) continue;
      const upstream = upstreamOf(session, server.fingerprint, gateway.keys, arena);
      if (upstream === null) continue;
      const lane = notices.add(server, upstream, arena);
      lane.callout = post(server, upstream, exchange.body, exchange.request.pairs, arena);
    }
    exchange.notices = notices;
  }
  return exchange.answer(202, NONE);
}
