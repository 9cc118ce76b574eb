import { scratch } from '../bytes/arena';
import { NONE } from '../bytes/span';
import { terminate } from '../upstream/callout';
import { FanOut, newFanOut } from '../federation/fanout';
import { Answer } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { Server } from '../model/server';
import { markEnded } from '../session/ended';
import { upstreamOf } from '../session/overlay';
import { Session } from '../session/token';
import { Exchange, Outcome } from './exchange';
import { Stage } from './conversation';

/** DELETE: the session ends here at once; the upstreams are told, and what they answer changes nothing (405 is allowed). */
export function beginTerminate(exchange: Exchange, session: Session): Outcome {
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  markEnded(session, gateway.keys, scratch);
  const fanOut = newFanOut(gateway.limits.fanOut, gateway.limits.handshakeTimeout, arena);
  exchange.conversation.begin(Stage.Terminate, fanOut, resume);
  for (let i = 0; i < gateway.servers.count; i++) add(exchange, session, fanOut, gateway.serverAt(i));
  // Requests of one session may have had several credentials.
  const variants = gateway.variants;
  for (let i = 0; variants !== null && i < variants.count; i++) {
    const server = gateway.variantAt(i);
    if (server !== gateway.serverAt(server.index)) add(exchange, session, fanOut, server);
  }
  return fanOut.settled ? exchange.answer(200, NONE) : Outcome.Wait;
}

function add(exchange: Exchange, session: Session, fanOut: FanOut, server: Server): void {
  const arena = exchange.arena;
  const upstream = upstreamOf(session, server.fingerprint, exchange.gateway.keys, arena);
  if (upstream === null || upstream.sessionId === NONE) return;
  const call = fanOut.add(server, upstream, arena);
  call.callout = terminate(server, upstream, exchange.request.pairs, arena);
}

function resume(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, _answer: Answer): Outcome {
  fanOut.finish(call);
  return fanOut.settled ? exchange.answer(200, NONE) : Outcome.Wait;
}
