import { make, scratch } from '../bytes/arena';
import { literal } from '../bytes/span';
import { Answer, judge } from '../federation/answer';
import { FanOut, Lane, newFanOut } from '../federation/fanout';
import { beginHandshake, continueHandshake } from '../federation/handshake';
import { Reason } from '../mcp/errors';
import { join } from '../session/overlay';
import { Session, Upstream } from '../session/token';
import { OUR_INFO } from '../version';
import { answerWhole, callAgain } from './relay';
import { sendOn } from './send-on';
import { Exchange, Outcome, Stage } from './exchange';

const LOST_AGAIN = literal('it lost its session again');

/** Opens a session with the server of a call: it was not there when the client's began, or has lost its own since. */
export function beginJoin(exchange: Exchange, session: Session, stage: Stage): Outcome {
  const arena = exchange.arena;
  const server = exchange.target.server;
  exchange.stage = stage;
  const fanOut = newFanOut(1, exchange.gateway.limits.handshakeTimeout, arena);
  exchange.fanOut = fanOut;
  const upstream = make<Upstream>(arena);
  upstream.fingerprint = server.fingerprint;
  const lane = fanOut.add(server, upstream, arena);
  beginHandshake(lane, session.revision, OUR_INFO, exchange.request.pairs, exchange.now, arena);
  return Outcome.Wait;
}

export function resumeJoin(exchange: Exchange, session: Session, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  if (!continueHandshake(lane, answer, exchange.request.pairs, scratch, exchange.arena)) return Outcome.Wait;
  fanOut.finish(lane);
  if (lane.failed) return exchange.refuseFor(lane);
  join(session, lane.upstream, exchange.gateway.keys, scratch);
  const outcome = sendOn(exchange, lane.upstream);
  return exchange.stage === Stage.Join ? outcome : callAgain(exchange, lane.upstream);
}

export function resumeCallAgain(exchange: Exchange, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  const verdict = judge(answer, scratch);
  if (verdict.reason === Reason.UpstreamStatus && answer.status === 404) verdict.set(Reason.UpstreamStatus, LOST_AGAIN);
  if (verdict.reason !== Reason.None) {
    fanOut.fail(lane, verdict, exchange.arena);
    return exchange.refuseFor(lane);
  }
  fanOut.finish(lane);
  return answerWhole(exchange, answer);
}
