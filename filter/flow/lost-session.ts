import { make, scratch } from '../bytes/arena';
import { equals, NONE } from '../bytes/span';
import { Answer, Ending } from '../upstream/answer';
import { newFanOut, FanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { post } from '../upstream/callout';
import { reportLoss } from './report-loss';
import { saysLost } from '../upstream/lost-session';
import { newRequestId, requestMessage } from '../upstream/message';
import { eraOf } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { mayMeanLostSession } from '../mcp/lost-session';
import { Method, methodText } from '../mcp/methods';
import { isFutile, markFutile, markResendable } from '../session/futile';
import { Session, Upstream } from '../session/token';
import { noteUse } from '../session/used';
import { keepUpstream } from './dialect';
import { Exchange, Outcome } from './exchange';
import { FirstAnswer, Probe, Resume, Stage } from './conversation';
import { beginJoin } from './join';
import { answerWhole, callAgain } from './relay';
import { doubtEra, mayBeOfOtherEra, saysOtherEra } from './other-era';
import { tellAsRouted } from './relayed';
import { respondToError } from './response';
import { mayBeRewritten, rewritten } from './rewriting';
import { sendOn } from './send-on';
import { callOff } from './tell';
import { asWritten } from './translation';

/**
 * A server that does not know the session any more in which it was sent a call (MCP transports: session management). It
 * did not run the call, so where the body is still here, a new session and the same call once more are unseen by the
 * client. Where the body has streamed away the session is renewed, and the client is told to send its call again.
 *
 *     answer ──▶ [ ping ] ──▶ initialize ──▶ initialized ──▶ the call again ──▶ its answer, or the first one
 *
 * Where the answer to the repetition is the same as the first one, the client gets the first, and for a while such an
 * answer is taken as what it says.
 */

const STEP = 1;
/** MCP: a server answers so where it does not know the session. What else it may say can be about the call. */
const CERTAIN: u32 = 404;

/** Whether a response with this status to what was sent on may mean it. */
export function mayBeRenewed(exchange: Exchange, status: u32): bool {
  // What a response answers was asked in the session that is lost; and a stream that never ends cannot be repeated.
  if (exchange.isResponse || exchange.isForEvents) return false;
  if (exchange.caller.session === null) return false;
  return exchange.plan.forward.inSession ? mayMeanLostSession(status) : mayBeOfOtherEra(exchange, status);
}

/** Whether it does mean it. @param answer with its body, as far as it can be read */
export function meansRenewal(exchange: Exchange, answer: Answer): bool {
  return exchange.plan.forward.inSession ? saysLost(answer, scratch) : saysOtherEra(exchange, answer);
}

/** @param answer the first one, which `meansRenewal`. @param isRead that was seen of its body too */
export function beginRenewal(exchange: Exchange, session: Session, answer: Answer, isRead: bool): Outcome {
  const arena = exchange.arena;
  const first = make<FirstAnswer>(arena);
  exchange.conversation.first = first;
  first.status = answer.status;
  first.contentType = arena.copy(answer.contentType);
  first.upstream = exchange.plan.forward.upstream;
  first.body = arena.copy(answer.body);

  const server = exchange.target.server;
  const keys = exchange.gateway.keys;
  const lost = first.upstream.sessionId;
  if (isFutile(session, server.fingerprint, lost, exchange.seconds, keys, scratch)) return giveFirst(exchange);
  if (!exchange.plan.forward.inSession) {
    doubtEra(exchange, server);
    return beginJoin(exchange, session, goOnInNewSession);
  }
  reportLoss(exchange, server, first.upstream);
  if (answer.status === CERTAIN && isRead) return beginJoin(exchange, session, goOnInNewSession, lost);
  return beginPing(exchange, first.upstream, resumeCheck);
}

/** Whether the call can be made once more. */
function isAtHand(exchange: Exchange): bool {
  return exchange.message.isKept && exchange.message.whole;
}

/** In the session that there is now, whoever opened it; without one the client gets the first answer. */
function goOnInNewSession(exchange: Exchange, fanOut: FanOut): Outcome {
  if (fanOut.at(0).failed) return giveFirst(exchange);
  const session = exchange.caller.session!;
  const upstream = fanOut.at(0).upstream;
  // It speaks what it was asked in: that was no matter of eras.
  if (!exchange.plan.forward.inSession && eraOf(upstream.revision) === eraOf(exchange.plan.forward.upstream.revision)) {
    return giveFirst(exchange);
  }
  if (isAtHand(exchange)) {
    asWritten(exchange.target);
    const outcome = sendOn(exchange, upstream);
    return outcome === Outcome.Forward ? callAgain(exchange, upstream, resumeCallAgain) : outcome;
  }
  const server = exchange.target.server;
  const keys = exchange.gateway.keys;
  markResendable(session, server.fingerprint, upstream.sessionId, exchange.seconds, keys, scratch);
  return exchange.refuse(Reason.UpstreamSessionLost, NONE, server.name);
}

function resumeCallAgain(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  fanOut.finish(call);
  if (answer.status === exchange.conversation.first.status && meansRenewal(exchange, answer))
    return takeBack(exchange, exchange.caller.session!);
  const outcome = tellAsRouted(exchange, call, answer);
  return answer.ending === Ending.Unfinished ? callOff(exchange, call.server, call.upstream) : outcome;
}

/** The new session was of no use: things are as they were, and it ends. */
function takeBack(exchange: Exchange, session: Session): Outcome {
  const server = exchange.target.server;
  const keys = exchange.gateway.keys;
  markFutile(session, server.fingerprint, exchange.seconds, keys, scratch);
  const opened = exchange.conversation.opened;
  // A server that gives every session the same id has one.
  if (opened !== null && !equals(opened.sessionId, exchange.conversation.first.upstream.sessionId)) {
    keepUpstream(exchange, session, exchange.conversation.first.upstream);
    exchange.conversation.abandon(server, opened);
  }
  return giveFirst(exchange);
}

/** The client gets what the server answered to begin with. */
function giveFirst(exchange: Exchange): Outcome {
  const first = exchange.conversation.first;
  exchange.plan.forward.upstream = first.upstream;
  const answer = make<Answer>(scratch);
  answer.status = first.status;
  answer.contentType = first.contentType;
  answer.body = first.body;
  // Where the host has kept a response back, its body comes when it goes on.
  if (first.body === NONE && !exchange.plan.relayed) return Outcome.Pass;
  const outcome = respondToError(exchange, answer);
  if (outcome !== Outcome.Forward) return outcome;
  return exchange.plan.relayed || changes(exchange, answer) ? answerWhole(exchange, answer) : Outcome.Pass;
}

/** Whether an answer names resources as only its server does. What the host has kept back goes on as it is. */
function changes(exchange: Exchange, answer: Answer): bool {
  if (!mayBeRewritten(exchange, answer.contentType)) return false;
  return !equals(rewritten(exchange, answer.contentType, answer.body), answer.body);
}

/** Asks whether a session is alive that a call is about to be sent on in which cannot be repeated. */
export function probe(exchange: Exchange, upstream: Upstream): Outcome {
  return beginPing(exchange, upstream, resumeProbe);
}

/** Asks whether a session is alive. */
function beginPing(exchange: Exchange, upstream: Upstream, resume: Resume): Outcome {
  const arena = exchange.arena;
  const fanOut = newFanOut(1, exchange.gateway.limits.handshakeTimeout, arena);
  exchange.conversation.begin(Stage.Ask, fanOut, resume);
  const call = fanOut.add(exchange.target.server, upstream, arena);
  const body = requestMessage(newRequestId(exchange.now, STEP, arena), methodText(Method.Ping), NONE, arena);
  call.callout = post(call.server, upstream, body, exchange.request.pairs, arena);
  return Outcome.Wait;
}

/** A call that cannot be repeated goes on in a session that is alive, as far as that can be known. */
function resumeProbe(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  fanOut.finish(call);
  const session = exchange.caller.session!;
  const server = call.server;
  const keys = exchange.gateway.keys;
  if (saysLost(answer, scratch)) return beginJoin(exchange, session, releaseInSession, call.upstream.sessionId);
  if (answer.ending === Ending.Response && answer.status === 200) {
    noteUse(session, server.fingerprint, exchange.seconds, keys, scratch);
  }
  return releaseTo(exchange, call.upstream);
}

/** Where the rest of a body cannot be held back, its next part releases it. */
function releaseTo(exchange: Exchange, upstream: Upstream): Outcome {
  exchange.conversation.probe = Probe.Done;
  return exchange.mayWait ? sendOn(exchange, upstream) : Outcome.ReadBody;
}

/** It was asked, and knows the session no more: the call is released in a new one, or fails as it would have. */
function releaseInSession(exchange: Exchange, fanOut: FanOut): Outcome {
  return releaseTo(exchange, fanOut.at(0).upstream);
}

/** Where it is alive, the answer that may have said otherwise was about something else. */
function resumeCheck(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  fanOut.finish(call);
  if (!saysLost(answer, scratch)) return giveFirst(exchange);
  return beginJoin(exchange, exchange.caller.session!, goOnInNewSession, call.upstream.sessionId);
}
