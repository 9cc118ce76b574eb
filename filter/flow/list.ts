import { make, scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { equals, NONE } from '../bytes/span';
import { Answer } from '../upstream/answer';
import { FanOut, newFanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { keep, takeCached } from '../federation/list-cache';
import { askForPage, takePage } from '../upstream/listing';
import { saysLost } from '../upstream/lost-session';
import { mergedSize, mergedList } from '../federation/merge';
import { resultMessage } from '../upstream/message';
import { Reason } from '../mcp/errors';
import { mayList } from '../policy/decision';
import { Whom } from '../session/backoff';
import { isFutile, markFutile } from '../session/futile';
import { join, upstreamOf } from '../session/overlay';
import { Session, Upstream } from '../session/token';
import { noteUse } from '../session/used';
import { audit } from './audit';
import { reportBrokenTools } from './broken-tools';
import { refuseForAll } from './all-failed';
import { Exchange, Outcome } from './exchange';
import { reportLoss } from './report-loss';
import { Stage } from './conversation';
import { WORKER_MEMORY } from './limits';
import { continueOpening, isLeftAlone, open, Opening } from './opening';

/** `tools/list`, `prompts/list`: every page of every server, in one answer without a cursor. */
export function beginList(exchange: Exchange, session: Session): Outcome {
  // Ours has one page: a cursor, also the empty one, is somebody else's.
  if (exchange.message.envelope.cursor !== 0) return exchange.refuse(Reason.BadCursor);
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  const noun = exchange.noun;
  const fanOut = newFanOut(gateway.limits.fanOut, gateway.limits.listTimeout, arena);
  exchange.conversation.fanOut = fanOut;
  exchange.conversation.stage = Stage.List;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    // A server that has nothing to show here does not learn of the request, nor delay it.
    if (!mayList(noun.noun, server, exchange.caller.scope)) continue;
    const upstream = upstreamOf(session, server.fingerprint, gateway.keys, arena);
    if (upstream !== null) {
      if ((upstream.offers & noun.capability) === 0) continue;
      const call = fanOut.add(server, upstream, arena);
      call.noun = noun;
      if (takeCached(call, session, exchange.request.pairs, exchange.seconds, gateway.keys, arena)) fanOut.finish(call);
      else askFirst(exchange, call);
    } else if (!isLeftAlone(exchange, server, Whom.Unreachable)) {
      const fresh = make<Upstream>(arena);
      fresh.fingerprint = server.fingerprint;
      const call = fanOut.add(server, fresh, arena);
      call.noun = noun;
      if (joinFirst(exchange, session, call)) fanOut.finish(call);
    }
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

export function resumeList(
  exchange: Exchange,
  session: Session,
  fanOut: FanOut,
  call: UpstreamCall,
  answer: Answer,
): Outcome {
  const done = call.joining
    ? afterOpening(exchange, call, continueOpening(exchange, session, call, answer))
    : listed(exchange, session, call, answer);
  if (done) fanOut.finish(call);
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

/** With a tick: whether the sessions are there that other requests open. */
export function pollList(exchange: Exchange, session: Session, fanOut: FanOut): Outcome {
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.parkedAt !== 0 && afterOpening(exchange, call, open(exchange, session, call))) fanOut.finish(call);
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

/**
 * A server that was not there when the session began, or lost its part of it, is asked for a session first. True: the
 * call is done.
 */
function joinFirst(exchange: Exchange, session: Session, call: UpstreamCall): bool {
  call.joining = true;
  return afterOpening(exchange, call, open(exchange, session, call));
}

/** True: the call is done. */
function afterOpening(exchange: Exchange, call: UpstreamCall, opening: Opening): bool {
  if (opening === Opening.Failed) return true;
  if (opening !== Opening.Ready) return false;
  call.joining = false;
  if ((call.upstream.offers & call.noun.capability) === 0) return true;
  askFirst(exchange, call);
  return false;
}

function askFirst(exchange: Exchange, call: UpstreamCall): void {
  askForPage(call, NONE, exchange.request.pairs, exchange.now, exchange.arena);
}

/** True: the call is done. */
function listed(exchange: Exchange, session: Session, call: UpstreamCall, answer: Answer): bool {
  const gateway = exchange.gateway;
  const server = call.server;
  if (call.upstream.sessionId !== NONE && saysLost(answer, scratch)) {
    const lost = call.upstream;
    if (call.before !== null) takeBack(exchange, session, call);
    else if (!isFutile(session, server.fingerprint, lost.sessionId, exchange.seconds, gateway.keys, scratch)) {
      reportLoss(exchange, server, lost);
      call.before = lost;
      call.lost = lost.sessionId;
      call.forgetPages();
      const fresh = make<Upstream>(exchange.arena);
      fresh.fingerprint = server.fingerprint;
      call.upstream = fresh;
      return joinFirst(exchange, session, call);
    }
  }
  const client = exchange.request.pairs;
  if (!takePage(call, answer, session.revision, gateway.limits, client, exchange.now, scratch, exchange.arena)) {
    return false;
  }
  if (call.failed) return true;
  noteUse(session, server.fingerprint, exchange.seconds, gateway.keys, scratch);
  keep(call, session, exchange.request.pairs, exchange.seconds, gateway.keys, scratch);
  return true;
}

/** The new session was of no use: things are as they were, and it ends. */
function takeBack(exchange: Exchange, session: Session, call: UpstreamCall): void {
  const keys = exchange.gateway.keys;
  markFutile(session, call.server.fingerprint, exchange.seconds, keys, scratch);
  if (!call.opened || equals(call.upstream.sessionId, call.lost)) return;
  join(session, call.before!, keys, scratch);
  exchange.conversation.abandon(call.server, call.upstream);
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  // A server that is down does not hide the tools of the others; where none answered, the client must know.
  if (fanOut.calls.count > 0 && fanOut.firstServed() === null) return refuseForAll(exchange, fanOut, fanOut.at(0));
  // The list, then the message that it is in.
  const size = mergedSize(fanOut, exchange.caller.scope);
  if (!hasRoom(2 * size)) return exchange.overload(WORKER_MEMORY);
  audit(exchange, fanOut);
  reportBrokenTools(exchange, fanOut);
  const list = mergedList(exchange.noun, fanOut, size, exchange.arena);
  return exchange.answer(200, resultMessage(exchange.id, list, exchange.arena));
}
