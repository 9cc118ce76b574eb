import { Lifetime } from '../flow/message';
import { isDrained, isLarge } from '../body/reading';
import { scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, length, NONE } from '../bytes/span';
import { UpstreamCall } from '../upstream/call';
import { ASKED, takeSession } from '../upstream/handshake';
import { Outcome, Exchange, newExchange } from '../flow/exchange';
import { Probe, Stage } from '../flow/conversation';
import { admit, enter, isReleasable, poll, release } from '../flow/dispatch';
import { BUFFERED_BYTES, exceedsRequestBody, mayOutgrowHeldBody, refuseUndecided, WORKER_MEMORY } from '../flow/limits';
import { confirms, hasComeWhole, isOneMessage } from '../flow/passing';
import { behindEndpoint, scanHeaders, readRequest, trustedHeader, TRUSTED_HEADERS } from '../flow/request';
import { behindMetadata } from '../flow/metadata-url';
import { enterOwnPages, isForOperator } from '../flow/own-pages';
import { describeResource } from '../flow/resource-metadata';
import { enterByHeaders } from '../flow/by-headers';
import { Reason } from '../mcp/errors';
import { proxy_set_effective_context } from '../env';
import { hearFrom } from './answer-progress';
import { giveBack } from './budget';
import { read } from './buffers';
import { Pending, readAnswer, takePending } from './callouts';
import { act, settle, waitAside } from './carry';
import { hearCatalog } from './catalog';
import { now } from './clock';
import { mayEndHere, mayFollow, passClosed } from './ending';
import { pairsOf, remove, removeTrailers } from './headers';
import { heldWhole, heldWith, hostHolds, lacksRoom, passOver, readIn, ROOM_FOR_ANSWER, ROOM_FOR_BODY } from './held';
import { refuseUnread } from './local-reply';
import { passState } from './passing-state';
import { observeUpstream } from './metrics';
import { ensureKey } from './process-key';
import { endByHeaders, passByHeaders } from './modes/headers';
import { mayAwaitBody } from './modes/body-evidence';
import { MayRelease, mayRelease, refuseUnreleased } from './modes/pair';
import {
  canHoldBack,
  discard,
  mayServe,
  hasGivenUp,
  isHeldByAnother,
  onBodySeen,
  onHeaders,
  onPart,
  onTrailers,
  onWait,
} from './modes/table';
import { isInChunks, meet } from './peer';
import { decidesByHeaders, Role } from './role';
import { rootOf } from './roots';
import { endAnswered } from './session-endings';
import { arenaOf, Held, Moment, Phase, Stream, streamOf } from './streams';
import { Action, Buffer, HeaderMap, Status } from './status';

/**
 * The way in: a request is read until it can be decided on, and what is sent on before its end is watched. In every host
 * mode alike; how a decision reaches the headers is in modes/.
 */
export function onRequestHeaders(stream: Stream, ended: bool): Action {
  const root = rootOf(stream.root);
  if (root === null) return Action.Continue;
  const headers = pairsOf(HeaderMap.Request);
  if (headers === NONE) {
    // More than there is memory for: what they say of the route must not pass unread.
    refuseUnread(Reason.Overloaded, WORKER_MEMORY);
    return Action.Pause;
  }
  const seen = scanHeaders(headers, scratch);
  // Before anything else, and on every request: routes and later filters trust these.
  for (let i = 0; i < TRUSTED_HEADERS; i++) {
    if ((seen.forged & (1 << i)) !== 0) remove(HeaderMap.Request, trustedHeader(i));
  }
  const behind = behindEndpoint(seen.path, root.gateway.endpoint);
  const described = behind === NONE ? behindMetadata(seen.path, root.gateway) : NONE;
  if (behind === NONE && described === NONE) return Action.Continue;
  if (!hasRoom(0)) {
    refuseUnread(Reason.Overloaded, WORKER_MEMORY);
    stream.phase = Phase.Replied;
    return Action.Pause;
  }

  const arena = arenaOf(stream);
  const request = readRequest(arena.copy(headers), arena);
  if (!ended && !request.hasContentLength) request.isChunked = isInChunks();
  const generation = root.generation.use();
  stream.generation = generation;
  const exchange = newExchange(generation.gateway, request, arena);
  exchange.now = now();
  exchange.beganAt = exchange.now;
  stream.exchange = exchange;
  stream.moment = ended ? Moment.Last : Moment.Midway;
  ensureKey(generation.gateway, generation.arena);
  meet(exchange, isForOperator(behind));
  if (described !== NONE) return describe(stream, exchange, described, ended);
  return onHeaders(stream, ended, enterAt(stream, exchange, behind, ended));
}

function describe(stream: Stream, exchange: Exchange, behind: Span, ended: bool): Action {
  const outcome = describeResource(exchange, behind);
  return onHeaders(stream, ended, ended ? act(stream, exchange, outcome) : drainOn(stream, exchange, ended));
}

function enterAt(stream: Stream, exchange: Exchange, behind: Span, ended: bool): Action {
  if (!mayServe(stream, exchange)) return act(stream, exchange, Outcome.Reply);
  const own = length(behind) === 0 ? Outcome.ReadBody : enterOwnPages(exchange, behind, ended);
  if (own !== Outcome.ReadBody) return ended ? act(stream, exchange, own) : drainOn(stream, exchange, ended);
  if (decidesByHeaders(stream.role)) {
    const outcome = enterByHeaders(exchange, behind, ended);
    if (outcome === Outcome.ReadBody) return readFirst(stream, exchange, ended);
    return outcome === Outcome.Reply && mayAwaitBody(stream)
      ? drainOn(stream, exchange, ended)
      : act(stream, exchange, outcome);
  }
  const outcome = enter(exchange, behind, ended);
  if (outcome === Outcome.ReadBody) {
    stream.phase = Phase.Reading;
    return ended ? decide(stream, exchange) : Action.Pause;
  }
  return outcome === Outcome.Reply ? drainOn(stream, exchange, ended) : act(stream, exchange, outcome);
}

/** Its headers do not decide: the request is held, as in host mode `hold`. */
function readFirst(stream: Stream, exchange: Exchange, ended: bool): Action {
  stream.role = Role.Hold;
  stream.keepsBody = mayOutgrowHeldBody(exchange);
  stream.phase = Phase.Reading;
  return ended ? decide(stream, exchange) : Action.Pause;
}

/** @param size of what the host shows: all that is held, or the chunk where nothing is */
export function onRequestBody(stream: Stream, size: u32, ended: bool): Action {
  const exchange = stream.exchange;
  if (exchange === null) return Action.Continue;
  // While a body is read, the time is of use to a decision only.
  if (ended || stream.phase !== Phase.Reading) exchange.now = now();
  stream.moment = ended ? Moment.Last : Moment.Midway;
  stream.shown = size;
  onBodySeen(stream);
  return onPart(stream, takeChunk(stream, exchange, size, ended));
}

function takeChunk(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  switch (stream.phase) {
    case Phase.Reading:
      return readOn(stream, exchange, size, ended);
    case Phase.Streaming:
      return decidesByHeaders(stream.role)
        ? passByHeaders(stream, exchange, size, ended)
        : streamOn(stream, exchange, size, ended);
    case Phase.Draining:
      exchange.message.envelope.read(passOver(stream, size));
      return drainOn(stream, exchange, ended);
    case Phase.Forwarded:
      return Action.Continue;
    case Phase.Waiting:
      // Watched as it comes, though it does not pass yet.
      if (stream.isHeldBack) streamOn(stream, exchange, size, ended);
      return Action.Pause;
    default:
      return Action.Pause;
  }
}

/** With trailers, no body callback is the last. */
export function onRequestTrailers(stream: Stream): Action {
  const exchange = stream.exchange;
  if (exchange === null) return Action.Continue;
  removeTrailers(HeaderMap.RequestTrailers);
  exchange.now = now();
  stream.moment = Moment.Last;
  stream.hasTrailers = true;
  return onTrailers(stream, takeTrailers(stream, exchange));
}

function takeTrailers(stream: Stream, exchange: Exchange): Action {
  switch (stream.phase) {
    case Phase.Reading:
      return decide(stream, exchange);
    case Phase.Streaming:
      return decidesByHeaders(stream.role) ? endByHeaders(stream, exchange) : endStreamed(stream, exchange);
    case Phase.Draining:
      return act(stream, exchange, Outcome.Reply);
    case Phase.Forwarded:
      return Action.Continue;
    case Phase.Waiting:
      if (stream.isHeldBack) endStreamed(stream, exchange);
      return Action.Pause;
    default:
      return Action.Pause;
  }
}

/** Nothing has been decided: the body is held, small ones to their end. In how many pieces it comes decides nothing. */
function readOn(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  const limits = exchange.gateway.limits;
  const full = lacksRoom(stream, heldWith(stream, size), ROOM_FOR_BODY, limits.bufferedBytes);
  if (full !== NONE) {
    // At once, not at the end of the body: what is held is the problem.
    exchange.message.envelope.read(passOver(stream, size));
    if (!ended) discard(stream);
    return act(stream, exchange, exchange.overload(full));
  }
  const wasClosed = exchange.message.envelope.isClosed;
  const chunk = readIn(stream, exchange.message.envelope, size);
  const held = stream.body.read;
  if (exceedsRequestBody(exchange, held)) return drainOn(stream, exchange, ended);
  const request = exchange.request;
  const endsInTrailers = request.hasTrailer && !request.hasContentLength;
  const releasable = isLarge(held, limits.heldBody, endsInTrailers) && isReleasable(exchange, limits.heldBody);
  if (held > limits.heldBody && !releasable) {
    refuseUndecided(exchange, held);
    if (!ended && hasGivenUp(stream, held, limits.heldBody)) {
      beginDrain(stream);
      return Action.Pause;
    }
    return drainOn(stream, exchange, ended);
  }
  if (held > limits.heldBody && mayRelease(stream) === MayRelease.No) {
    refuseUnreleased(exchange);
    return drainOn(stream, exchange, ended);
  }
  if (wasClosed && held > limits.heldBody && !mayFollow(stream, exchange, length(chunk) as u32)) {
    return drainOn(stream, exchange, ended);
  }
  if (ended) return decide(stream, exchange);
  if (!releasable || stream.staysHeld) return Action.Pause;
  const closes = exchange.message.envelope.isClosed;
  // Nearly all of it is here. Its end is waited for, unless that would be too much for who holds it.
  if (closes && (wasClosed || held <= limits.heldBody || !isHeldByAnother(stream) || !isOneMessage(exchange))) {
    return Action.Pause;
  }
  if (exchange.conversation.probe === Probe.UnderWay) {
    if (held <= limits.heldBody / 2) return Action.Pause;
    // There is no room to wait any longer.
    exchange.conversation.probe = Probe.Done;
  }
  const action = sendOnEarly(stream, exchange, held);
  return closes && stream.phase === Phase.Streaming ? passEnd(stream, exchange, chunk, false) : action;
}

function sendOnEarly(stream: Stream, exchange: Exchange, held: u32): Action {
  exchange.now = now();
  if (mayRelease(stream) !== MayRelease.Yes && held <= exchange.gateway.limits.heldBody) return Action.Pause;
  exchange.message.body = heldWhole(stream);
  exchange.message.size = held;
  exchange.message.passed = held as u64;
  exchange.message.canHoldBack = canHoldBack(stream);
  const outcome = release(exchange);
  if (outcome === Outcome.Reply) return drainOn(stream, exchange, false);
  if (outcome !== Outcome.ReadBody) return actOnBody(stream, exchange, outcome);
  if (exchange.conversation.probe === Probe.UnderWay) waitAside(stream, exchange, Outcome.Wait);
  else stream.staysHeld = true;
  return Action.Pause;
}

/** The reply is known, and waits until enough of the body has come. */
function drainOn(stream: Stream, exchange: Exchange, ended: bool): Action {
  beginDrain(stream);
  if (!ended) {
    const most = exchange.gateway.limits.drainBytes;
    if (!isDrained(stream.body.read, stream.drainedFrom, most, exchange.message.envelope.awaitsId)) return Action.Pause;
    discard(stream);
  }
  return act(stream, exchange, Outcome.Reply);
}

function beginDrain(stream: Stream): void {
  if (stream.phase === Phase.Draining) return;
  stream.phase = Phase.Draining;
  stream.drainedFrom = stream.body.read;
}

/** Released: chunks pass as they come, but for the end, see ending.ts. */
function streamOn(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  exchange.message.passed += size as u64;
  // What is not read must not pass.
  if (!hasRoom(size as u64)) return act(stream, exchange, exchange.overload(WORKER_MEMORY));
  const chunk = read(Buffer.RequestBody, 0, size as usize);
  const envelope = exchange.message.envelope;
  const wasClosed = envelope.isClosed;
  envelope.read(chunk);
  if (exceedsRequestBody(exchange, exchange.message.passed)) return act(stream, exchange, Outcome.Reply);
  const last = ended || hasComeWhole(exchange);
  if (!confirms(exchange, last || envelope.isClosed)) return act(stream, exchange, Outcome.Reply);
  const passing = passState(stream, exchange, chunk);
  if (passing === NONE) return act(stream, exchange, Outcome.Reply);
  return envelope.isClosed ? passEnd(stream, exchange, chunk, wasClosed, ended, passing) : Action.Continue;
}

/** The document is closed, in this chunk or before. @param passing what goes on of the chunk: up to there it may be another */
function passEnd(
  stream: Stream,
  exchange: Exchange,
  chunk: Span,
  wasClosed: bool,
  ended: bool = false,
  passing: Span = chunk,
): Action {
  const behind = wasClosed ? length(passing) : length(chunk) - (exchange.message.envelope.closingOffset(chunk) as i32);
  const closing = (length(passing) - behind) as u32;
  const passes = passClosed(stream, exchange, passing, closing, ended || hasComeWhole(exchange));
  return passes ? Action.Continue : act(stream, exchange, Outcome.Reply);
}

function endStreamed(stream: Stream, exchange: Exchange): Action {
  if (confirms(exchange, true) && mayEndHere(stream, exchange)) return Action.Continue;
  return act(stream, exchange, Outcome.Reply);
}

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

function decide(stream: Stream, exchange: Exchange): Action {
  exchange.message.lifetime = stream.body.isSmall
    ? Lifetime.Stream
    : hostHolds(stream)
      ? Lifetime.Callback
      : Lifetime.Request;
  exchange.message.body = heldWhole(stream);
  return actOnBody(stream, exchange, admit(exchange));
}

function actOnBody(stream: Stream, exchange: Exchange, outcome: Outcome): Action {
  const action = act(stream, exchange, outcome);
  if (stream.phase === Phase.Waiting) onWait(stream, exchange);
  return action;
}
