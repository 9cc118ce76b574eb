import { scratch } from '../bytes/arena';
import { NONE } from '../bytes/span';
import { Answer } from '../federation/answer';
import { terminate } from '../federation/callout';
import { FanOut, Lane, newFanOut } from '../federation/fanout';
import { Session } from '../session/token';
import { Exchange, Outcome } from './exchange';

/** DELETE: the session ends here at once; the upstreams are told, and what they answer changes nothing (405 is allowed). */
export function beginTerminate(exchange: Exchange, session: Session): Outcome {
  const arena = exchange.arena;
  exchange.endsSession = true;
  const fanOut = newFanOut(exchange.gateway.limits.fanOut, exchange.gateway.limits.handshakeTimeout, arena);
  exchange.fanOut = fanOut;
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    const upstream = session.upstream(server.fingerprint, arena);
    if (upstream === null || upstream.sessionId === NONE) continue;
    const lane = fanOut.add(server, upstream, arena);
    lane.callout = terminate(server, upstream, exchange.request.pairs, arena);
  }
  return fanOut.settled ? exchange.answer(200, NONE) : Outcome.Wait;
}

export function resumeTerminate(exchange: Exchange, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  fanOut.finish(lane);
  return fanOut.settled ? exchange.answer(200, NONE) : Outcome.Wait;
}
