import { scratch } from '../bytes/arena';
import { Answer } from '../federation/answer';
import { FanOut, Lane, newFanOut } from '../federation/fanout';
import { askForPage, takePage } from '../federation/listing';
import { mergedTools } from '../federation/merge';
import { resultMessage } from '../federation/message';
import { NONE } from '../bytes/span';
import { Reason } from '../mcp/errors';
import { mayReach } from '../policy/decision';
import { OFFERS_TOOLS, Session } from '../session/token';
import { audit } from './audit';
import { Exchange, Outcome } from './exchange';

/** `tools/list`: every page of every server of the session, in one answer without a cursor. */
export function beginList(exchange: Exchange, session: Session): Outcome {
  // Ours has one page: a cursor, also the empty one, is somebody else's.
  if (exchange.envelope.cursor !== 0) return exchange.refuse(Reason.BadCursor);
  const arena = exchange.arena;
  const limits = exchange.gateway.limits;
  const fanOut = newFanOut(limits.fanOut, limits.listTimeout, arena);
  exchange.fanOut = fanOut;
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    // A server that has nothing to show here does not learn of the request, nor delay it.
    if (!mayReach(server, exchange.scope)) continue;
    const upstream = session.upstream(server.fingerprint, arena);
    if (upstream === null || (upstream.offers & OFFERS_TOOLS) === 0) continue;
    askForPage(fanOut.add(server, upstream, arena), NONE, exchange.request.pairs, exchange.now, arena);
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

export function resumeList(exchange: Exchange, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  const limits = exchange.gateway.limits;
  if (takePage(lane, answer, limits, exchange.request.pairs, exchange.now, scratch, exchange.arena)) {
    fanOut.finish(lane);
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  // A server that is down does not hide the tools of the others; where none answered, the client must know.
  if (fanOut.lanes.count > 0 && fanOut.firstServed() === null) return exchange.refuseFor(fanOut.at(0));
  audit(exchange, fanOut);
  const tools = mergedTools(fanOut, exchange.scope, exchange.arena);
  return exchange.answer(200, resultMessage(exchange.id, tools, exchange.arena));
}
