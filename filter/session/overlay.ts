import { Arena, make } from '../bytes/arena';
import { Span, after, equals, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { MAX_COOKIE } from './cookie';
import { MAX_ENDPOINT } from './endpoint';
import { owner, slotTable } from './slots';
import { Session, Upstream } from './token';
import { packId, unpackCookie, unpackEndpoint, unpackId } from './upstream-id';

/**
 * Upstream sessions that began after the client's: of a server that was down, was added, or lost its session; and those
 * whose balancer has set another cookie since. The token cannot change any more, so they live beside it, for this Envoy;
 * elsewhere, or once overwritten, they begin anew, or go on with the cookie that the token has.
 *
 *     │ revision (1) │ offers (4) │ packed session id … │
 */
const TABLE = slotTable(literal('sluice/sessions/'), 8192);

/** The upstream as it was joined last, else as it was when the session began; null: it is not part of it. */
export function upstreamOf(session: Session, fingerprint: u64, keys: KeyRing, arena: Arena): Upstream | null {
  const entry = TABLE.read(owner(TABLE, session.id, fingerprint, arena), keys, arena);
  if (entry === NONE) return session.upstream(fingerprint, arena);
  return unpackUpstream(entry, fingerprint, arena);
}

export function join(session: Session, upstream: Upstream, keys: KeyRing, arena: Arena): void {
  const entry = newWriter(arena, packedSize(upstream));
  packUpstream(entry, upstream);
  TABLE.write(owner(TABLE, session.id, upstream.fingerprint, arena), entry.written, keys, arena);
}

/**
 * Keeps the cookie that a balancer has set in a later answer, for this Envoy; not where the server has another session by
 * now, or another worker wrote in the same moment.
 */
export function renewCookie(session: Session, upstream: Upstream, keys: KeyRing, arena: Arena): void {
  const place = owner(TABLE, session.id, upstream.fingerprint, arena);
  const entry = TABLE.read(place, keys, arena);
  const known =
    entry === NONE ? session.upstream(upstream.fingerprint, arena) : unpackUpstream(entry, upstream.fingerprint, arena);
  if (known === null || !equals(known.sessionId, upstream.sessionId)) return;
  known.cookie = upstream.cookie;
  const renewed = newWriter(arena, packedSize(known));
  packUpstream(renewed, known);
  TABLE.swap(place, renewed.written, keys, arena);
}

/** Bytes that `packUpstream` writes at most. */
export function packedSize(upstream: Upstream): usize {
  return (length(upstream.sessionId) as usize) + MAX_ENDPOINT + MAX_COOKIE + 16;
}

export function packUpstream(entry: Writer, upstream: Upstream): void {
  entry.u8(upstream.revision).u32(upstream.offers);
  packId(entry, upstream.sessionId, upstream.endpoint, upstream.cookie);
}

/** @param packed what `packUpstream` wrote */
export function unpackUpstream(packed: Span, fingerprint: u64, arena: Arena): Upstream {
  const upstream = make<Upstream>(arena);
  upstream.fingerprint = fingerprint;
  upstream.revision = load<u8>(pointer(packed));
  upstream.offers = load<u32>(pointer(packed), 1);
  upstream.sessionId = unpackId(after(packed, 5), arena);
  upstream.endpoint = unpackEndpoint(after(packed, 5));
  upstream.cookie = unpackCookie(after(packed, 5));
  return upstream;
}
