import { scratch } from '../bytes/arena';
import { Span, literal, NONE } from '../bytes/span';
import { Answer, Ending, isEventStream, isJsonType, otherTypeText } from '../upstream/answer';
import { FanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { isProtocolError, isUnanswered } from '../upstream/faults';
import { isCompressed, judge } from '../upstream/judge';
import { Reason } from '../mcp/errors';
import { saysLost } from '../upstream/lost-session';
import { taskIn } from '../response/input-reader';
import { Exchange, Outcome } from './exchange';
import { beginRenewal, mayBeRenewed, meansRenewal } from './lost-session';
import { pollTask, takeTask } from './polled-task';
import { answerWhole } from './relay';
import { answerRest } from './rest-answer';
import { passesToClient } from './response';
import { hasAnswer, isAwaited, NO_RESPONSE } from './success';
import { callOff } from './tell';

const DROPPED = literal('the server ended it, or its answer is larger than Envoy buffers');

/** What came back for a relayed call, to be told as if it had come by a route. */
export function resumeRelay(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  if (answer.ending === Ending.Unfinished) {
    exchange.refuse(exchange.plan.unstreamed, exchange.plan.whyUnstreamed);
    return exchange.target.tool === null ? callOff(exchange, call.server, call.upstream) : Outcome.Reply;
  }
  fanOut.finish(call);
  if (exchange.target.tool !== null) return tellRest(exchange, call, answer);
  const session = exchange.caller.session;
  if (session !== null && answer.ending === Ending.Response && mayBeAnew(exchange, answer)) {
    return beginRenewal(exchange, session, answer, !isCompressed(answer.contentEncoding));
  }
  return tellAsRouted(exchange, call, answer);
}

/** Whether the call can be made once more. An answer of 200 can say so, too. */
function mayBeAnew(exchange: Exchange, answer: Answer): bool {
  if (exchange.plan.forward.inSession) return !exchange.isResponse && saysLost(answer, scratch);
  return mayBeRenewed(exchange, answer.status) && meansRenewal(exchange, answer);
}

/** The answer of a REST service, or what Envoy says in its stead. */
function tellRest(exchange: Exchange, call: UpstreamCall, answer: Answer): Outcome {
  const failure = judge(answer, call.server, scratch);
  if (isDropped(answer)) failure.set(Reason.UpstreamDropped, DROPPED);
  const isEnvoys =
    failure.reason === Reason.UpstreamUnreachable ||
    failure.reason === Reason.UpstreamTimeout ||
    isProtocolError(answer);
  if (answer.ending !== Ending.Response || isEnvoys || failure.reason === Reason.UpstreamDropped) {
    call.failure.take(failure, exchange.arena);
    return exchange.refuseFor(call);
  }
  return answerRest(exchange, answer);
}

/** What came back for a call that was a message of our own. */
export function tellAsRouted(exchange: Exchange, call: UpstreamCall, answer: Answer): Outcome {
  const failure = judge(answer, call.server, scratch);
  const passes = answer.ending === Ending.Response && passesToClient(exchange, answer) && answer.status >= 400;
  if (
    failure.reason === Reason.None &&
    !passes &&
    isAwaited(exchange) &&
    !hasAnswer(exchange, answer.contentType, answer.body)
  ) {
    failure.set(Reason.UpstreamProtocol, whyNot(answer));
  }
  const task: Span =
    failure.reason === Reason.None && exchange.target.takesTasks && answer.body !== NONE
      ? taskIn(answer.body, isEventStream(answer.contentType), scratch)
      : NONE;
  if (task !== NONE) return takeTask(exchange, task) ? pollTask(exchange) : Outcome.Reply;
  if (failure.reason === Reason.None || passes) return answerWhole(exchange, answer);
  if (isDropped(answer)) failure.set(Reason.UpstreamDropped, DROPPED);
  call.failure.take(failure, exchange.arena);
  return exchange.refuseFor(call);
}

/** It may have run: the connection was there, and ended before the answer, or in it. */
function isDropped(answer: Answer): bool {
  return answer.ending === Ending.Broken || isUnanswered(answer);
}

function whyNot(answer: Answer): Span {
  const type = answer.contentType;
  return isJsonType(type) || isEventStream(type) || answer.body === NONE ? NO_RESPONSE : otherTypeText(type, scratch);
}
