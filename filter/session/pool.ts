import { Arena, make } from '../bytes/arena';
import { Span, after, equals, first, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { packedSize, packUpstream, unpackUpstream } from './overlay';
import { isWithin, owner, slotTable } from './slots';
import { Session, TOKEN_ID_SIZE, Upstream } from './token';

/**
 * Sessions with servers that requests without a session of their own share (MCP 2026-07-28): a handshake for each would
 * cost more than the request. They are for those alone who have the same stand-in, see flow/sharing.ts. A session that was
 * used a moment ago keeps its place; one that was not gives way, so that there are never more than the table has slots.
 *
 *     │ id of the stand-in (16) │ server (8) │ last used, seconds (4) │ the server's part, as in overlay.ts … │
 */
const TABLE = slotTable(literal('sluice/pool/'), 2048);
/** Seconds after which a session gives way to another. */
const IDLE: u32 = 300;
/** Seconds after which its use is noted again: not with each request, which would cost a write. */
const NOTED_EACH: u32 = 60;

const SERVER: usize = TOKEN_ID_SIZE;
const USED: usize = SERVER + 8;
const UPSTREAM: usize = USED + 4;

/** What came of putting a session there. */
@unmanaged
export class Pooling {
  isKept: bool;
  /** The session that gave way, or null. */
  displaced: Upstream | null;
}

/** The session with a server that requests with this stand-in share, or null. */
export function pooledUpstream(
  session: Session,
  fingerprint: u64,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): Upstream | null {
  const place = placeOf(session, fingerprint, arena);
  const entry = TABLE.occupant(place, keys, arena);
  if (entry === NONE || !isOwn(entry, session, fingerprint)) return null;
  const upstream = partIn(entry, arena);
  if (!isWithin(load<u32>(pointer(entry), USED), now, NOTED_EACH)) {
    TABLE.displace(place, entryOf(session, upstream, now, arena), keys, arena);
  }
  return upstream;
}

/** Whether another session has the place, and was used a moment ago. */
export function isPoolFull(session: Session, fingerprint: u64, now: u32, keys: KeyRing, arena: Arena): bool {
  const entry = TABLE.occupant(placeOf(session, fingerprint, arena), keys, arena);
  return entry !== NONE && !isOwn(entry, session, fingerprint) && isBusy(entry, now);
}

/** Shares a session, in the place of an earlier one with the same server. */
export function pool(session: Session, upstream: Upstream, now: u32, keys: KeyRing, arena: Arena): Pooling {
  const pooling = make<Pooling>(arena);
  const place = placeOf(session, upstream.fingerprint, arena);
  const entry = TABLE.occupant(place, keys, arena);
  const isOthers = entry !== NONE && !isOwn(entry, session, upstream.fingerprint);
  if (isOthers && isBusy(entry, now)) return pooling;
  pooling.isKept = TABLE.displace(place, entryOf(session, upstream, now, arena), keys, arena);
  if (pooling.isKept && isOthers) pooling.displaced = partIn(entry, arena);
  return pooling;
}

/** Keeps the cookie that a balancer has set in a later answer; not where the server's session is another one by now. */
export function renewPooledCookie(session: Session, upstream: Upstream, now: u32, keys: KeyRing, arena: Arena): void {
  const place = placeOf(session, upstream.fingerprint, arena);
  const entry = TABLE.occupant(place, keys, arena);
  if (entry === NONE || !isOwn(entry, session, upstream.fingerprint)) return;
  const known = partIn(entry, arena);
  if (!equals(known.sessionId, upstream.sessionId)) return;
  known.cookie = upstream.cookie;
  TABLE.displace(place, entryOf(session, known, now, arena), keys, arena);
}

function isOwn(entry: Span, session: Session, fingerprint: u64): bool {
  return equals(first(entry, TOKEN_ID_SIZE as u32), session.id) && load<u64>(pointer(entry), SERVER) === fingerprint;
}

function isBusy(entry: Span, now: u32): bool {
  return isWithin(load<u32>(pointer(entry), USED), now, IDLE);
}

function partIn(entry: Span, arena: Arena): Upstream {
  return unpackUpstream(after(entry, UPSTREAM as u32), load<u64>(pointer(entry), SERVER), arena);
}

function entryOf(session: Session, upstream: Upstream, now: u32, arena: Arena): Span {
  const entry = newWriter(arena, UPSTREAM + packedSize(upstream));
  packUpstream(entry.bytes(session.id).u64(upstream.fingerprint).u32(now), upstream);
  return entry.written;
}

function placeOf(session: Session, fingerprint: u64, arena: Arena): Span {
  return owner(TABLE, session.id, fingerprint, arena);
}
