import { Span } from '../bytes/span';
import { post } from '../upstream/callout';
import { newFanOut } from '../federation/fanout';
import { mayReach } from '../policy/decision';
import { upstreamOf } from '../session/overlay';
import { Session } from '../session/token';
import { Exchange, Outcome } from './exchange';
import { Stage } from './conversation';

/**
 * A message that goes to every server of a session, because which of them it concerns is not known here. What they answer
 * changes nothing, and nobody waits for it: the client has its reply, which is there already, once the last one was sent.
 * `limits.fanOut` bounds how many are under way at once.
 */
export function tellServers(exchange: Exchange, session: Session, message: Span): Outcome {
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  const fanOut = newFanOut(gateway.limits.fanOut, gateway.limits.handshakeTimeout, arena);
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (!mayReach(server, exchange.caller.scope)) continue;
    const upstream = upstreamOf(session, server.fingerprint, gateway.keys, arena);
    if (upstream === null) continue;
    const call = fanOut.add(server, upstream, arena);
    call.callout = post(server, upstream, message, exchange.request.pairs, arena);
  }
  if (fanOut.settled) return Outcome.Reply;
  exchange.conversation.fanOut = fanOut;
  exchange.conversation.stage = Stage.Tell;
  return Outcome.Wait;
}
