import { make, scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { equals, NONE } from '../bytes/span';
import { Answer } from '../federation/answer';
import { FanOut, Lane, newFanOut } from '../federation/fanout';
import { keep, takeCached } from '../federation/list-cache';
import { askForPage, takePage } from '../federation/listing';
import { saysLost } from '../federation/lost-session';
import { mergedSize, mergedTools } from '../federation/merge';
import { resultMessage } from '../federation/message';
import { Reason } from '../mcp/errors';
import { mayReach } from '../policy/decision';
import { Whom } from '../session/absent';
import { isFutile, markFutile } from '../session/futile';
import { join, upstreamOf } from '../session/overlay';
import { OFFERS_TOOLS, Session, Upstream } from '../session/token';
import { noteUse } from '../session/used';
import { audit } from './audit';
import { reportBrokenTools } from './broken-tools';
import { Exchange, Outcome, Stage } from './exchange';
import { WORKER_MEMORY } from './limits';
import { continueOpening, isLeftAlone, open, Opening } from './opening';

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
      if (takeCached(lane, session, exchange.request.pairs, exchange.seconds, gateway.keys, arena)) fanOut.finish(lane);
      else askFirst(exchange, lane);
    } else if (!isLeftAlone(exchange, server, Whom.Unreachable)) {
      const fresh = make<Upstream>(arena);
      fresh.fingerprint = server.fingerprint;
      const lane = fanOut.add(server, fresh, arena);
      if (joinFirst(exchange, session, lane)) fanOut.finish(lane);
    }
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

export function resumeList(exchange: Exchange, session: Session, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  const done = lane.joining
    ? afterOpening(exchange, lane, continueOpening(exchange, session, lane, answer))
    : listed(exchange, session, lane, answer);
  if (done) fanOut.finish(lane);
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

/** With a tick: whether the sessions are there that other requests open. */
export function pollList(exchange: Exchange, session: Session, fanOut: FanOut): Outcome {
  for (let i = 0; i < fanOut.lanes.count; i++) {
    const lane = fanOut.at(i);
    if (lane.parkedAt !== 0 && afterOpening(exchange, lane, open(exchange, session, lane))) fanOut.finish(lane);
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

/**
 * A server that was not there when the session began, or lost its part of it, is asked for a session first. True: the
 * lane is done.
 */
function joinFirst(exchange: Exchange, session: Session, lane: Lane): bool {
  lane.joining = true;
  return afterOpening(exchange, lane, open(exchange, session, lane));
}

/** True: the lane is done. */
function afterOpening(exchange: Exchange, lane: Lane, opening: Opening): bool {
  if (opening === Opening.Failed) return true;
  if (opening !== Opening.Ready) return false;
  lane.joining = false;
  if ((lane.upstream.offers & OFFERS_TOOLS) === 0) return true;
  askFirst(exchange, lane);
  return false;
}

function askFirst(exchange: Exchange, lane: Lane): void {
  askForPage(lane, NONE, exchange.request.pairs, exchange.now, exchange.arena);
}

/** True: the lane is done. */
function listed(exchange: Exchange, session: Session, lane: Lane, answer: Answer): bool {
  const gateway = exchange.gateway;
  const server = lane.server;
  if (lane.upstream.sessionId !== NONE && saysLost(answer, scratch)) {
    const lost = lane.upstream;
    if (lane.before !== null) takeBack(exchange, session, lane);
    else if (!isFutile(session, server.fingerprint, lost.sessionId, exchange.seconds, gateway.keys, scratch)) {
      lane.before = lost;
      lane.lost = lost.sessionId;
      lane.forgetPages();
      const fresh = make<Upstream>(exchange.arena);
      fresh.fingerprint = server.fingerprint;
      lane.upstream = fresh;
      return joinFirst(exchange, session, lane);
    }
  }
  const client = exchange.request.pairs;
  if (!takePage(lane, answer, session.revision, gateway.limits, client, exchange.now, scratch, exchange.arena)) {
    return false;
  }
  if (lane.failed) return true;
  noteUse(session, server.fingerprint, exchange.seconds, gateway.keys, scratch);
  keep(lane, session, exchange.request.pairs, exchange.seconds, gateway.keys, scratch);
  return true;
}

/** The new session was of no use: things are as they were, and it ends. */
function takeBack(exchange: Exchange, session: Session, lane: Lane): void {
  const keys = exchange.gateway.keys;
  markFutile(session, lane.server.fingerprint, exchange.seconds, keys, scratch);
  if (!lane.opened || equals(lane.upstream.sessionId, lane.lost)) return;
  join(session, lane.before!, keys, scratch);
  exchange.abandon(lane.server, lane.upstream);
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  // A server that is down does not hide the tools of the others; where none answered, the client must know.
  if (fanOut.lanes.count > 0 && fanOut.firstServed() === null) return exchange.refuseFor(fanOut.at(0));
  // The list, then the message that it is in.
  const size = mergedSize(fanOut, exchange.scope);
  if (!hasRoom(2 * size)) return exchange.overload(WORKER_MEMORY);
  audit(exchange, fanOut);
  reportBrokenTools(exchange, fanOut);
  const tools = mergedTools(fanOut, size, exchange.arena);
  return exchange.answer(200, resultMessage(exchange.id, tools, exchange.arena));
}
