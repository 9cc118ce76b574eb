import { NONE } from '../bytes/span';
import { Probe, Stage } from '../flow/conversation';
import { poll } from '../flow/dispatch';
import { Exchange, Outcome } from '../flow/exchange';
import { BUFFERED_BYTES } from '../flow/limits';
import { UpstreamCall } from '../upstream/call';
import { ASKED, takeSession } from '../upstream/session-dialect';
import { proxy_set_effective_context } from '../env';
import { hearFrom } from './answer-progress';
import { giveBack } from './budget';
import { Pending, readAnswer, takePending } from './callouts';
import { act, settle, waitAside } from './carry';
import { hearCatalog } from './catalog';
import { now } from './clock';
import { lacksRoom, ROOM_FOR_ANSWER } from './held';
import { observeUpstream } from './metrics';
import { endAnswered } from './session-endings';
import { Status } from './status';
import { arenaOf, Held, Moment, Phase, Stream, streamOf } from './streams';

/** Answers to callouts, and what else takes a conversation with servers further. None is a callback of the request. */

/** Comes even for a stream that is gone. */
export function onCalloutResponse(token: u32, headerCount: i32, bodySize: i32): void {
  const entry = takePending(token);
  if (entry === null) return;
  if (entry.isForCatalog) {
    hearCatalog(entry, headerCount, bodySize);
    heap.free(changetype<usize>(entry));
    return;
  }
  const stream = streamOf(entry.stream);
  if (stream === null) giveBack(entry.size as u64);
  else stream.received(entry.size);
  const call = entry.call;
  if (stream === null) endAnswered(entry, headerCount);
  else if (call !== null) {
    if (isAwaited(stream, call)) hearAnswer(stream, entry, call, headerCount, bodySize);
    else overhear(stream, entry, call, headerCount);
  }
  heap.free(changetype<usize>(entry));
}

/** Whether it belongs to the conversation that is under way. */
function isAwaited(stream: Stream, call: UpstreamCall): bool {
  const exchange = stream.exchange!;
  if (!call.waiting || call.done) return false;
  if (stream.phase === Phase.Waiting || stream.held === Held.Waiting) return true;
  return stream.phase === Phase.Reading && exchange.conversation.probe === Probe.UnderWay;
}

function hearAnswer(stream: Stream, entry: Pending, call: UpstreamCall, headerCount: i32, bodySize: i32): void {
  const exchange = stream.exchange!;
  exchange.now = now();
  // What a token endpoint takes is no time of the server's.
  if (exchange.conversation.stage !== Stage.Exchange) {
    observeUpstream(call.server.label, entry.sentAt, exchange.now);
  }
  hearFrom(exchange, entry.sentAt, exchange.now);
  const most = exchange.gateway.limits.bufferedBytes;
  const held = stream.charged;
  let full = lacksRoom(stream, held + (bodySize as u32), ROOM_FOR_ANSWER, most);
  // Readable in this context only: before the switch to the stream's.
  const answer = full === NONE ? readAnswer(entry, headerCount, bodySize) : null;
  if (proxy_set_effective_context(stream.id) !== Status.Ok) return;
  let outcome: Outcome = answer === null ? Outcome.Wait : settle(exchange, call, answer);
  // What is needed of it is in the arena now.
  if (full === NONE && !stream.hold(held, most)) full = BUFFERED_BYTES;
  if (full !== NONE && outcome === Outcome.Wait) {
    if (stream.phase === Phase.Reading) stream.phase = Phase.Waiting;
    outcome = exchange.overload(full);
  }
  goOn(stream, exchange, outcome);
}

/** The request was answered meanwhile: what this has begun at the server is ended with it. */
function overhear(stream: Stream, entry: Pending, call: UpstreamCall, headerCount: i32): void {
  call.waiting = false;
  const answer = readAnswer(entry, headerCount, 0);
  if (call.step === ASKED) takeSession(call.upstream, answer, call.server.stickyCookie, arenaOf(stream));
}

/** With a tick, in the stream's context: what its calls wait for may have come. */
export function lookAtParked(stream: Stream): void {
  const exchange = stream.exchange!;
  exchange.now = now();
  goOn(stream, exchange, poll(exchange));
}

/** In a callback that is not of the request. */
function goOn(stream: Stream, exchange: Exchange, outcome: Outcome): void {
  if (stream.phase === Phase.Reading) {
    waitAside(stream, exchange, outcome);
    return;
  }
  stream.moment = Moment.Later;
  act(stream, exchange, outcome);
}
