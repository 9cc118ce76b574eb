import { Arena, make } from '../bytes/arena';
import { HeaderList, newHeaderList, readPairs, valuesIn } from '../bytes/pairs';
import { Span, literal, NONE } from '../bytes/span';
import { Server } from '../model/server';
import * as header from '../mcp/headers';
import { Method } from '../mcp/methods';
import { isOfTrace } from '../mcp/trace-context';
import { Revision, revisionText } from '../mcp/revisions';
import { Upstream } from '../session/token';
import { addCredentials } from './credentials';
import { repeatMessage } from './message-headers';
import { viaBehind } from './via';

/** A message of our own to an upstream. */
@unmanaged
export class Callout {
  cluster: Span;
  headers: HeaderList;
  body: Span;

  /** Bytes that it takes to send it. */
  get size(): u32 {
    return this.headers.packedSize + (this.body as u32);
  }
}

const USER_AGENT = literal('user-agent');
const SLUICE = literal('sluice');

/**
 * @param client the client's headers, for where it came from and for credentials that are passed through
 * @param method of the message, which a server without sessions reads in a header
 * @param name of what it is about, which such a server reads in another; NONE: of nothing that has one
 */
export function post(
  server: Server,
  upstream: Upstream,
  body: Span,
  client: Span,
  arena: Arena,
  method: Method = Method.Unknown,
  name: Span = NONE,
): Callout {
  const callout = request(server, upstream, header.POST, client, arena);
  callout.headers
    .add(header.CONTENT_TYPE, header.JSON_TYPE)
    .add(header.ACCEPT, header.JSON_OR_EVENTS)
    .add(header.ACCEPT_ENCODING, header.IDENTITY);
  if (upstream.dialect.repeatsInHeaders) repeatMessage(callout.headers, method, name);
  callout.body = body;
  return callout;
}

/** Ends the upstream's session. */
export function terminate(server: Server, upstream: Upstream, client: Span, arena: Arena): Callout {
  return request(server, upstream, header.DELETE, client, arena);
}

/** It belongs to the trace of the client's request. @param client the client's headers */
function addTrace(to: HeaderList, client: Span, arena: Arena): void {
  for (const pairs = readPairs(client, arena); pairs.next();) {
    if (isOfTrace(pairs.name)) to.add(pairs.name, pairs.value);
  }
}

function request(server: Server, upstream: Upstream, method: Span, client: Span, arena: Arena): Callout {
  const callout = make<Callout>(arena);
  callout.cluster = server.cluster;
  callout.headers = newHeaderList(arena)
    .add(header.METHOD, method)
    .add(header.PATH, server.path)
    .add(header.AUTHORITY, server.authority)
    .add(USER_AGENT, SLUICE)
    .add(header.VIA, viaBehind(valuesIn(client, header.VIA, arena), server.via, arena));
  if (upstream.sessionId !== NONE) callout.headers.add(header.SESSION_ID, upstream.sessionId);
  if (upstream.endpoint !== NONE) callout.headers.add(header.ENDPOINT, upstream.endpoint);
  if (upstream.cookie !== NONE) callout.headers.add(header.COOKIE, upstream.cookie);
  // Its own revision, which may differ from the client's; not yet known while it is being initialized.
  if (upstream.revision !== Revision.Unknown) {
    callout.headers.add(header.PROTOCOL_VERSION, revisionText(upstream.revision));
  }
  addTrace(callout.headers, client, arena);
  addCredentials(callout.headers, server.credentials, client, arena);
  return callout;
}
