import { make } from '../bytes/arena';
import { HeaderList, newHeaderList, readPairs } from '../bytes/pairs';
import { Span, equals, length, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { viaBehind } from '../upstream/via';
import { Emitted, emittedBy } from '../model/gateway';
import { Reason } from '../mcp/errors';
import { headerText } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { Method, MethodKind, methodRow, methodText } from '../mcp/methods';
import { Noun } from '../mcp/nouns';
import { Revision } from '../mcp/revisions';
import { endsHere } from '../policy/client-headers';
import { Upstream } from '../session/token';
import { httpSseHeaders, messageHeaders, streamHeaders } from '../upstream/message-headers';
import { answerWithoutStream } from './changed-lists';
import { editedBody } from './edited-body';
import { Exchange, Outcome } from './exchange';
import { Forward } from './forward';
import { endListening } from './listening-end';
import { bringsNoState, restoreState } from './request-state';
import { refuseTask } from './task-id';
import { addTrace } from './trace-context';
import { putTraceInMeta } from './trace-meta';
import { crosses, translate } from './translation';

/** The edits that make the client's message one for this server. */
export function sendOn(exchange: Exchange, upstream: Upstream): Outcome {
  if (crosses(exchange, upstream)) {
    // It has no stream that a client could ask for.
    if (exchange.isForEvents) return answerWithoutStream(exchange);
    const message = exchange.message;
    if (message.method === Method.Unknown && !exchange.isResponse) {
      return exchange.refuse(Reason.MethodNotFound, message.envelope.methodIn(message.body));
    }
    // Nor streams of what changes, nor tasks.
    const kind = methodRow(exchange.message.method).kind;
    if (kind === MethodKind.Listen) return endListening(exchange);
    if (kind === MethodKind.Task) return refuseTask(exchange, exchange.target.name);
    if (!bringsNoState(exchange)) return Outcome.Reply;
    translate(exchange, upstream);
  } else {
    if (!restoreState(exchange)) return Outcome.Reply;
    // The client's body is the call of another tool.
    if (exchange.isForOwnTool && !exchange.target.replacesBody) exchange.target.body = editedBody(exchange);
  }
  putTraceInMeta(exchange);
  const forward = routed(exchange, upstream);
  frame(forward.headers, exchange);
  adaptClientHeaders(forward.headers, exchange, upstream.revision);
  return Outcome.Forward;
}

/** The edits that bring a message to its server, whatever that is. */
export function routed(exchange: Exchange, upstream: Upstream): Forward {
  const arena = exchange.arena;
  const server = exchange.target.server;
  const forward = make<Forward>(arena);
  exchange.plan.forward = forward;
  forward.upstream = upstream;
  forward.inSession = upstream.sessionId !== NONE && !exchange.isHttpSse;
  // The route matches on it.
  forward.headers = newHeaderList(arena).add(header.SERVER_NAME, server.name);
  tellFilters(forward.headers, exchange);
  const path = exchange.isHttpSse && upstream.sessionId !== NONE ? upstream.sessionId : server.path;
  // An edit costs a call to the host: there is none where the client says the same.
  if (!equals(path, exchange.request.path)) forward.headers.add(header.PATH, path);
  forward.headers
    .add(header.AUTHORITY, server.authority)
    .add(header.PER_TRY_TIMEOUT, timeLimit(exchange))
    .add(header.VIA, viaBehind(exchange.request.via, server.via, arena));
  const sessionId: Span = exchange.isHttpSse ? NONE : upstream.sessionId;
  if (sessionId !== NONE || exchange.request.namesSession) forward.headers.add(header.SESSION_ID, sessionId);
  if (upstream.endpoint !== NONE) forward.headers.add(header.ENDPOINT, upstream.endpoint);
  if (upstream.cookie !== NONE) forward.headers.add(header.COOKIE, upstream.cookie);
  if (!equals(server.cluster, server.name)) forward.headers.add(header.CLUSTER, server.cluster);
  if (server.credentials.value !== NONE) {
    forward.headers.add(server.credentials.header, server.credentials.value);
  }
  const params = exchange.target.headerParams;
  if (params !== null) {
    for (let i: u32 = 0; i < params.count; i++) forward.headers.add(params.nameAt(i), params.valueAt(i));
  }
  addTrace(forward.headers, exchange);
  if (exchange.lastEventId !== NONE) forward.headers.add(header.LAST_EVENT_ID, exchange.lastEventId);
  return forward;
}

/** For the beginning of an answer, in milliseconds. A stream may begin with its first event, however late that comes. */
function timeLimit(exchange: Exchange): Span {
  if (exchange.isForEvents) return NONE;
  return newWriter(exchange.arena, 16).decimal(exchange.callTimeout as u64).written;
}

/** What later filters may go by: rate limits, RBAC, ext_authz. A response has no method, nor has a stream that is asked for. */
function tellFilters(edits: HeaderList, exchange: Exchange): void {
  if (exchange.message.method === Method.Unknown) return;
  const emitted = exchange.gateway.emitted;
  if ((emitted & Emitted.Method) !== 0) edits.add(header.METHOD_NAME, methodText(exchange.message.method));
  if (
    exchange.noun.noun !== Noun.None &&
    length(exchange.target.name) > 0 &&
    (emitted & emittedBy(exchange.noun.noun)) !== 0
  ) {
    edits.add(exchange.noun.header, headerText(exchange.target.name, exchange.arena));
  }
}

/**
 * Replaces what the client's headers say of the message, and takes out what is not for this server and was not replaced
 * above. There is no edit where the client says the same, once.
 */
function adaptClientHeaders(edits: HeaderList, exchange: Exchange, revision: Revision): void {
  const table = exchange.gateway.clientHeaders;
  const credentials = exchange.target.server.credentials;
  const wanted = exchange.isHttpSse
    ? httpSseHeaders(edits.arena, exchange.isForEvents)
    : exchange.isForEvents
      ? streamHeaders(edits.arena, revision)
      : messageHeaders(edits.arena, revision, exchange.message.method, nameInHeader(exchange));
  let seen: u32 = 0;
  let wrong: u32 = 0;
  for (const pairs = readPairs(exchange.request.pairs, edits.arena); pairs.next();) {
    const index = wanted.indexOf(pairs.name);
    if (index >= 0) {
      const bit = 1 << (index as u32);
      if ((seen & bit) !== 0 || !equals(pairs.value, wanted.valueAt(index as u32))) wrong |= bit;
      seen |= bit;
    } else if (endsHere(table, pairs.name, credentials, revision) && !edits.names(pairs.name)) {
      edits.add(pairs.name, NONE);
    }
  }
  const same = seen & ~wrong;
  for (let i: u32 = 0; i < wanted.count; i++) {
    if ((same & (1 << i)) === 0) edits.add(wanted.nameAt(i), wanted.valueAt(i));
  }
}

/** NONE: a header that its method does not need, and the client has not sent. */
function nameInHeader(exchange: Exchange): Span {
  const needsNone = exchange.named === NONE && !methodRow(exchange.message.method).needsNameHeader;
  return needsNone ? NONE : exchange.target.name;
}

/**
 * A message that may yet be cut off must not look complete to the upstream: H1 then frames it in chunks, and a cut one
 * lacks the last.
 */
function frame(edits: HeaderList, exchange: Exchange): void {
  if (!exchange.message.whole) {
    edits.add(header.CONTENT_LENGTH, NONE);
  } else if (exchange.request.hasContentLength) {
    const target = exchange.target;
    const size = target.replacesBody
      ? (target.body as u32)
      : exchange.message.size - (target.cutTo - target.cutFrom) + (target.put as u32);
    if ((size as u64) !== exchange.request.contentLength) {
      edits.add(header.CONTENT_LENGTH, newWriter(edits.arena, 16).decimal(size as u64).written);
    }
  }
}
