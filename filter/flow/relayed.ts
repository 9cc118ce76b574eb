import { scratch } from '../bytes/arena';
import { literal } from '../bytes/span';
import { Answer, Ending, isCompressed, judge } from '../federation/answer';
import { FanOut, Lane } from '../federation/fanout';
import { Reason } from '../mcp/errors';
import { saysLost } from '../federation/lost-session';
import { Exchange, Outcome } from './exchange';
import { beginRenewal } from './lost-session';
import { answerWhole } from './relay';
import { respondToError } from './response';

const STREAM = literal(
  'the server keeps the event stream of its answer open, which has to stream, and the filters of this pair are in two ' +
    'VMs; give both the same module, vm_id, configuration and environment of the VM',
);

/** What came back for a relayed call, to be told as if it had come by a route. */
export function resumeRelay(exchange: Exchange, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  if (answer.ending === Ending.Unfinished) return exchange.refuse(Reason.HostMode, STREAM);
  fanOut.finish(lane);
  const session = exchange.session;
  if (session !== null && exchange.forward.inSession && saysLost(answer, scratch)) {
    return beginRenewal(exchange, session, answer, !isCompressed(answer.contentEncoding));
  }
  return tellAsRouted(exchange, lane, answer);
}

/** What came back for a call that was a message of our own. */
export function tellAsRouted(exchange: Exchange, lane: Lane, answer: Answer): Outcome {
  const verdict = judge(answer, scratch);
  const itself = verdict.reason === Reason.UpstreamStatus || verdict.reason === Reason.UpstreamUnauthorized;
  if (verdict.reason !== Reason.None && !itself) {
    lane.verdict.set(verdict.reason, exchange.arena.copy(verdict.detail));
    return exchange.refuseFor(lane);
  }
  const outcome = itself ? respondToError(exchange, answer.status, answer.contentType) : Outcome.Forward;
  return outcome === Outcome.Forward ? answerWhole(exchange, answer) : outcome;
}
