import { scratch } from '../bytes/arena';
import { newWriter } from '../bytes/writer';
import { length, literal, NONE } from '../bytes/span';
import { Outcome, Exchange, newExchange } from '../flow/exchange';
import { shareResponse } from '../flow/cors';
import { admit, enter } from '../flow/dispatch';
import { behindEndpoint, readRequest, Request, trustedHeader, TRUSTED_HEADERS } from '../flow/request';
import { isFromUpstream, readResponse, replacesRouterReply, replacesUpstreamError } from '../flow/response';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { endedWith, OK, OTHER } from '../mcp/outcomes';
import { PRODUCT } from '../version';
import { proxy_continue_stream, proxy_set_effective_context } from '../env';
import { read, replaceAll } from './buffers';
import { readAnswer, statusOf, takePending } from './callouts';
import { carry, prepare, settle } from './carry';
import { now } from './clock';
import { edit, pairsOf, remove, replace } from './headers';
import { observeUpstream } from './metrics';
import { meet } from './peer';
import { property } from './properties';
import { rootOf } from './roots';
import { arenaOf, Phase, Stream, streamOf } from './streams';
import { Action, Buffer, HeaderMap, Status } from './status';

/**
 * Host mode `hold`: one filter, whose request headers stay while the body is read. `allow_on_headers_stop_iteration`
 * must be set, or the body never comes.
 */
const RESPONSE_CODE_DETAILS = literal('response\0code_details');
const EMPTY = literal('');
/** A chunk up to this size is worth keeping: reading it again would cost more than its place. */
const KEPT_CHUNK: u32 = 64 << 10;
const REQUEST_STREAM = 0;

export function onRequestHeaders(stream: Stream, ended: bool): Action {
  const root = rootOf(stream.root);
  if (root === null) return Action.Continue;
  const headers = pairsOf(HeaderMap.Request);
  const request = readRequest(headers, scratch);
  // Before anything else, and on every request: routes and later filters trust these.
  for (let i = 0; i < TRUSTED_HEADERS; i++) {
    if ((request.forged & (1 << i)) !== 0) remove(HeaderMap.Request, trustedHeader(i));
  }
  const behind = behindEndpoint(request.path, root.gateway.endpoint);
  if (behind === NONE) return Action.Continue;

  const arena = arenaOf(stream);
  const kept: Request = readRequest(arena.copy(headers), arena);
  const exchange = newExchange(root.gateway, kept, arena);
  exchange.now = now();
  stream.exchange = exchange;
  prepare(exchange, stream);
  meet(exchange);
  const outcome = enter(exchange, behind);
  if (outcome === Outcome.ReadBody) {
    stream.phase = Phase.Reading;
    return ended ? decide(stream, exchange) : Action.Pause;
  }
  return ended || outcome !== Outcome.Reply ? act(stream, exchange, outcome) : drain(stream);
}

/** @param size of the body so far, as the host shows all of it while it is held */
export function onRequestBody(stream: Stream, size: u32, ended: bool): Action {
  const exchange = stream.exchange;
  if (exchange === null || stream.phase === Phase.Forwarded) return Action.Continue;
  exchange.now = now();
  if (stream.phase === Phase.Reading) {
    const limit = exchange.gateway.limits.heldBody;
    if (size > limit) {
      exchange.refuse(Reason.BodyTooLarge, newWriter(scratch, 16).decimal(size as u64).written);
      stream.phase = Phase.Draining;
    } else {
      scan(stream, exchange, size);
      return ended ? decide(stream, exchange) : Action.Pause;
    }
  }
  if (stream.phase !== Phase.Draining) return Action.Pause;
  // A reply before the end of the body costs the client its connection; so does a body without end cost us memory.
  const enough = ended || size > exchange.gateway.limits.drainBytes;
  return enough ? act(stream, exchange, Outcome.Reply) : Action.Pause;
}

/** With trailers, no body callback is the last. */
export function onRequestTrailers(stream: Stream): Action {
  const exchange = stream.exchange;
  if (exchange === null) return Action.Continue;
  if (stream.phase === Phase.Reading) return decide(stream, exchange);
  if (stream.phase === Phase.Draining) return act(stream, exchange, Outcome.Reply);
  return stream.phase === Phase.Forwarded ? Action.Continue : Action.Pause;
}

export function onResponseHeaders(stream: Stream, ended: bool): void {
  const exchange = stream.exchange;
  if (exchange === null || stream.phase === Phase.Replied) return;
  const arrived = stream.phase === Phase.Forwarded || stream.phase === Phase.Waiting;
  const forwarded = stream.phase === Phase.Forwarded;
  // Envoy or a filter answers in our stead: what callouts still bring is for nobody.
  if (!forwarded) stream.phase = Phase.Replied;
  const headers = pairsOf(HeaderMap.Response);
  const response = readResponse(headers, scratch);
  // The upstream's session is its own: a client would adopt the id and lose ours.
  if (response.hasSessionId) remove(HeaderMap.Response, header.SESSION_ID);
  replace(HeaderMap.Response, header.GATEWAY, PRODUCT);
  edit(HeaderMap.Response, shareResponse(headers, exchange.page, scratch));
  if (forwarded) observeUpstream(exchange.server, now() - exchange.sentAt);
  const status = statusOf(response.status);
  exchange.ended = forwarded && status < 400 ? OK : OTHER;
  if (status < 400) return;
  const details = property(RESPONSE_CODE_DETAILS);
  if (isFromUpstream(details)) {
    exchange.ended = endedWith(Reason.UpstreamStatus);
    // Replaced whole, headers such as its WWW-Authenticate included.
    if (replacesUpstreamError(exchange, status, response.contentType)) carry(stream, exchange, Outcome.Reply);
    return;
  }
  if (!replacesRouterReply(exchange, details, arrived)) return;
  if (ended) {
    // One without a body (no such cluster) has no part left to come that could get in the way of another.
    carry(stream, exchange, Outcome.Reply);
    return;
  }
  replaceInPassing(stream, exchange);
}

/** A reply of Envoy's own is already a local reply, and there is one per stream: its parts are replaced one by one. */
function replaceInPassing(stream: Stream, exchange: Exchange): void {
  const reply = exchange.reply;
  exchange.ended = endedWith(reply.reason);
  stream.replacement = reply.body;
  replace(HeaderMap.Response, header.STATUS, newWriter(scratch, 4).decimal(reply.status as u64).written);
  replace(HeaderMap.Response, header.CONTENT_TYPE, header.JSON_TYPE);
  const size = length(reply.body) as u64;
  replace(HeaderMap.Response, header.CONTENT_LENGTH, newWriter(scratch, 16).decimal(size).written);
}

export function onResponseBody(stream: Stream): void {
  if (stream.replacement === NONE) return;
  replaceAll(Buffer.ResponseBody, stream.replaced ? EMPTY : stream.replacement);
  stream.replaced = true;
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
      const outcome = carry(stream, exchange, settle(exchange, entry.lane, answer));
      if (outcome === Outcome.Forward) proxy_continue_stream(REQUEST_STREAM);
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

function decide(stream: Stream, exchange: Exchange): Action {
  const whole = (stream.kept as u32) === stream.scanned;
  exchange.body = whole ? stream.kept : read(Buffer.RequestBody, 0, stream.scanned as usize);
  return act(stream, exchange, admit(exchange));
}

function drain(stream: Stream): Action {
  stream.phase = Phase.Draining;
  return Action.Pause;
}

function act(stream: Stream, exchange: Exchange, outcome: Outcome): Action {
  return carry(stream, exchange, outcome) === Outcome.Forward ? Action.Continue : Action.Pause;
}
