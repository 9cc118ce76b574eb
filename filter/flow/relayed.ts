import { scratch } from '../bytes/arena';
import { literal } from '../bytes/span';
import { Answer, Ending, judge } from '../federation/answer';
import { FanOut, Lane } from '../federation/fanout';
import { Reason } from '../mcp/errors';
import { Exchange, Outcome } from './exchange';
import { answerWhole } from './relay';
import { respondToError } from './response';

const STREAM = literal(
  'the server keeps the event stream of its answer open, which has to stream, and the filters of this pair are in two ' +
    'VMs; give both the same module, vm_id, configuration and environment of the VM',
);

/** What came back for a relayed call, to be told as if it had come by a route. */
export function resumeRelay(exchange: Exchange, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  if (answer.ending === Ending.Unfinished) return exchange.refuse(Reason.HostMode, STREAM);
  const verdict = judge(answer, scratch);
  const itself = verdict.reason === Reason.UpstreamStatus || verdict.reason === Reason.UpstreamUnauthorized;
  if (verdict.reason !== Reason.None && !itself) {
    fanOut.fail(lane, verdict, exchange.arena);
    return exchange.refuseFor(lane);
  }
  fanOut.finish(lane);
  const outcome = itself ? respondToError(exchange, answer.status, answer.contentType) : Outcome.Forward;
  return outcome === Outcome.Forward ? answerWhole(exchange, answer) : outcome;
}
