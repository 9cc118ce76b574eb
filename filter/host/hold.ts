import { Arena, scratch } from '../bytes/arena';
import { newWriter } from '../bytes/writer';
import { Span, after, first, length, literal, NONE } from '../bytes/span';
import { Outcome, Exchange, newExchange } from '../flow/exchange';
import { admit, confirms, enter, isReleasable, release } from '../flow/dispatch';
import { behindEndpoint, glance, readRequest, trustedHeader, TRUSTED_HEADERS } from '../flow/request';
import { Reason } from '../mcp/errors';
import { proxy_continue_stream, proxy_set_effective_context } from '../env';
import { read, replaceAll } from './buffers';
import { readAnswer, takePending } from './callouts';
import { act, prepare, settle } from './carry';
import { now } from './clock';
import { pairsOf, remove } from './headers';
import { observeUpstream } from './metrics';
import { meet } from './peer';
import { rootOf } from './roots';
import { arenaOf, Phase, Stream, streamOf } from './streams';
import { Action, Buffer, HeaderMap, Status } from './status';

/**
 * Host mode `hold`: one filter, whose request headers stay while the body is read. `allow_on_headers_stop_iteration`
 * must be set, or the body never comes.
 */
const EMPTY = literal('');
const BUFFERED_BYTES = literal('limits.bufferedBytes');
/** A chunk up to this size is worth keeping: reading it again would cost more than its place. */
const KEPT_CHUNK: u32 = 64 << 10;
/** A body of which so much is here and not all, and whose destination is certain, is released. */
const RELEASED_FROM: u32 = 64 << 10;
/** White space behind the document; more is an attack on our memory. */
const MOST_AFTER_CLOSING: u32 = 4 << 10;
const MUCH_SPACE = literal('much white space follows its document');
const REQUEST_STREAM = 0;
const TRAILERS = literal('a large body that was sent on as it came has trailers; announce them in the Trailer header');

export function onRequestHeaders(stream: Stream, ended: bool): Action {
  const root = rootOf(stream.root);
  if (root === null) return Action.Continue;
  const headers = pairsOf(HeaderMap.Request);
  const seen = glance(headers, scratch);
  // Before anything else, and on every request: routes and later filters trust these.
  for (let i = 0; i < TRUSTED_HEADERS; i++) {
    if ((seen.forged & (1 << i)) !== 0) remove(HeaderMap.Request, trustedHeader(i));
  }
  const behind = behindEndpoint(seen.path, root.gateway.endpoint);
  if (behind === NONE) return Action.Continue;

  const arena = arenaOf(stream);
  const exchange = newExchange(root.gateway, readRequest(arena.copy(headers), arena), arena);
  exchange.now = now();
  stream.exchange = exchange;
  prepare(exchange, stream);
  meet(exchange);
  const outcome = enter(exchange, behind);
  if (outcome === Outcome.ReadBody) {
    stream.phase = Phase.Reading;
    return ended ? decide(stream, exchange) : Action.Pause;
  }
  return outcome === Outcome.Reply ? drainOn(stream, exchange, 0, ended) : act(stream, exchange, outcome);
}

/** @param size of what the host shows: all that is held, or the chunk where nothing is */
export function onRequestBody(stream: Stream, size: u32, ended: bool): Action {
  const exchange = stream.exchange;
  if (exchange === null) return Action.Continue;
  exchange.now = now();
  switch (stream.phase) {
    case Phase.Reading:
      return readOn(stream, exchange, size, ended);
    case Phase.Streaming:
      return streamOn(stream, exchange, size, ended);
    case Phase.Draining:
      return drainOn(stream, exchange, size, ended);
    case Phase.Forwarded:
      return Action.Continue;
    default:
      return Action.Pause;
  }
}

/** With trailers, no body callback is the last. */
export function onRequestTrailers(stream: Stream): Action {
  const exchange = stream.exchange;
  if (exchange === null) return Action.Continue;
  exchange.now = now();
  switch (stream.phase) {
    case Phase.Reading:
      return decide(stream, exchange);
    case Phase.Streaming:
      return endStreamed(stream, exchange);
    case Phase.Draining:
      return act(stream, exchange, Outcome.Reply);
    case Phase.Forwarded:
      return Action.Continue;
    default:
      return Action.Pause;
  }
}

/** Nothing has been decided: the body is held, small ones to their end. In how many pieces it comes decides nothing. */
function readOn(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  const limits = exchange.gateway.limits;
  if (!stream.hold(size, limits.bufferedBytes)) {
    // At once, not at the end of the body: what is held is the problem.
    if (!ended) discard();
    return act(stream, exchange, exchange.overload(BUFFERED_BYTES));
  }
  scan(stream, exchange, size);
  exchange.id = idOf(exchange);
  if (exceeds(exchange, size)) return drainOn(stream, exchange, size, ended);
  const releasable = size >= min(RELEASED_FROM, limits.heldBody) && isReleasable(exchange, limits.heldBody);
  if (size > limits.heldBody && !releasable) {
    exchange.refuse(Reason.BodyTooLarge, newWriter(scratch, 16).decimal(size as u64).written);
    // Envoy holds twice as much (envoy.yaml). Past that it has given up before it asked us, and a reply of ours in the same
    // callback would lose against its plain 413, which without one becomes a row of ours on its way out.
    if (!ended && (size as u64) > 2 * (limits.heldBody as u64)) {
      stream.phase = Phase.Draining;
      return Action.Pause;
    }
    return drainOn(stream, exchange, size, ended);
  }
  if (ended) return decide(stream, exchange);
  if (!releasable || stream.staysHeld || exchange.envelope.isClosed) return Action.Pause;
  exchange.body = read(Buffer.RequestBody, 0, size as usize);
  exchange.size = size;
  exchange.passed = size as u64;
  const outcome = release(exchange);
  if (outcome === Outcome.Reply) return drainOn(stream, exchange, size, false);
  if (outcome !== Outcome.ReadBody) return act(stream, exchange, outcome);
  stream.staysHeld = true;
  return Action.Pause;
}

/**
 * The reply is known. Sent before the end of the body it would cost the client its connection; a body without end would
 * cost us memory.
 */
function drainOn(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  stream.phase = Phase.Draining;
  if (!ended && size <= exchange.gateway.limits.drainBytes) return Action.Pause;
  if (!ended) discard();
  return act(stream, exchange, Outcome.Reply);
}

/** What is held counts against Envoy's own limit even now: past it, Envoy's 413 would take the place of our reply. */
function discard(): void {
  replaceAll(Buffer.RequestBody, EMPTY);
}

/**
 * Released: chunks pass as they come, but for the brace that closes the document. It is kept here until the end of the
 * stream has confirmed the rest, so no upstream ever has a complete request that differs from what was decided on.
 *
 * A chunk is never paused again: what later filters buffer, such as the router for its retries, lies in the same buffer
 * as what we pause, and would be sent twice.
 */
function streamOn(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  exchange.passed += size as u64;
  if (exceeds(exchange, exchange.passed)) return act(stream, exchange, Outcome.Reply);
  const chunk = read(Buffer.RequestBody, 0, size as usize);
  const before = stream.tail;
  exchange.envelope.read(chunk);
  if (!confirms(exchange, ended)) return act(stream, exchange, Outcome.Reply);
  if (!exchange.envelope.isClosed) return Action.Continue;

  const passing = before === NONE ? exchange.envelope.closingOffset(chunk) : 0;
  if (ended) {
    if (before !== NONE) replaceAll(Buffer.RequestBody, joined(before, chunk, scratch));
    return Action.Continue;
  }
  stream.tail = joined(before, after(chunk, passing), exchange.arena);
  if ((stream.tail as u32) > MOST_AFTER_CLOSING) {
    return act(stream, exchange, exchange.refuse(Reason.InvalidRequest, MUCH_SPACE));
  }
  replaceAll(Buffer.RequestBody, first(chunk, passing));
  return Action.Continue;
}

/** Whether the body is larger than any may be; then the refusal is ready. */
function exceeds(exchange: Exchange, size: u64): bool {
  const most = exchange.gateway.limits.requestBody;
  if (most === 0 || size <= (most as u64)) return false;
  exchange.refuse(Reason.RequestTooLarge, newWriter(scratch, 16).decimal(size).written);
  return true;
}

function joined(a: Span, b: Span, arena: Arena): Span {
  return newWriter(arena, length(a) + length(b))
    .bytes(a)
    .bytes(b).written;
}

/**
 * With trailers there is no last chunk that the closing brace could be put back into, and the host lets a filter add
 * none: the one shape of a large request that cannot be served.
 */
function endStreamed(stream: Stream, exchange: Exchange): Action {
  if (confirms(exchange, true)) exchange.refuse(Reason.InvalidRequest, TRAILERS);
  return act(stream, exchange, Outcome.Reply);
}

/** Comes even for a stream that is gone. */
export function onCalloutResponse(token: u32, headerCount: i32, bodySize: i32): void {
  const entry = takePending(token);
  if (entry === null) return;
  const stream = streamOf(entry.stream);
  if (stream !== null && stream.phase === Phase.Waiting) {
    const exchange = stream.exchange!;
    exchange.now = now();
    observeUpstream(entry.lane.server, exchange.now - entry.sentAt);
    // Readable in this context only: before the switch to the stream's.
    const answer = readAnswer(entry, headerCount, bodySize);
    if (proxy_set_effective_context(stream.id) === Status.Ok) {
      const room = stream.hold(stream.charged + (answer.body as u32), exchange.gateway.limits.bufferedBytes);
      const outcome = room ? settle(exchange, entry.lane, answer) : exchange.overload(BUFFERED_BYTES);
      if (act(stream, exchange, outcome) === Action.Continue) proxy_continue_stream(REQUEST_STREAM);
    }
  }
  heap.free(changetype<usize>(entry));
}

/** Reads what is new of the body. */
function scan(stream: Stream, exchange: Exchange, size: u32): void {
  if (size === stream.scanned) return;
  const chunk = read(Buffer.RequestBody, stream.scanned as usize, (size - stream.scanned) as usize);
  if (stream.scanned === 0 && size <= KEPT_CHUNK) stream.kept = exchange.arena.copy(chunk);
  exchange.envelope.read(chunk);
  stream.scanned = size;
}

/** The id of a message that is held, as far as it has come. */
function idOf(exchange: Exchange): Span {
  const envelope = exchange.envelope;
  const split = envelope.splitId;
  const start = (split >> 32) as u32;
  if (split !== 0) envelope.takeId(read(Buffer.RequestBody, start as usize, ((split as u32) - start) as usize));
  return envelope.id;
}

function decide(stream: Stream, exchange: Exchange): Action {
  const inPieces = (stream.kept as u32) !== stream.scanned;
  exchange.kept = stream.scanned <= KEPT_CHUNK;
  exchange.body = inPieces ? read(Buffer.RequestBody, 0, stream.scanned as usize) : stream.kept;
  // In how many pieces a body came must not decide whether its call can be made once more.
  if (inPieces && exchange.kept) exchange.body = exchange.arena.copy(exchange.body);
  return act(stream, exchange, admit(exchange));
}
