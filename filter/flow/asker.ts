import { make } from '../bytes/arena';
import { Span, equals, NONE } from '../bytes/span';
import { Server } from '../model/server';
import { mayReach } from '../policy/decision';
import { upstreamOf } from '../session/overlay';
import { decodeServerRequestId } from '../session/server-request-id';
import { Session, Upstream } from '../session/token';
import { Exchange } from './exchange';

/** A server that has asked the client for something, and is spoken to about it. */
@unmanaged
export class Asker {
  server: Server;
  /** The session in which it asked. */
  upstream: Upstream;
  /** Its own id or progress token, as it wrote it. */
  original: Span;
}

/**
 * Who asked under this id or progress token, and is still there for this request; else null. Where a server has lost its
 * session since, it is told in the lost one all the same: in another one it could take this for something else.
 * @param id as a token of JSON
 */
export function askerOf(exchange: Exchange, session: Session, id: Span): Asker | null {
  if (id === NONE) return null;
  const asked = decodeServerRequestId(session, id, exchange.arena);
  if (asked === null) return null;
  const server = serverOf(exchange, session, asked.fingerprint);
  if (server === null) return null;
  const asker = make<Asker>(exchange.arena);
  asker.server = server;
  const known = upstreamOf(session, server.fingerprint, exchange.gateway.keys, exchange.arena);
  // It knows more of the same session, such as the instance of the server that has it.
  asker.upstream = known !== null && equals(known.sessionId, asked.upstream.sessionId) ? known : asked.upstream;
  asker.upstream.fingerprint = server.fingerprint;
  asker.original = asked.original;
  return asker;
}

/**
 * The server that was sealed into something of this session, where it is still there for this request; else null.
 * @param fingerprint under the key of the session
 */
export function serverOf(exchange: Exchange, session: Session, fingerprint: u64): Server | null {
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    if (session.key.fingerprintOf(server.fingerprint) !== fingerprint) continue;
    return mayReach(server, exchange.caller.scope) ? server : null;
  }
  return null;
}
