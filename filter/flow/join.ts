import { make, scratch } from '../bytes/arena';
import { editedPairs } from '../bytes/pairs';
import { Span, after, first, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Answer, judge } from '../federation/answer';
import { Callout } from '../federation/callout';
import { FanOut, Lane, newFanOut } from '../federation/fanout';
import { beginHandshake, continueHandshake } from '../federation/handshake';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { join } from '../session/overlay';
import { Session, Upstream } from '../session/token';
import { OUR_INFO } from '../version';
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

/** The call once more, as a message of our own: the client's stream already has the answer that it must not see. */
function callAgain(exchange: Exchange, upstream: Upstream): Outcome {
  const arena = exchange.arena;
  const target = exchange.target;
  exchange.stage = Stage.CallAgain;
  const fanOut = newFanOut(1, target.server.callTimeout, arena);
  exchange.fanOut = fanOut;
  const lane = fanOut.add(target.server, upstream, arena);
  const callout = make<Callout>(arena);
  callout.cluster = target.server.cluster;
  // Framing is Envoy's, and a compressed answer would reach a client that never sees these headers.
  exchange.forward.headers
    .add(header.CONTENT_LENGTH, NONE)
    .add(header.TRANSFER_ENCODING, NONE)
    .add(header.ACCEPT_ENCODING, NONE);
  callout.headers = editedPairs(exchange.request.pairs, exchange.forward.headers, arena);
  callout.body = newWriter(arena, length(exchange.body) as usize)
    .bytes(first(exchange.body, target.cutFrom))
    .bytes(after(exchange.body, target.cutTo)).written;
  lane.callout = callout;
  return Outcome.Wait;
}

/** The client gets the whole answer at once, event stream or not. */
export function resumeCallAgain(exchange: Exchange, fanOut: FanOut, lane: Lane, answer: Answer): Outcome {
  const verdict = judge(answer, scratch);
  if (verdict.reason === Reason.UpstreamStatus && answer.status === 404) verdict.set(Reason.UpstreamStatus, LOST_AGAIN);
  if (verdict.reason !== Reason.None) {
    fanOut.fail(lane, verdict, exchange.arena);
    return exchange.refuseFor(lane);
  }
  fanOut.finish(lane);
  const body: Span = answer.body === NONE ? NONE : exchange.arena.copy(answer.body);
  const outcome = exchange.answer(answer.status, NONE);
  exchange.reply.body = body;
  if (answer.contentType !== NONE)
    exchange.reply.headers.add(header.CONTENT_TYPE, exchange.arena.copy(answer.contentType));
  return outcome;
}
