import { make, newArena } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { Revision } from '../../../filter/mcp/revisions';
import { isPoolFull, pool, pooledUpstream } from '../../../filter/session/pool';
import { requestSession, share } from '../../../filter/session/request-session';
import { Session, Upstream } from '../../../filter/session/token';
import { ring } from './host-slots';

const work = newArena(16 << 10);

function standIn(id: usize, now: u32): Session {
  const session = requestSession(ring.sealing, now, work);
  share(session, span(id, 16));
  return session;
}

/** 0: not kept; 1: kept; 2: in the place of another, whose id `poolDisplaced` has. */
export function poolPut(id: usize, server: u64, upstreamId: usize, count: u32, now: u32): i32 {
  work.reset();
  const upstream = make<Upstream>(work);
  upstream.fingerprint = server;
  upstream.revision = Revision.V2025_11_25;
  upstream.offers = 7;
  upstream.sessionId = span(upstreamId, count);
  const pooling = pool(standIn(id, now), upstream, now, ring, work);
  displaced = pooling.displaced;
  return !pooling.isKept ? 0 : displaced === null ? 1 : 2;
}

let displaced: Upstream | null = null;

export function poolDisplaced(): Span {
  return displaced!.sessionId;
}

/** The id of the session at the server, or NONE. */
export function poolGet(id: usize, server: u64, now: u32): Span {
  work.reset();
  const found = pooledUpstream(standIn(id, now), server, now, ring, work);
  return found === null ? NONE : found.sessionId;
}

export function poolIsFull(id: usize, server: u64, now: u32): bool {
  work.reset();
  return isPoolFull(standIn(id, now), server, now, ring, work);
}
