import { scratch } from '../bytes/arena';
import { Answer, Ending } from '../federation/answer';
import { FanOut, Lane } from '../federation/fanout';
import { isCompressed, judge } from '../federation/judge';
import { Reason } from '../mcp/errors';
import { saysLost } from '../federation/lost-session';
import { Exchange, Outcome } from './exchange';
import { beginRenewal } from './lost-session';
import { answerWhole } from './relay';
import { passesAsItIs } from './response';

/** What came back for a relayed call, to be told as if it had come by a route. */
export function resumeRelay(exchange: Exchange, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  if (answer.ending === Ending.Unfinished) return exchange.refuse(exchange.unstreamed, exchange.whyUnstreamed);
  fanOut.finish(lane);
  const session = exchange.session;
  if (session !== null && exchange.forward.inSession && saysLost(answer, scratch)) {
    return beginRenewal(exchange, session, answer, !isCompressed(answer.contentEncoding));
  }
  return tellAsRouted(exchange, lane, answer);
}

/** What came back for a call that was a message of our own. */
export function tellAsRouted(exchange: Exchange, lane: Lane, answer: Answer): Outcome {
  const verdict = judge(answer, lane.server, scratch);
  const passes = answer.ending === Ending.Response && passesAsItIs(answer) && answer.status >= 400;
  if (verdict.reason === Reason.None || passes) return answerWhole(exchange, answer);
  lane.verdict.take(verdict, exchange.arena);
  return exchange.refuseFor(lane);
}
