import { make, scratch } from '../bytes/arena';
import { HeaderList, newHeaderList } from '../bytes/pairs';
import { Span, after, equals, length, literal, startsWith, NONE } from '../bytes/span';
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
import { isCallable } from '../policy/callable';
import { Session, Upstream } from '../session/token';
import { Exchange, Forward, Outcome } from './exchange';
import { Request } from './request';

const NO_NAME = literal('params.name is missing or not a string');
const NOT_IN_SESSION = literal('it did not take part when this session began; send initialize for a new one');
/** MCP says that names of tools have 128 characters at most; what a client sends may have any number. */
const MAX_LOGGED_NAME = 128;
const ANY_TYPE = literal('*/*');

/** `tools/call`: to the server that the prefix names, with the prefix cut out of the bytes of the name. */
export function beginCall(exchange: Exchange, session: Session): Outcome {
  const arena = exchange.arena;
  const token = exchange.envelope.nameIn(exchange.body);
  const name = token === NONE ? NONE : textOf(token, scratch);
  if (token === NONE) return exchange.refuse(Reason.UnknownTool, NO_NAME);
  // No name that is not text can be in a list (a lone surrogate has no UTF-8 form).
  if (name === NONE) return exchange.refuse(Reason.UnknownTool, token);
  exchange.tool = arena.copy(clipped(name, MAX_LOGGED_NAME));
  const server = serverOf(exchange.gateway, name);
  exchange.server = server;
  if (server === null) return exchange.refuse(Reason.UnknownTool, name);
  const upstreamName = after(name, server.prefix as u32);
  if (!isCallable(upstreamName)) return exchange.refuse(Reason.UnknownTool, name);
  const upstream = session.upstream(server.fingerprint, arena);
  if (upstream === null) return exchange.refuse(Reason.UpstreamUnreachable, NOT_IN_SESSION, server.name);

  const forward = make<Forward>(arena);
  exchange.forward = forward;
  forward.server = server;
  forward.inSession = upstream.sessionId !== NONE;
  const start = (exchange.envelope.name >> 32) as u32;
  forward.cutFrom = start + 1;
  forward.cutTo = start + offsetBehind(token, length(server.prefix));
  forward.headers = newHeaderList(arena);
  editHeaders(forward.headers, exchange, server, upstream);
  forward.headers.add(header.TOOL_NAME, headerText(upstreamName, arena));
  if (exchange.request.hasContentLength) {
    const size = (exchange.body as u32) - (forward.cutTo - forward.cutFrom);
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

/** What every message that is sent on to a server needs; the route matches on the first. */
function editHeaders(edits: HeaderList, exchange: Exchange, server: Server, upstream: Upstream): void {
  edits
    .add(header.SERVER_NAME, server.name)
    .add(header.METHOD_NAME, methodText(exchange.method))
    .add(header.PATH, server.path)
    .add(header.AUTHORITY, server.authority)
    .add(header.SESSION_ID, upstream.sessionId)
    .add(header.PROTOCOL_VERSION, revisionText(upstream.revision))
    .add(header.PER_TRY_TIMEOUT, newWriter(exchange.arena, 16).decimal(server.callTimeout as u64).written)
    .add(header.VIA, viaOf(exchange.request, exchange));
  const accept = exchange.request.accept;
  if (accept === NONE || equals(accept, ANY_TYPE)) edits.add(header.ACCEPT, header.JSON_OR_EVENTS);
  editCredentials(edits, server.credentials, exchange.gateway.identity.header);
}

function viaOf(request: Request, exchange: Exchange): Span {
  if (request.via === NONE) return OUR_VIA;
  return newWriter(exchange.arena, 64).bytes(request.via).byte(0x2c).byte(0x20).bytes(OUR_VIA).written;
}
