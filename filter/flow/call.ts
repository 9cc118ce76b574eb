import { make, scratch } from '../bytes/arena';
import { newHeaderList } from '../bytes/pairs';
import { Span, after, equals, first, length, literal, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Gateway, Server } from '../config/gateway';
import { editCredentials } from '../federation/credentials';
import { OUR_VIA } from '../federation/via';
import { offsetBehind, textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import { clipped, headerText } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { methodText } from '../mcp/methods';
import { revisionText } from '../mcp/revisions';
import { mayUse } from '../policy/decision';
import { upstreamOf } from '../session/overlay';
import { Session, Upstream } from '../session/token';
import { Exchange, Forward, Outcome, Stage, Target } from './exchange';
import { beginJoin } from './join';

const NO_NAME = literal('params.name is missing or not a string');
/** MCP says that names of tools have 128 characters at most; what a client sends may have any number. */
const MAX_LOGGED_NAME = 128;
const ANY_TYPE = literal('*/*');

/** `tools/call`: to the server that the prefix names, with the prefix cut out of the bytes of the name. */
export function beginCall(exchange: Exchange, session: Session): Outcome {
  const token = exchange.envelope.nameIn(exchange.body);
  if (token === NONE) return exchange.refuse(Reason.UnknownTool, NO_NAME);
  const name = textOf(token, scratch);
  // No name that is not text can be in a list (a lone surrogate has no UTF-8 form).
  if (name === NONE) return exchange.refuse(Reason.UnknownTool, token);
  exchange.tool = exchange.arena.copy(clipped(name, MAX_LOGGED_NAME));
  const server = serverOf(exchange.gateway, name);
  exchange.server = server;
  if (server === null) return exchange.refuse(Reason.UnknownTool, name);
  const upstreamName = after(name, server.prefix as u32);
  // What is hidden gets the very answer of what does not exist, before anything else is said about its server.
  if (!mayUse(server, upstreamName, exchange.scope)) return exchange.refuse(Reason.UnknownTool, name);

  const target = make<Target>(exchange.arena);
  exchange.target = target;
  target.server = server;
  target.name = exchange.arena.copy(upstreamName);
  const start = (exchange.envelope.name >> 32) as u32;
  target.cutFrom = start + 1;
  target.cutTo = start + offsetBehind(token, length(server.prefix));

  const upstream = upstreamOf(session, server.fingerprint, exchange.gateway.keys, exchange.arena);
  if (upstream !== null) return sendOn(exchange, upstream);
  // Of a released body the rest cannot wait: it is held until its server is known, see `release`.
  if (!exchange.whole) return Outcome.ReadBody;
  // The answer comes in another callback.
  if (!exchange.kept) exchange.body = exchange.arena.copy(first(exchange.body, target.cutTo));
  return beginJoin(exchange, session, Stage.Join);
}

/** The edits that make the client's message one for this server. */
export function sendOn(exchange: Exchange, upstream: Upstream): Outcome {
  const arena = exchange.arena;
  const target = exchange.target;
  const server = target.server;
  const forward = make<Forward>(arena);
  exchange.forward = forward;
  forward.inSession = upstream.sessionId !== NONE;
  forward.headers = newHeaderList(arena)
    // The route matches on it.
    .add(header.SERVER_NAME, server.name)
    .add(header.METHOD_NAME, methodText(exchange.method))
    .add(header.TOOL_NAME, headerText(target.name, arena))
    .add(header.PATH, server.path)
    .add(header.AUTHORITY, server.authority)
    .add(header.SESSION_ID, upstream.sessionId)
    .add(header.PROTOCOL_VERSION, revisionText(upstream.revision))
    .add(header.PER_TRY_TIMEOUT, newWriter(arena, 16).decimal(server.callTimeout as u64).written)
    .add(header.VIA, viaOf(exchange));
  const accept = exchange.request.accept;
  if (accept === NONE || equals(accept, ANY_TYPE)) forward.headers.add(header.ACCEPT, header.JSON_OR_EVENTS);
  // It narrows what this gateway serves; behind it the name means nothing, or something else.
  if (exchange.request.virtualServer !== NONE) forward.headers.add(header.VIRTUAL_SERVER, NONE);
  editCredentials(forward.headers, server.credentials, exchange.gateway.identity.header);
  // A message that may yet be cut off must not look complete to the upstream: H1 then frames it in chunks, and a cut
  // one lacks the last.
  if (!exchange.whole) forward.headers.add(header.CONTENT_LENGTH, NONE);
  else if (exchange.request.hasContentLength) {
    const size = exchange.size - (target.cutTo - target.cutFrom);
    forward.headers.add(header.CONTENT_LENGTH, newWriter(arena, 16).decimal(size as u64).written);
  }
  return Outcome.Forward;
}

/** Prefixes are prefix-free, so at most one matches. */
function serverOf(gateway: Gateway, name: Span): Server | null {
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (startsWith(name, server.prefix)) return server;
  }
  return null;
}

function viaOf(exchange: Exchange): Span {
  const via = exchange.request.via;
  if (via === NONE) return OUR_VIA;
  return newWriter(exchange.arena, 64).bytes(via).byte(0x2c).byte(0x20).bytes(OUR_VIA).written;
}
