import { make, scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { fingerprint, first, NONE } from '../bytes/span';
import { Answer, Ending } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { shareReply } from '../flow/cors';
import { Exchange, Outcome } from '../flow/exchange';
import { completeRefusal } from '../flow/refusal';
import { Stage } from '../flow/conversation';
import { goOnInBatch, resume, serve } from '../flow/dispatch';
import { BUFFERED_BYTES, WORKER_MEMORY } from '../flow/limits';
import { Warning } from '../flow/plan';
import { passesToClient } from '../flow/response';
import { followCookie } from '../flow/sticky-cookie';
import * as header from '../mcp/headers';
import { endedWith } from '../mcp/outcomes';
import { proxy_continue_stream } from '../env';
import { ENTROPY_SIZE, TOKEN_ID_SIZE } from '../session/token';
import { PRODUCT } from '../version';
import { auditMessage } from './audit';
import { send } from './callouts';
import { mindRequest, mindStream } from './cancelled-streams';
import { logDecision } from './decision-log';
import { letGo, ROOM_FOR_BODY } from './held';
import { sendLocalReply } from './local-reply';
import { forward, isCarriedOut } from './modes/table';
import { endWithReply, holdsEnd, leaveTask } from './input-requests';
import { random } from './random';
import { beginRetelling } from './retelling';
import { logFailure, logWarning } from './server-log';
import { Held, Moment, Phase, Stream } from './streams';
import { Action, RESPONSE_STREAM } from './status';
import { watch } from './watch';

/** The one place where an outcome becomes host calls. Returns what is left to do: Forward, Reply or Wait. */
function carry(stream: Stream, exchange: Exchange, outcome: Outcome): Outcome {
  if (outcome === Outcome.Serve) outcome = serve(exchange);
  if (outcome === Outcome.Wait) outcome = wait(stream, exchange);
  for (let batch = exchange.batch; batch !== null && outcome !== Outcome.Wait; batch = exchange.batch) {
    const audit = exchange.gateway.audit;
    if (audit !== null && outcome === Outcome.Reply)
      auditMessage(exchange, audit, endedWith(exchange.plan.reply.reason));
    outcome = hasRoomForAnswer(stream, exchange, outcome)
      ? goOnInBatch(exchange, batch, outcome)
      : batch.overload(exchange, BUFFERED_BYTES);
    if (outcome === Outcome.Wait) outcome = wait(stream, exchange);
  }
  if (outcome === Outcome.Forward) {
    outcome = hasRoomForMade(stream, exchange) ? forward(stream, exchange) : exchange.overload(BUFFERED_BYTES);
    if (outcome === Outcome.Forward || outcome === Outcome.Wait) exchange.sentAt = exchange.now;
    if (outcome === Outcome.Forward) {
      stream.phase = exchange.message.whole ? Phase.Forwarded : Phase.Streaming;
      mindRequest(stream, exchange);
    } else if (outcome === Outcome.Wait) outcome = wait(stream, exchange);
  }
  if (outcome === Outcome.Reply) leaveTask(stream, exchange);
  if (outcome === Outcome.Reply && holdsEnd(stream, exchange)) outcome = endWithReply(stream, exchange);
  if (outcome === Outcome.Pass) passResponse(stream, exchange);
  if (outcome === Outcome.Reply) {
    reply(exchange);
    stream.phase = Phase.Replied;
    stream.held = Held.Not;
  }
  logDecision(stream, exchange, outcome);
  return outcome;
}

/** All of it has come, or the host keeps the rest: what is resumed while parts still come to us can lose one. */
function passResponse(stream: Stream, exchange: Exchange): void {
  stream.held = Held.Not;
  const answer = stream.error;
  if (answer !== null && !passesToClient(exchange, answer)) beginRetelling(stream, exchange);
  if (stream.moment === Moment.Later && !stream.isClosed) proxy_continue_stream(RESPONSE_STREAM);
}

/** Carries it out, and says what the host is to do with the headers or the chunk that it asks about. */
export function act(stream: Stream, exchange: Exchange, outcome: Outcome): Action {
  const done = carry(stream, exchange, outcome);
  if (done !== Outcome.Wait && isCarriedOut(stream)) letGo(stream);
  return done === Outcome.Forward || done === Outcome.Pass ? Action.Continue : Action.Pause;
}

/** The answers of a batch are kept until the last one has come. */
function hasRoomForAnswer(stream: Stream, exchange: Exchange, outcome: Outcome): bool {
  const size: u64 = outcome === Outcome.Reply ? (exchange.plan.reply.body as u32 as u64) : 0;
  return hasRoom(size * ROOM_FOR_BODY) && stream.hold(stream.charged, exchange.gateway.limits.bufferedBytes);
}

/** A body that takes the place of the client's is kept as long as the request. */
function hasRoomForMade(stream: Stream, exchange: Exchange): bool {
  if (!exchange.isAimed || !exchange.target.replacesBody) return true;
  return stream.hold(stream.charged, exchange.gateway.limits.bufferedBytes);
}

function wait(stream: Stream, exchange: Exchange): Outcome {
  if (stream.held === Held.Not) stream.phase = Phase.Waiting;
  else stream.held = Held.Waiting;
  if (exchange.task !== null) mindStream(stream, exchange);
  return sendCallouts(stream, exchange);
}

/**
 * The same while the body is still read: a session is made sure of before the call is released.
 * @param outcome of which only Wait is left to do
 */
export function waitAside(stream: Stream, exchange: Exchange, outcome: Outcome): void {
  if (outcome === Outcome.Wait) sendCallouts(stream, exchange);
}

/** All that may be sent now. A callout that fails at once is answered at once, which may settle the whole. */
function sendCallouts(stream: Stream, exchange: Exchange): Outcome {
  for (let call = nextCall(exchange); call !== null; call = nextCall(exchange)) {
    const timeout = exchange.conversation.fanOut!.remaining(call, exchange.now);
    const size = call.callout!.size;
    if (!hasRoom(size as u64)) return exchange.overload(WORKER_MEMORY);
    if (!stream.send(size, exchange.gateway.limits.bufferedBytes)) return exchange.overload(BUFFERED_BYTES);
    call.sent = call.callout;
    const ending = timeout === 0 ? Ending.NotAsked : send(call.callout!, timeout, stream.root, stream.id, call);
    if (ending === Ending.Response) {
      call.waiting = true;
      continue;
    }
    stream.received(size);
    const answer = make<Answer>(scratch);
    answer.ending = ending;
    const outcome = settle(exchange, call, answer);
    if (outcome !== Outcome.Wait) return outcome;
  }
  const fanOut = exchange.conversation.fanOut!;
  if (fanOut.isParked) watch(stream);
  return exchange.conversation.stage === Stage.Tell && fanOut.isAllSent ? Outcome.Reply : Outcome.Wait;
}

/** The next one of the conversation that is under way now: an answer can begin another. */
function nextCall(exchange: Exchange): UpstreamCall | null {
  return exchange.conversation.fanOut!.next(exchange.now);
}

/** Gives an answer to its flow, and a failure to the log. */
export function settle(exchange: Exchange, call: UpstreamCall, answer: Answer): Outcome {
  followCookie(exchange, call.server, call.upstream, answer.headers);
  const outcome = resume(exchange, call, answer);
  if (call.done && call.failed) {
    logFailure(exchange, call.server, call.failure.reason, call.failure.detail);
  }
  return outcome;
}

function reply(exchange: Exchange): void {
  warn(exchange);
  completeRefusal(exchange);
  const answer = exchange.plan.reply;
  const draft = answer.draft;
  if (draft !== null) {
    const gateway = exchange.gateway;
    const entropy = random(ENTROPY_SIZE, scratch);
    const key = gateway.keys.sealing;
    const token = draft.sealed(
      key,
      entropy,
      exchange.seconds,
      gateway.sessionTtl,
      exchange.caller.audience,
      exchange.arena,
    );
    answer.headers.add(header.SESSION_ID, token);
    exchange.caller.sessionTag = fingerprint(first(entropy, TOKEN_ID_SIZE as u32));
  }
  if (exchange.caller.page !== NONE) shareReply(answer.headers, exchange.caller.page);
  exchange.ended = endedWith(answer.reason);
  answer.headers.add(header.GATEWAY, PRODUCT);
  sendLocalReply(answer.status, answer.reason, answer.body, answer.headers.packed());
}

function warn(exchange: Exchange): void {
  const warnings = exchange.plan.warnings;
  if (warnings === null) return;
  for (let i = 0; i < warnings.count; i++) {
    const warning = changetype<Warning>(warnings.at(i) as usize);
    logWarning(warning.server, warning.line, exchange.gateway.logLevel);
  }
}
