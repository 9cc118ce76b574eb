import { Arena, make } from '../bytes/arena';
import { Span, after, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { MAX_ENDPOINT } from './endpoint';
import { owner, slotTable } from './slots';
import { Session, Upstream } from './token';
import { packId, unpackEndpoint, unpackId } from './upstream-id';

/**
 * Upstream sessions that began after the client's: of a server that was down, was added, or lost its session. The token
 * cannot change any more, so they live beside it, for this Envoy; elsewhere, or once overwritten, they begin anew.
 *
 *     │ revision (1) │ offers (4) │ packed session id … │
 */
const TABLE = slotTable(literal('sluice/sessions/'), 8192);

/** The upstream as it was joined last, else as it was when the session began; null: it is not part of it. */
export function upstreamOf(session: Session, fingerprint: u64, keys: KeyRing, arena: Arena): Upstream | null {
  const entry = TABLE.read(owner(TABLE, session.id, fingerprint, arena), keys, arena);
  if (entry === NONE) return session.upstream(fingerprint, arena);
  const upstream = make<Upstream>(arena);
  upstream.fingerprint = fingerprint;
  upstream.revision = load<u8>(pointer(entry));
  upstream.offers = load<u32>(pointer(entry), 1);
  upstream.sessionId = unpackId(after(entry, 5), arena);
  upstream.endpoint = unpackEndpoint(after(entry, 5));
  return upstream;
}

export function join(session: Session, upstream: Upstream, keys: KeyRing, arena: Arena): void {
  const entry: Span = packed(upstream, arena);
  TABLE.write(owner(TABLE, session.id, upstream.fingerprint, arena), entry, keys, arena);
}

function packed(upstream: Upstream, arena: Arena): Span {
  const entry = newWriter(arena, (length(upstream.sessionId) as usize) + MAX_ENDPOINT + 16);
  entry.u8(upstream.revision).u32(upstream.offers);
  packId(entry, upstream.sessionId, upstream.endpoint);
  return entry.written;
}
