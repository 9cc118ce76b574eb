import { scratch } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { shareResponse } from '../flow/cors';
import { Exchange, Outcome } from '../flow/exchange';
import { completeRefusal } from '../flow/refusal';
import { isFromUpstream, readResponse, replacesRouterReply, Response } from '../flow/response';
import { followCookie } from '../flow/sticky-cookie';
import { isUnanswered, refusesSuccess, refuseUnanswered } from '../flow/success';
import { Reason } from '../mcp/errors';
import { removalsFrom } from '../policy/response-headers';
import { replacing, Way } from '../response/plan';
import * as header from '../mcp/headers';
import { endedWith, OK, OTHER } from '../mcp/outcomes';
import { PRODUCT } from '../version';
import { beginAnswer, continueAnswer, finish, hearFrom } from './answer-progress';
import { replaceAll } from './buffers';
import { statusOf } from './callouts';
import { act } from './carry';
import { now } from './clock';
import { edit, pairsOf, remove, removeTrailers, replace } from './headers';
import { observeUpstream } from './metrics';
import { endsUnheld, refusesUnheld } from './modes/pair';
import { property } from './properties';
import { beginRest, collectRest, endRest } from './rest';
import { retell } from './retelling';
import { awaitTask } from './input-requests';
import { endKept, isTaskFound } from './rewriting';
import { logFailure } from './server-log';
import { Action, Buffer, HeaderMap } from './status';
import { Held, Moment, Phase, Stream } from './streams';
import { endErrorBody, hearError, hearErrorBody } from './upstream-error';

/** The way back: what an upstream, or Envoy in its stead, answers to what was sent on. The same in every host mode. */
const ACCEPTED = literal('202');
const NO_LENGTH = literal('0');
const EMPTY = literal('');
const RESPONSE_CODE_DETAILS = literal('response\0code_details');

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
  // Addresses of servers are no client's business.
  if (response.endpoint !== NONE) remove(HeaderMap.Response, header.ENDPOINT);
  replace(HeaderMap.Response, header.GATEWAY, PRODUCT);
  edit(HeaderMap.Response, shareResponse(headers, exchange.caller.page, scratch));
  const status = statusOf(response.status);
  const succeeded = status < 300;
  exchange.ended = forwarded && succeeded ? OK : OTHER;
  const unheld = endsUnheld(stream);
  const details = succeeded && !unheld ? NONE : property(RESPONSE_CODE_DETAILS);
  if (unheld && refusesUnheld(stream, exchange, details)) return replaceReply(stream, exchange, details, ended);
  const answered = forwarded && (succeeded || isFromUpstream(details));
  if (answered) {
    removeForeign(exchange, headers, response.hasServiceTime || !succeeded);
    observeUpstream(exchange.label, exchange.sentAt, exchange.now);
    followCookie(exchange, exchange.target.server, exchange.plan.forward.upstream, headers);
    if (exchange.target.tool !== null) return beginRest(stream, exchange, status, response, headers, ended);
  }
  if (succeeded) {
    if (!answered) return Action.Continue;
    if (exchange.isHttpSse && !exchange.isForEvents) return acceptMessage(stream, exchange, response, ended);
    if (refusesSuccess(exchange, status, response, ended)) {
      hearFrom(exchange, exchange.sentAt, exchange.now);
      logFailure(exchange, exchange.target.server, exchange.plan.reply.reason, exchange.plan.reply.detail);
      act(stream, exchange, Outcome.Reply);
      return Action.Pause;
    }
    beginAnswer(stream, exchange, response, ended);
    return Action.Continue;
  }
  if (answered) {
    exchange.ended = endedWith(Reason.UpstreamStatus);
    stream.moment = Moment.Midway;
    // Replaced whole, headers such as its WWW-Authenticate included.
    return hearError(stream, exchange, status, response, ended);
  }
  // A redirect of the listener's own, such as one to HTTPS, is for the client.
  if (status < 400) return Action.Continue;
  if (!replacesRouterReply(exchange, details, arrived)) return Action.Continue;
  const server = exchange.server;
  const reply = exchange.plan.reply;
  if (forwarded && server !== null) logFailure(exchange, server, reply.reason, reply.detail);
  return replaceReply(stream, exchange, details, ended);
}

/** A message over HTTP+SSE has come to its server, and its answer will come in the stream: nothing is said here. */
function acceptMessage(stream: Stream, exchange: Exchange, response: Response, ended: bool): Action {
  const reply = exchange.plan.reply;
  // Its refusal goes through the server, see flow/http-sse.ts.
  if (changetype<usize>(reply) !== 0) exchange.ended = endedWith(reply.reason);
  replace(HeaderMap.Response, header.STATUS, ACCEPTED);
  if (response.contentType !== NONE) remove(HeaderMap.Response, header.CONTENT_TYPE);
  if (ended) return Action.Continue;
  if (response.hasLength) replace(HeaderMap.Response, header.CONTENT_LENGTH, NO_LENGTH);
  stream.plan = replacing(EMPTY, exchange.arena);
  return Action.Continue;
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

/** What is on its way to the client has to give way to `plan.reply`. */
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
  const exchange = stream.exchange;
  if (exchange === null) return Action.Continue;
  if (stream.held !== Held.Not && hearErrorBody(stream, exchange, size, ended) !== Action.Continue) return Action.Pause;
  const plan = stream.plan;
  if (plan === null) return Action.Continue;
  switch (plan.way) {
    case Way.Replace:
      if (plan.text === NONE && !retell(stream, exchange, plan, size, ended)) break;
      replaceAll(Buffer.ResponseBody, plan.nextPart());
      break;
    case Way.Collect:
      return collectRest(stream, exchange, size, ended);
    default:
      return continueAnswer(stream, exchange, plan, size, ended);
  }
  return Action.Continue;
}

/** Its end, where it has one of its own. */
export function onResponseTrailers(stream: Stream): Action {
  const exchange = stream.exchange;
  if (exchange === null) return Action.Continue;
  removeTrailers(HeaderMap.ResponseTrailers);
  if (stream.held !== Held.Not) return endErrorBody(stream, exchange);
  const plan = stream.plan;
  if (plan === null) return Action.Continue;
  // No part of the body comes any more that a row could stand in: what has no answer must not look like one.
  if (plan.way === Way.Replace) {
    if (plan.text === NONE) act(stream, exchange, Outcome.Reply);
    return Action.Continue;
  }
  if (plan.way === Way.Collect) {
    endRest(stream, exchange);
    return Action.Continue;
  }
  if (isTaskFound(plan)) return awaitTask(stream, exchange);
  const isCut = isUnanswered(exchange, plan);
  if (isCut) refuseUnanswered(exchange);
  const isWhole = !isCut && endKept(exchange, plan);
  if (isWhole && isTaskFound(plan)) return awaitTask(stream, exchange);
  finish(stream, exchange);
  return isWhole ? Action.Continue : act(stream, exchange, Outcome.Reply);
}

/** A reply of Envoy's own is already a local reply, and there is one per stream: its parts are replaced one by one. */
function replaceInPassing(stream: Stream, exchange: Exchange): void {
  completeRefusal(exchange);
  const reply = exchange.plan.reply;
  exchange.ended = endedWith(reply.reason);
  stream.plan = replacing(reply.body, exchange.arena);
  replace(HeaderMap.Response, header.STATUS, newWriter(scratch, 4).decimal(reply.status as u64).written);
  replace(HeaderMap.Response, header.CONTENT_TYPE, header.JSON_TYPE);
  const size = length(reply.body) as u64;
  replace(HeaderMap.Response, header.CONTENT_LENGTH, newWriter(scratch, 16).decimal(size).written);
}
