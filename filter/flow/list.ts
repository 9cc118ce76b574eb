import { make, scratch } from '../bytes/arena';
import { NONE } from '../bytes/span';
import { Answer } from '../federation/answer';
import { FanOut, Lane, newFanOut } from '../federation/fanout';
import { beginHandshake, continueHandshake } from '../federation/handshake';
import { keep, takeCached } from '../federation/list-cache';
import { askForPage, takePage } from '../federation/listing';
import { mergedTools } from '../federation/merge';
import { resultMessage } from '../federation/message';
import { Reason } from '../mcp/errors';
import { mayReach } from '../policy/decision';
import { isResting, rest } from '../session/absent';
import { join, upstreamOf } from '../session/overlay';
import { OFFERS_TOOLS, Session, Upstream } from '../session/token';
import { OUR_INFO } from '../version';
import { audit } from './audit';
import { Exchange, Outcome, Stage } from './exchange';

/** `tools/list`: every page of every server, in one answer without a cursor. */
export function beginList(exchange: Exchange, session: Session): Outcome {
  // Ours has one page: a cursor, also the empty one, is somebody else's.
  if (exchange.envelope.cursor !== 0) return exchange.refuse(Reason.BadCursor);
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  const fanOut = newFanOut(gateway.limits.fanOut, gateway.limits.listTimeout, arena);
  exchange.fanOut = fanOut;
  exchange.stage = Stage.List;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    // A server that has nothing to show here does not learn of the request, nor delay it.
    if (!mayReach(server, exchange.scope)) continue;
    const upstream = upstreamOf(session, server.fingerprint, gateway.keys, arena);
    if (upstream !== null) {
      if ((upstream.offers & OFFERS_TOOLS) === 0) continue;
      const lane = fanOut.add(server, upstream, arena);
      if (takeCached(lane, session, exchange.seconds, gateway.keys, arena)) fanOut.finish(lane);
      else askForPage(lane, NONE, exchange.request.pairs, exchange.now, arena);
    } else if (!isResting(server.fingerprint, exchange.seconds, gateway.keys, scratch)) {
      const fresh = make<Upstream>(arena);
      fresh.fingerprint = server.fingerprint;
      joinFirst(exchange, session, fanOut.add(server, fresh, arena));
    }
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

export function resumeList(exchange: Exchange, session: Session, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  if (lane.joining ? joined(exchange, session, lane, answer) : listed(exchange, session, lane, answer)) {
    fanOut.finish(lane);
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

/** A server that was not there when the session began, or lost its part of it, is asked for a session first. */
function joinFirst(exchange: Exchange, session: Session, lane: Lane): void {
  lane.joining = true;
  lane.upstream.sessionId = NONE;
  beginHandshake(lane, session.revision, OUR_INFO, exchange.request.pairs, exchange.now, exchange.arena);
}

/** True: the lane is done. */
function joined(exchange: Exchange, session: Session, lane: Lane, answer: Answer): bool {
  const keys = exchange.gateway.keys;
  if (!continueHandshake(lane, answer, exchange.request.pairs, scratch, exchange.arena)) return false;
  lane.joining = false;
  if (lane.failed) {
    rest(lane.server.fingerprint, exchange.seconds, keys, scratch);
    return true;
  }
  join(session, lane.upstream, keys, scratch);
  if ((lane.upstream.offers & OFFERS_TOOLS) === 0) return true;
  askForPage(lane, NONE, exchange.request.pairs, exchange.now, exchange.arena);
  return false;
}

/** True: the lane is done. */
function listed(exchange: Exchange, session: Session, lane: Lane, answer: Answer): bool {
  if (answer.status === 404 && lane.upstream.sessionId !== NONE && !lane.rejoined) {
    lane.rejoined = true;
    lane.pages.count = 0;
    lane.bytes = 0;
    joinFirst(exchange, session, lane);
    return false;
  }
  const gateway = exchange.gateway;
  if (!takePage(lane, answer, gateway.limits, exchange.request.pairs, exchange.now, scratch, exchange.arena))
    return false;
  if (!lane.failed) keep(lane, session, exchange.seconds, gateway.keys, scratch);
  return true;
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  // A server that is down does not hide the tools of the others; where none answered, the client must know.
  if (fanOut.lanes.count > 0 && fanOut.firstServed() === null) return exchange.refuseFor(fanOut.at(0));
  audit(exchange, fanOut);
  const tools = mergedTools(fanOut, exchange.scope, exchange.arena);
  return exchange.answer(200, resultMessage(exchange.id, tools, exchange.arena));
}
