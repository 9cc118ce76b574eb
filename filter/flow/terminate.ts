import { scratch } from '../bytes/arena';
import { NONE } from '../bytes/span';
import { terminate } from '../upstream/callout';
import { FanOut, newFanOut } from '../federation/fanout';
import { Answer } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
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
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    const upstream = upstreamOf(session, server.fingerprint, gateway.keys, arena);
    if (upstream === null || upstream.sessionId === NONE) continue;
    const call = fanOut.add(server, upstream, arena);
    call.callout = terminate(server, upstream, exchange.request.pairs, arena);
  }
  return fanOut.settled ? exchange.answer(200, NONE) : Outcome.Wait;
}

function resume(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, _answer: Answer): Outcome {
  fanOut.finish(call);
  return fanOut.settled ? exchange.answer(200, NONE) : Outcome.Wait;
}
