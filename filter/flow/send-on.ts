import { make } from '../bytes/arena';
import { HeaderList, newHeaderList } from '../bytes/pairs';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { withhold } from '../federation/credentials';
import { CredentialKind, Credentials } from '../config/gateway';
import { OUR_VIA } from '../federation/via';
import { headerText } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { methodText } from '../mcp/methods';
import { Revision, revisionText } from '../mcp/revisions';
import { Upstream } from '../session/token';
import { Exchange, Forward, Outcome } from './exchange';

const ANY_TYPE = literal('*/*');

/** The edits that make the client's message one for this server. */
export function sendOn(exchange: Exchange, upstream: Upstream): Outcome {
  const arena = exchange.arena;
  const target = exchange.target;
  const server = target.server;
  const forward = make<Forward>(arena);
  exchange.forward = forward;
  forward.upstream = upstream;
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
  if (!equals(server.cluster, server.name)) forward.headers.add(header.CLUSTER, server.cluster);
  if (upstream.revision === Revision.V2026_07_28) forward.headers.add(header.MCP_NAME, headerText(target.name, arena));
  const accept = exchange.request.accept;
  if (accept === NONE || equals(accept, ANY_TYPE)) forward.headers.add(header.ACCEPT, header.JSON_OR_EVENTS);
  // It narrows what this gateway serves; behind it the name means nothing, or something else.
  if (exchange.request.virtualServer !== NONE) forward.headers.add(header.VIRTUAL_SERVER, NONE);
  editCredentials(forward.headers, exchange, server.credentials);
  // A message that may yet be cut off must not look complete to the upstream: H1 then frames it in chunks, and a cut
  // one lacks the last.
  if (!exchange.whole) forward.headers.add(header.CONTENT_LENGTH, NONE);
  else if (exchange.request.hasContentLength) {
    const size = exchange.size - (target.cutTo - target.cutFrom);
    forward.headers.add(header.CONTENT_LENGTH, newWriter(arena, 16).decimal(size as u64).written);
  }
  return Outcome.Forward;
}

/** What a client sends as proof of who it is is for us; a server gets its own. */
function editCredentials(edits: HeaderList, exchange: Exchange, credentials: Credentials): void {
  const request = exchange.request;
  const identity = exchange.gateway.identity.header;
  if (identity !== NONE) withhold(edits, credentials, identity);
  if (request.hasAuthorization) withhold(edits, credentials, header.AUTHORIZATION);
  if (request.hasCookie) withhold(edits, credentials, header.COOKIE);
  if (request.hasProxyAuthorization) withhold(edits, credentials, header.PROXY_AUTHORIZATION);
  if (credentials.kind === CredentialKind.Header) edits.add(credentials.header, credentials.value);
}

function viaOf(exchange: Exchange): Span {
  const via = exchange.request.via;
  if (via === NONE) return OUR_VIA;
  return newWriter(exchange.arena, 64).bytes(via).byte(0x2c).byte(0x20).bytes(OUR_VIA).written;
}
