import { scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, length, NONE } from '../bytes/span';
import { isDrained } from '../body/reading';
import { admit, enterPath, release } from '../flow/dispatch';
import { Outcome, Exchange, newExchange } from '../flow/exchange';
import { mayOutgrowHeldBody, WORKER_MEMORY } from '../flow/limits';
import { behindMetadata } from '../flow/metadata-url';
import { isForOperator } from '../flow/own-pages';
import { hasComeWhole, mayFollow, passEnd } from '../flow/passing';
import { afterPart, Next } from '../flow/reading';
import { behindEndpoint, scanHeaders, readRequest, trustedHeader, TRUSTED_HEADERS } from '../flow/request';
import { describeResource } from '../flow/resource-metadata';
import { Reason } from '../mcp/errors';
import { act, waitAside } from './carry';
import { now } from './clock';
import { pairsOf, remove, removeTrailers } from './headers';
import { heldWhole, heldWith, hostHolds, lacksRoom, passOver, readIn, ROOM_FOR_BODY } from './held';
import { refuseUnread } from './local-reply';
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
import { end, pass, passOn } from './passing';
import { isInChunks, meet } from './peer';
import { ensureKey } from './process-key';
import { decidesByHeaders, Role } from './role';
import { rootOf } from './roots';
import { arenaOf, Moment, Phase, Stream } from './streams';
import { Action, HeaderMap } from './status';

/**
 * The callbacks of a request, in every host mode alike: it is read until it can be decided on. When that is, and what is
 * refused, is in ../flow/; how a decision reaches the headers is in modes/.
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
  if (described !== NONE)
    return onHeaders(stream, ended, begin(stream, exchange, describeResource(exchange, described), ended));
  if (!mayServe(stream, exchange)) return onHeaders(stream, ended, act(stream, exchange, Outcome.Reply));
  const outcome = enterPath(exchange, behind, ended, decidesByHeaders(stream.role));
  return onHeaders(stream, ended, begin(stream, exchange, outcome, ended));
}

/** @param outcome of the headers alone */
function begin(stream: Stream, exchange: Exchange, outcome: Outcome, ended: bool): Action {
  if (outcome === Outcome.ReadBody) {
    if (decidesByHeaders(stream.role)) {
      // They do not decide: it is held, as in host mode `hold`.
      stream.role = Role.Hold;
      stream.keepsBody = mayOutgrowHeldBody(exchange);
    }
    stream.phase = Phase.Reading;
    return ended ? decide(stream, exchange) : Action.Pause;
  }
  if (outcome !== Outcome.Reply || ended || !mayAwaitBody(stream)) return act(stream, exchange, outcome);
  return drainOn(stream, exchange, ended);
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
      return pass(stream, exchange, size, ended);
    case Phase.Draining:
      exchange.message.envelope.read(passOver(stream, size));
      return drainOn(stream, exchange, ended);
    case Phase.Forwarded:
      return Action.Continue;
    case Phase.Waiting:
      // Watched as it comes, though it does not pass yet.
      if (stream.isHeldBack) pass(stream, exchange, size, ended);
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
      return end(stream, exchange);
    case Phase.Draining:
      return act(stream, exchange, Outcome.Reply);
    case Phase.Forwarded:
      return Action.Continue;
    case Phase.Waiting:
      if (stream.isHeldBack) end(stream, exchange);
      return Action.Pause;
    default:
      return Action.Pause;
  }
}

function readOn(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  const envelope = exchange.message.envelope;
  const limits = exchange.gateway.limits;
  const full = lacksRoom(stream, heldWith(stream, size), ROOM_FOR_BODY, limits.bufferedBytes);
  if (full !== NONE) {
    // At once, not at the end of the body: what is held is the problem.
    envelope.read(passOver(stream, size));
    if (!ended) discard(stream);
    return act(stream, exchange, exchange.overload(full));
  }
  const wasClosed = envelope.isClosed;
  const part = readIn(stream, envelope, size);
  const held = stream.body.read;
  let next = afterPart(exchange, held, wasClosed, ended, isHeldByAnother(stream));
  const behind: u32 = wasClosed ? length(part) : 0;
  if (next !== Next.Refuse && held > limits.heldBody && !mayStream(stream, exchange, behind)) next = Next.Refuse;
  switch (next) {
    case Next.Admit:
      return decide(stream, exchange);
    case Next.Release:
      return sendOnEarly(stream, exchange, part);
    case Next.Refuse:
      return refuse(stream, exchange, ended);
    default:
      return Action.Pause;
  }
}

/** What is more than may be held goes on as it comes, or not at all. @param behind bytes that have come behind its document */
function mayStream(stream: Stream, exchange: Exchange, behind: u32): bool {
  if (mayRelease(stream) !== MayRelease.No) return mayFollow(exchange, stream.closing, behind);
  refuseUnreleased(exchange);
  return false;
}

function refuse(stream: Stream, exchange: Exchange, ended: bool): Action {
  if (ended || !hasGivenUp(stream, exchange.gateway.limits.heldBody)) return drainOn(stream, exchange, ended);
  beginDrain(stream);
  return Action.Pause;
}

/** @param part that was read last */
function sendOnEarly(stream: Stream, exchange: Exchange, part: Span): Action {
  const message = exchange.message;
  exchange.now = now();
  if (mayRelease(stream) !== MayRelease.Yes && stream.body.read <= exchange.gateway.limits.heldBody)
    return Action.Pause;
  message.takeBeginning(heldWhole(stream));
  message.canHoldBack = canHoldBack(stream);
  const outcome = release(exchange);
  if (outcome === Outcome.Reply) return drainOn(stream, exchange, false);
  if (outcome === Outcome.ReadBody) {
    if (!message.staysHeld) waitAside(stream, exchange, Outcome.Wait);
    return Action.Pause;
  }
  const action = actOnBody(stream, exchange, outcome);
  if (stream.phase !== Phase.Streaming || !message.envelope.isClosed) return action;
  return passOn(stream, exchange, part, passEnd(exchange, stream.closing, part, part, false, hasComeWhole(exchange)));
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

function decide(stream: Stream, exchange: Exchange): Action {
  exchange.message.take(heldWhole(stream), stream.body, hostHolds(stream));
  return actOnBody(stream, exchange, admit(exchange));
}

function actOnBody(stream: Stream, exchange: Exchange, outcome: Outcome): Action {
  const action = act(stream, exchange, outcome);
  if (stream.phase === Phase.Waiting) onWait(stream, exchange);
  return action;
}
