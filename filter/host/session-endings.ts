import { make, scratch } from '../bytes/arena';
import { editedPairs, newHeaderList } from '../bytes/pairs';
import { Span, length, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Answer } from '../upstream/answer';
import { Callout, terminate } from '../upstream/callout';
import { UpstreamCall } from '../upstream/call';
import { ASKED, takeSession } from '../upstream/session-dialect';
import { Exchange } from '../flow/exchange';
import { Abandoned, Stage } from '../flow/conversation';
import { leaveStream } from '../flow/http-sse';
import { taskCancellation } from '../flow/polled-task';
import { cancellation } from '../flow/tell';
import { leaveExchange } from '../flow/token-exchange';
import { leaveLease } from '../session/lease';
import { Server } from '../model/server';
import { Era } from '../mcp/eras';
import * as header from '../mcp/headers';
import { Upstream } from '../session/token';
import { findPending, readAnswer, Pending, send } from './callouts';
import { post } from './queue';
import { rootOf } from './roots';
import { Stream } from './streams';

/**
 * Sessions with servers that were opened for a request and that nobody will use: its client has gone away, or a new
 * session did not help. Servers keep such sessions for half an hour, or for ever. They are ended with DELETE. In a session
 * that other requests use, too, what the client has left is cancelled. Both is done from a callback of the root context: a
 * stream's last one may be that of an Envoy which shuts down.
 */

/** A message to come that nobody waits for, in memory of its own: a DELETE, or what cancels a request. */
@unmanaged
export class SessionEnding {
  next: SessionEnding | null;
  root: u32;
  timeout: u32;
  cluster: Span;
  /** The name of the cookie that leads to the instance of a session, or empty. */
  cookie: Span;
  /** Packed pairs. */
  headers: Span;
  body: Span;
}

/** In all of a worker: of a client that makes more, servers have to forget sessions by themselves. */
const MOST = 256;
let waiting: SessionEnding | null = null;
let count = 0;

/** Names no stream, so that who reads the queue passes it over. */
const TO_ALL: u32 = 0xffffffff;

/** For a stream that is about to be forgotten. */
export function endAbandoned(stream: Stream): void {
  const exchange = stream.exchange;
  if (exchange === null) return;
  leaveStream(exchange);
  const fanOut = exchange.conversation.fanOut;
  if (fanOut !== null) {
    for (let i = 0; i < fanOut.calls.count; i++) leaveCall(stream, exchange, fanOut.at(i));
  }
  const cancelled = cancellation(exchange, scratch);
  if (cancelled !== null) sendLater(stream, messageOf(stream, exchange, cancelled));
  const left = taskCancellation(exchange, scratch);
  if (left !== null) sendLater(stream, messageOf(stream, exchange, left));
  const abandoned = exchange.conversation.abandoned;
  if (abandoned === null) return;
  for (let i = 0; i < abandoned.count; i++) {
    const left = changetype<Abandoned>(abandoned.at(i) as usize);
    endLater(stream, exchange, left.server, left.upstream);
  }
}

function leaveCall(stream: Stream, exchange: Exchange, call: UpstreamCall): void {
  const session = exchange.caller.session;
  if (call.holdsLease) {
    if (exchange.conversation.stage === Stage.Exchange) leaveExchange(exchange, call);
    else if (session !== null) leaveLease(session, call.server.fingerprint, exchange.gateway.keys, scratch);
  }
  if (call.waiting && call.step === ASKED && (call.opening || exchange.conversation.stage === Stage.Initialize)) {
    // Its session is known only when it answers, and then the stream is not.
    const entry = findPending(call.token);
    if (entry !== null) entry.ending = endingOf(stream, exchange, call.server, call.upstream);
    return;
  }
  const isLeft = call.opening || (exchange.conversation.stage === Stage.Initialize && !isTaken(exchange, call));
  if (isLeft && call.upstream.sessionId !== NONE) endLater(stream, exchange, call.server, call.upstream);
}

/** Whether a session that was opened for `initialize` is in the client's, or was cared for when `server/discover` ended. */
function isTaken(exchange: Exchange, call: UpstreamCall): bool {
  return call.opened && (exchange.caller.sessionTag !== 0 || exchange.message.era === Era.Stateless);
}

function endLater(stream: Stream, exchange: Exchange, server: Server, upstream: Upstream): void {
  sendLater(stream, endingOf(stream, exchange, server, upstream));
}

function sendLater(stream: Stream, ending: SessionEnding): void {
  const root = rootOf(stream.root);
  if (count === MOST || root === null || root.queue === null) return discardEnding(ending);
  ending.next = waiting;
  waiting = ending;
  count++;
  post(root.queue!, TO_ALL);
}

function endingOf(stream: Stream, exchange: Exchange, server: Server, upstream: Upstream): SessionEnding {
  const callout = terminate(server, upstream, exchange.request.pairs, scratch);
  callout.body = newWriter(scratch, 1).written;
  return messageOf(stream, exchange, callout, server.stickyCookie);
}

function messageOf(stream: Stream, exchange: Exchange, callout: Callout, cookie: Span = NONE): SessionEnding {
  const ending = changetype<SessionEnding>(heap.alloc(offsetof<SessionEnding>()));
  ending.next = null;
  ending.root = stream.root;
  ending.timeout = exchange.gateway.limits.handshakeTimeout;
  ending.cluster = owned(callout.cluster);
  ending.cookie = owned(cookie);
  ending.headers = owned(callout.headers.packed());
  ending.body = owned(callout.body);
  return ending;
}

function owned(bytes: Span): Span {
  const at = heap.alloc(max(length(bytes), 1) as usize);
  memory.copy(at, pointer(bytes), length(bytes) as usize);
  return span(at, length(bytes) as u32);
}

/** In a callback of a root context: sends what waits under it. */
export function sendEndings(root: u32): void {
  let kept: SessionEnding | null = null;
  for (let ending = waiting; ending !== null;) {
    const next: SessionEnding | null = ending.next;
    if (ending.root === root) {
      sendEnding(ending, null);
      count--;
    } else {
      ending.next = kept;
      kept = ending;
    }
    ending = next;
  }
  waiting = kept;
}

/** The answer to an `initialize` whose stream is gone. */
export function endAnswered(entry: Pending, headerCount: i32): void {
  const ending = entry.ending;
  if (ending === null) return;
  entry.ending = null;
  const answer: Answer = readAnswer(entry, headerCount, 0);
  if (answer.sessionId === NONE || answer.status >= 300) discardEnding(ending);
  else {
    const upstream = make<Upstream>(scratch);
    takeSession(upstream, answer, ending.cookie, scratch);
    sendEnding(ending, upstream);
  }
}

/** @param upstream whose session its headers do not know yet, or null */
function sendEnding(ending: SessionEnding, upstream: Upstream | null): void {
  const callout = make<Callout>(scratch);
  callout.cluster = ending.cluster;
  const more = newHeaderList(scratch);
  if (upstream !== null) {
    more.add(header.SESSION_ID, upstream.sessionId);
    if (upstream.endpoint !== NONE) more.add(header.ENDPOINT, upstream.endpoint);
    if (upstream.cookie !== NONE) more.add(header.COOKIE, upstream.cookie);
  }
  callout.headers = editedPairs(ending.headers, more, scratch);
  callout.body = ending.body;
  send(callout, ending.timeout, ending.root, 0, null);
  discardEnding(ending);
}

/** Frees it, unsent or not. */
export function discardEnding(ending: SessionEnding): void {
  heap.free(pointer(ending.cluster));
  heap.free(pointer(ending.cookie));
  heap.free(pointer(ending.headers));
  heap.free(pointer(ending.body));
  heap.free(changetype<usize>(ending));
}
