import { make, scratch } from '../bytes/arena';
import { NONE } from '../bytes/span';
import { Era } from '../mcp/eras';
import { Revision } from '../mcp/revisions';
import { Dialect, spokenDialect } from '../model/dialects';
import { Server } from '../model/server';
import { join, renewCookie, upstreamOf } from '../session/overlay';
import { isPoolFull, pool, pooledUpstream, renewPooledCookie } from '../session/pool';
import { isOfRequest, share } from '../session/request-session';
import { erasOf, noteEras } from '../session/server-eras';
import { ANYTHING, Session, TOKEN_ID_SIZE, Upstream } from '../session/token';
import { random } from '../ports';
import { UpstreamCall } from '../upstream/call';
import { Exchange } from './exchange';
import { mayShare, sharingIdOf } from './sharing';

/** In which era a server is spoken to: in that of the client, where it can be. */

/** The server's part of a session, or of what stands for one; null: it has to be opened first, see opening.ts. */
export function knownUpstream(exchange: Exchange, session: Session, server: Server): Upstream | null {
  const keys = exchange.gateway.keys;
  if (isOfRequest(session)) {
    if (server.dialect.era === Era.Stateless) return statelessUpstream(exchange, server, ANYTHING);
    if (server.revision === Revision.Unknown) {
      const eras = erasOf(server.fingerprint, exchange.seconds, keys, scratch);
      if ((eras.speaks & Era.Stateless) !== 0) return statelessUpstream(exchange, server, eras.offers);
    }
    return sharedUpstream(exchange, session, server);
  }
  return upstreamOf(session, server.fingerprint, keys, exchange.arena);
}

/** What stands for a session with a server that keeps none. @param offers bits of Capability */
export function statelessUpstream(exchange: Exchange, server: Server, offers: u32): Upstream {
  const upstream = make<Upstream>(exchange.arena);
  upstream.fingerprint = server.fingerprint;
  upstream.revision = Revision.V2026_07_28;
  upstream.offers = offers;
  return upstream;
}

/** A session with a server that keeps them, where an earlier request of the same caller has opened one; else null. */
function sharedUpstream(exchange: Exchange, session: Session, server: Server): Upstream | null {
  identify(exchange, session);
  if (!session.isShared) return null;
  return pooledUpstream(session, server.fingerprint, exchange.seconds, exchange.gateway.keys, exchange.arena);
}

/** Gives the stand-in an id, once a session with a server is to begin in it. Who asks is read in the whole message. */
function identify(exchange: Exchange, session: Session): void {
  if (session.id !== NONE || !exchange.message.whole) return;
  if (mayShare(exchange)) share(session, sharingIdOf(exchange));
  else session.id = random(TOKEN_ID_SIZE, exchange.arena);
}

/** Whether a session with a server that is opened now is of use to this request alone. */
export function isForRequestAlone(exchange: Exchange, session: Session, server: Server): bool {
  if (!isOfRequest(session)) return false;
  if (!session.isShared) return true;
  return isPoolFull(session, server.fingerprint, exchange.seconds, exchange.gateway.keys, scratch);
}

/** Keeps the server's part of a session for later requests. False: they have no use for it. */
export function keepUpstream(exchange: Exchange, session: Session, upstream: Upstream): bool {
  const keys = exchange.gateway.keys;
  if (!isOfRequest(session)) {
    join(session, upstream, keys, scratch);
    return true;
  }
  if (!session.isShared || !upstream.dialect.hasSessions) return false;
  const pooling = pool(session, upstream, exchange.seconds, keys, exchange.arena);
  const displaced = pooling.displaced;
  if (displaced !== null) endDisplaced(exchange, displaced);
  return pooling.isKept;
}

/** Keeps the cookie that a server's balancer has set in a later answer, for later requests. */
export function renewUpstream(exchange: Exchange, session: Session, upstream: Upstream): void {
  const keys = exchange.gateway.keys;
  if (!isOfRequest(session)) renewCookie(session, upstream, keys, scratch);
  else if (session.isShared) renewPooledCookie(session, upstream, exchange.seconds, keys, scratch);
}

/** A session that had to give way ends, unless it was opened with credentials of a caller: they are not at hand. */
function endDisplaced(exchange: Exchange, displaced: Upstream): void {
  const server = exchange.gateway.serverOf(displaced.fingerprint);
  if (server === null || server.credentials.isOfClient) return;
  exchange.conversation.abandon(server, displaced);
}

/** In which a conversation with a server begins that is not known to speak one. @param revision of the client */
export function dialectToTry(exchange: Exchange, server: Server, revision: Revision): Dialect {
  if (server.revision !== Revision.Unknown) return spokenDialect(server.revision);
  const lacks = erasOf(server.fingerprint, exchange.seconds, exchange.gateway.keys, scratch).lacks;
  if (revision === Revision.V2026_07_28) return (lacks & Era.Stateless) === 0 ? Dialect.Stateless : Dialect.Session;
  return (lacks & Era.Sessions) === 0 ? Dialect.Session : Dialect.Stateless;
}

/** Remembers what a conversation has told of the eras of its server. */
export function learnEras(exchange: Exchange, call: UpstreamCall): void {
  const server = call.server;
  if (call.failed || server.revision !== Revision.Unknown) return;
  const isStateless = !call.upstream.dialect.hasSessions;
  if (!isStateless && !call.fellBack) return;
  const speaks: u32 = call.upstream.dialect.era;
  const lacks: u32 = !call.fellBack ? 0 : isStateless ? Era.Sessions : Era.Stateless;
  const offers = call.upstream.offers;
  noteEras(server.fingerprint, speaks, lacks, offers, exchange.seconds, exchange.gateway.keys, scratch);
}
