import { AMPERSAND, QUESTION_MARK } from '../bytes/ascii';
import { make, scratch } from '../bytes/arena';
import { valuesIn } from '../bytes/pairs';
import { Span, after, contains, first, indexOf, literal, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Revision } from '../mcp/revisions';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { mayReach, onlyReachable } from '../policy/decision';
import { random } from '../ports';
import { audienceOfStream } from '../session/audience';
import { markEnded } from '../session/ended';
import { cookieAfter } from '../session/cookie';
import { isEndpoint } from '../session/endpoint';
import { ANYTHING, ENTROPY_SIZE, newSessionDraft, Session, TOKEN_ID_SIZE, Upstream } from '../session/token';
import { messagePath } from '../upstream/message-path';
import { refuseFor } from './access';
import { isRefused, refuseCredential } from './credentials';
import { Exchange, Outcome } from './exchange';
import { Target } from './target';
import { sendOn } from './send-on';

/**
 * HTTP+SSE, the transport of MCP 2024-11-05. A client opens an event stream with GET; the first event in it says where to
 * POST messages. A POST is answered with 202, and what answers the message comes in the stream.
 *
 *     GET  ──▶ server:   event: endpoint, data: /messages?id=7     the client gets   data: /mcp?sessionId=<sealed>
 *     POST /mcp?sessionId=<sealed>  ──▶ server: POST /messages?id=7
 *
 * A filter cannot put several streams into one, so each is that of one server, and serves this transport alone. The
 * address has the server and its path in it, sealed for the caller: any worker of any replica takes a POST, and nothing is
 * remembered. What comes in the stream is known by its shape, see stream-texts.ts.
 */
const PARAMETER = literal('sessionId=');
const WITHOUT_STREAM = literal('POST, DELETE');
const STREAM_ALONE = literal('GET');
const EMPTY = literal('');

/** Whether the path of a request is an address that such a stream began with: then `exchange.address` is what is sealed. */
export function hasAddress(exchange: Exchange): bool {
  if (exchange.request.sessionId !== NONE || !servesHttpSse(exchange.gateway)) return false;
  const path = exchange.request.path;
  const query = indexOf(path, QUESTION_MARK);
  if (query < 0) return false;
  const parameter = after(path, (query as u32) + 1);
  if (!startsWith(parameter, PARAMETER)) return false;
  const value = after(parameter, PARAMETER as u32);
  const end = indexOf(value, AMPERSAND);
  exchange.address = end < 0 ? value : first(value, end as u32);
  exchange.isHttpSse = true;
  exchange.caller.scope.overHttpSse = true;
  return true;
}

/** A GET that names no session: the stream of the one server of this transport that is behind the path. */
export function openStream(exchange: Exchange): Outcome {
  const server = acceptsEvents(exchange) ? onlyOverHttpSse(exchange) : null;
  if (server === null) return refuseFor(exchange, Reason.NoHttpSse, NONE, WITHOUT_STREAM);
  exchange.caller.scope.overHttpSse = true;
  exchange.isHttpSse = true;
  exchange.message.whole = true;
  const upstream = make<Upstream>(exchange.arena);
  upstream.fingerprint = server.fingerprint;
  upstream.revision = Revision.V2024_11_05;
  return passOn(exchange, server, upstream);
}

/** `initialize` over Streamable HTTP where no server of that transport is: clients that know both open a stream then. */
export function refuseStreamable(exchange: Exchange): Outcome {
  const server = onlyOverHttpSse(exchange);
  const name: Span = server === null ? NONE : server.name;
  return refuseFor(exchange, Reason.HttpSseAlone, server === null ? EMPTY : name, STREAM_ALONE);
}

/** The one server of this transport that this request may reach; null where there are several, or none. */
export function onlyOverHttpSse(exchange: Exchange): Server | null {
  const scope = exchange.caller.scope;
  scope.overHttpSse = true;
  const server = onlyReachable(exchange.gateway, scope);
  scope.overHttpSse = false;
  return server;
}

/**
 * What a client is told in the place of the path that its server named: the same request, and the address sealed. NONE
 * where that leads elsewhere, or is too long.
 * @param data of the server's event
 */
export function addressFor(exchange: Exchange, data: Span): Span {
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  const path = messagePath(data, exchange.target.server, scratch);
  if (path === NONE) return NONE;
  const upstream = make<Upstream>(scratch);
  upstream.fingerprint = exchange.target.server.fingerprint;
  upstream.revision = Revision.V2024_11_05;
  upstream.offers = ANYTHING;
  upstream.sessionId = path;
  upstream.endpoint = exchange.plan.forward.upstream.endpoint;
  upstream.cookie = exchange.plan.forward.upstream.cookie;
  const draft = newSessionDraft(Revision.V2024_11_05, scratch);
  if (!draft.add(upstream)) return NONE;
  const entropy = random(ENTROPY_SIZE, arena);
  const audience = audienceOfStream(exchange.caller.audience, scratch);
  const key = gateway.keys.sealing;
  const token = draft.sealed(key, entropy, exchange.seconds, gateway.sessionTtl, audience, scratch);
  const session = make<Session>(arena);
  session.key = key;
  session.id = first(entropy, TOKEN_ID_SIZE as u32);
  exchange.stream = session;
  const own = exchange.request.path;
  const query = indexOf(own, QUESTION_MARK);
  return newWriter(scratch, 512)
    .bytes(query < 0 ? own : first(own, query as u32))
    .byte(QUESTION_MARK)
    .bytes(PARAMETER)
    .bytes(token).written;
}

/**
 * The instance that has the stream: messages are for that one.
 * @param endpoint as the cluster says it, or NONE
 * @param headers of the response that the stream is
 */
export function takeInstance(exchange: Exchange, endpoint: Span, headers: Span): void {
  if (!exchange.isHttpSse) return;
  const arena = exchange.arena;
  const upstream = exchange.plan.forward.upstream;
  if (isEndpoint(endpoint)) upstream.endpoint = arena.copy(endpoint);
  upstream.cookie = arena.copy(cookieAfter(headers, exchange.target.server.stickyCookie, NONE, scratch));
}

/** The stream has ended: so does its address, on this Envoy at once, elsewhere as soon as its server says so. */
export function leaveStream(exchange: Exchange): void {
  const session = exchange.stream;
  if (session !== null) markEnded(session, exchange.gateway.keys, scratch);
}

/** The server that the address is of, where it is still there for this request; else null. */
export function serverOf(exchange: Exchange, session: Session): Server | null {
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    if (mayReach(server, exchange.caller.scope) && session.upstream(server.fingerprint, scratch) !== null)
      return server;
  }
  return null;
}

/** As it was written: there is one server, and one client. */
export function passOn(exchange: Exchange, server: Server, upstream: Upstream): Outcome {
  aimAtServer(exchange, server);
  return isRefused(server) ? refuseCredential(exchange, server) : sendOn(exchange, upstream);
}

export function aimAtServer(exchange: Exchange, server: Server): void {
  const target = make<Target>(exchange.arena);
  target.server = server;
  target.name = EMPTY;
  exchange.target = target;
  exchange.server = server;
}

/** Elsewhere the query of a client is its own. */
function servesHttpSse(gateway: Gateway): bool {
  for (let i = 0; i < gateway.servers.count; i++) if (gateway.serverAt(i).dialect.isOverHttpSse) return true;
  return false;
}

function acceptsEvents(exchange: Exchange): bool {
  return contains(valuesIn(exchange.request.pairs, header.ACCEPT, scratch), header.EVENTS_TYPE);
}
