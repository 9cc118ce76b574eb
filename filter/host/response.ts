import { make, scratch } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Answer, Ending, isCompressed } from '../federation/answer';
import { MOST_OF_LOST, saysLost } from '../federation/lost-session';
import { refusesCoding } from '../flow/content-coding';
import { shareResponse } from '../flow/cors';
import { Exchange, Outcome } from '../flow/exchange';
import { beginRenewal, mayBeRenewed } from '../flow/lost-session';
import { isFromUpstream, readResponse, replacesRouterReply, Response, respondToError } from '../flow/response';
import { Reason } from '../mcp/errors';
import { removalsFrom } from '../policy/response-headers';
import * as header from '../mcp/headers';
import { endedWith, OK, OTHER } from '../mcp/outcomes';
import { PRODUCT } from '../version';
import { proxy_set_effective_context } from '../env';
import { read, replaceAll } from './buffers';
import { statusOf } from './callouts';
import { act } from './carry';
import { now } from './clock';
import { edit, pairsOf, remove, removeTrailers, replace } from './headers';
import { observeUpstream } from './metrics';
import { endsUnheld, refusesUnheld } from './modes/pair';
import { readsResponse } from './modes/verbs';
import { property } from './properties';
import { Action, Buffer, HeaderMap, Status } from './status';
import { Held, Moment, Phase, Stream } from './streams';

/** The way back: what an upstream, or Envoy in its stead, answers to what was sent on. The same in every host mode. */
const RESPONSE_CODE_DETAILS = literal('response\0code_details');
const EMPTY = literal('');
/** Bytes: the messages of a handshake, and the first answer. */
const RENEWAL: u32 = (16 << 10) + MOST_OF_LOST;

export function onResponseHeaders(stream: Stream, ended: bool): Action {
  const exchange = stream.exchange;
  if (exchange === null || stream.phase === Phase.Replied) return Action.Continue;
  const forwarded = stream.phase === Phase.Forwarded || stream.phase === Phase.Streaming;
  const arrived = stream.phase === Phase.Forwarded || stream.phase === Phase.Waiting;
  // Envoy or a filter answers in our stead: what callouts still bring is for nobody.
  if (!forwarded) stream.phase = Phase.Replied;
  exchange.now = now();
  const headers = pairsOf(HeaderMap.Response);
  const response = readResponse(headers, scratch);
  // The upstream's session is its own: a client would adopt the id and lose ours.
  if (response.hasSessionId) remove(HeaderMap.Response, header.SESSION_ID);
  replace(HeaderMap.Response, header.GATEWAY, PRODUCT);
  edit(HeaderMap.Response, shareResponse(headers, exchange.page, scratch));
  const status = statusOf(response.status);
  const succeeded = status < 300;
  exchange.ended = forwarded && succeeded ? OK : OTHER;
  const unheld = endsUnheld(stream);
  const details = succeeded && !unheld ? NONE : property(RESPONSE_CODE_DETAILS);
  if (unheld && refusesUnheld(stream, exchange, details)) return replaceReply(stream, exchange, details, ended);
  const answered = forwarded && (succeeded || isFromUpstream(details));
  if (answered) removeForeign(exchange, headers, response.hasServiceTime || !succeeded);
  if (answered) observeUpstream(exchange.server, exchange.sentAt, exchange.now);
  if (succeeded) {
    if (!answered || ended || !refusesCoding(exchange, response.contentEncoding)) return Action.Continue;
    act(stream, exchange, Outcome.Reply);
    return Action.Pause;
  }
  if (answered) {
    exchange.ended = endedWith(Reason.UpstreamStatus);
    stream.moment = Moment.Midway;
    if (mayBeRenewed(exchange, status)) return hearLost(stream, exchange, status, response, ended);
    // Replaced whole, headers such as its WWW-Authenticate included.
    return tell(stream, exchange, respondToError(exchange, status, response.contentType));
  }
  // A redirect of the listener's own, such as one to HTTPS, is for the client.
  if (status < 400) return Action.Continue;
  if (!replacesRouterReply(exchange, details, arrived)) return Action.Continue;
  return replaceReply(stream, exchange, details, ended);
}

/**
 * Takes out what a server has no business to tell the client. A filter behind us that answers in its stead may.
 * @param isServers what answered is known to be the server
 */
function removeForeign(exchange: Exchange, headers: Span, isServers: bool): void {
  const edits = removalsFrom(headers, exchange.gateway.responseHeaders, scratch);
  if (edits.count > 0 && (isServers || isFromUpstream(property(RESPONSE_CODE_DETAILS))))
    edit(HeaderMap.Response, edits);
}

/** What is on its way to the client has to give way to `exchange.reply`. */
function replaceReply(stream: Stream, exchange: Exchange, details: Span, ended: bool): Action {
  if (!ended && !isFromUpstream(details)) {
    replaceInPassing(stream, exchange);
    return Action.Continue;
  }
  // One without a body (no such cluster) has no part left to come that could get in the way of another.
  act(stream, exchange, Outcome.Reply);
  return Action.Pause;
}

export function onResponseBody(stream: Stream, size: u32, ended: bool): Action {
  if (stream.held !== Held.Not) {
    const action = holdBody(stream, size, ended);
    scratch.reset();
    return action;
  }
  if (stream.replacement !== NONE) {
    replaceAll(Buffer.ResponseBody, stream.replaced ? EMPTY : stream.replacement);
    stream.replaced = true;
  }
  return Action.Continue;
}

/** Its end, where it has one of its own. */
export function onResponseTrailers(stream: Stream): Action {
  if (stream.exchange !== null) removeTrailers(HeaderMap.ResponseTrailers);
  if (stream.held === Held.Not) return Action.Continue;
  if (stream.held === Held.Waiting) return Action.Pause;
  return renewRead(stream, stream.exchange!);
}

/** A server may have lost its session. What it says is held until that is known: its body may tell. */
function hearLost(stream: Stream, exchange: Exchange, status: u32, response: Response, ended: bool): Action {
  // The new session and the call once more count against the worker's budget, as the first one did.
  if (!stream.hold(exchange.size + RENEWAL, exchange.gateway.limits.bufferedBytes)) {
    return tell(stream, exchange, respondToError(exchange, status, response.contentType));
  }
  stream.firstStatus = status;
  stream.firstType = exchange.arena.copy(response.contentType);
  stream.firstIsCoded = isCompressed(response.contentEncoding);
  if (ended) return renew(stream, exchange, EMPTY);
  if (!readsResponse(stream)) return renew(stream, exchange, NONE);
  stream.held = Held.Reading;
  return Action.Pause;
}

/** Of a pair: the holder has read the body. In a callback that is not of the stream. */
export function renewPosted(stream: Stream): void {
  if (proxy_set_effective_context(stream.id) !== Status.Ok) return;
  const exchange = stream.exchange!;
  exchange.now = now();
  stream.moment = Moment.Later;
  renew(stream, exchange, stream.firstBody === null ? EMPTY : stream.firstBody!.written);
}

/** @param body of the answer; NONE where it cannot be read */
function renew(stream: Stream, exchange: Exchange, body: Span): Action {
  const answer = make<Answer>(scratch);
  answer.ending = Ending.Response;
  answer.status = stream.firstStatus;
  answer.contentType = stream.firstType;
  answer.body = stream.firstIsCoded ? NONE : body;
  if (!saysLost(answer, scratch)) {
    return tell(stream, exchange, respondToError(exchange, answer.status, answer.contentType));
  }
  stream.held = Held.Waiting;
  return act(stream, exchange, beginRenewal(exchange, exchange.session!, answer, answer.body !== NONE));
}

function holdBody(stream: Stream, size: u32, ended: bool): Action {
  // Nothing comes any more of what was read to its end.
  if (stream.held === Held.Waiting) return Action.Pause;
  const exchange = stream.exchange!;
  if (size > MOST_OF_LOST) {
    return tell(stream, exchange, respondToError(exchange, stream.firstStatus, stream.firstType));
  }
  return ended ? renewRead(stream, exchange) : Action.Pause;
}

function renewRead(stream: Stream, exchange: Exchange): Action {
  exchange.now = now();
  return renew(stream, exchange, read(Buffer.ResponseBody, 0, MOST_OF_LOST as usize));
}

/** @param outcome of `respondToError` */
function tell(stream: Stream, exchange: Exchange, outcome: Outcome): Action {
  return act(stream, exchange, outcome === Outcome.Forward ? Outcome.Pass : outcome);
}

/** A reply of Envoy's own is already a local reply, and there is one per stream: its parts are replaced one by one. */
function replaceInPassing(stream: Stream, exchange: Exchange): void {
  exchange.completeReply();
  const reply = exchange.reply;
  exchange.ended = endedWith(reply.reason);
  stream.replacement = reply.body;
  replace(HeaderMap.Response, header.STATUS, newWriter(scratch, 4).decimal(reply.status as u64).written);
  replace(HeaderMap.Response, header.CONTENT_TYPE, header.JSON_TYPE);
  const size = length(reply.body) as u64;
  replace(HeaderMap.Response, header.CONTENT_LENGTH, newWriter(scratch, 16).decimal(size).written);
}
