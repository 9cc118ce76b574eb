import { scratch } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { shareResponse } from '../flow/cors';
import { Exchange, Outcome } from '../flow/exchange';
import { isFromUpstream, readResponse, replacesRouterReply, respondToError } from '../flow/response';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { endedWith, OK, OTHER } from '../mcp/outcomes';
import { PRODUCT } from '../version';
import { replaceAll } from './buffers';
import { statusOf } from './callouts';
import { act } from './carry';
import { now } from './clock';
import { edit, pairsOf, remove, replace } from './headers';
import { observeUpstream } from './metrics';
import { endsUnheld, refusesUnheld } from './modes/pair';
import { property } from './properties';
import { Action, Buffer, HeaderMap } from './status';
import { Phase, Stream } from './streams';

/** The way back: what an upstream, or Envoy in its stead, answers to what was sent on. The same in every host mode. */
const RESPONSE_CODE_DETAILS = literal('response\0code_details');
const EMPTY = literal('');

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
  exchange.ended = forwarded && status < 400 ? OK : OTHER;
  const unheld = endsUnheld(stream);
  const details = status < 400 && !unheld ? NONE : property(RESPONSE_CODE_DETAILS);
  if (unheld && refusesUnheld(stream, exchange, details)) return replaceReply(stream, exchange, details, ended);
  const answered = forwarded && (status < 400 || isFromUpstream(details));
  if (answered) observeUpstream(exchange.server, exchange.now - exchange.sentAt);
  if (status < 400) return Action.Continue;
  if (answered) {
    exchange.ended = endedWith(Reason.UpstreamStatus);
    // Replaced whole, headers such as its WWW-Authenticate included.
    const outcome = respondToError(exchange, status, response.contentType);
    if (outcome === Outcome.Forward) return Action.Continue;
    act(stream, exchange, outcome);
    return Action.Pause;
  }
  if (!replacesRouterReply(exchange, details, arrived)) return Action.Continue;
  return replaceReply(stream, exchange, details, ended);
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

export function onResponseBody(stream: Stream): Action {
  if (stream.phase === Phase.Waiting) return Action.Pause;
  if (stream.replacement !== NONE) {
    replaceAll(Buffer.ResponseBody, stream.replaced ? EMPTY : stream.replacement);
    stream.replaced = true;
  }
  return Action.Continue;
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
