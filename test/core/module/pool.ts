import { Arena, make, newArena } from '../../../filter/bytes/arena';
import { List, newList } from '../../../filter/bytes/list';
import { Span, equals, span, NONE } from '../../../filter/bytes/span';
import { KEY_SIZE } from '../../../filter/crypto/aead';
import { Key, KeyRing } from '../../../filter/model/keyring';
import { Revision } from '../../../filter/mcp/revisions';
import { connect } from '../../../filter/ports';
import { isPoolFull, pool, pooledUpstream } from '../../../filter/session/pool';
import { requestSession, share } from '../../../filter/session/request-session';
import { Session, Upstream } from '../../../filter/session/token';

/** Slots as a host has them, in memory: name, then value. */
const kept = newArena(64 << 10);
const slots: List = newList(kept);
const work = newArena(16 << 10);
let drawn: u8 = 0;

function find(key: Span): i32 {
  for (let i = slots.count - 2; i >= 0; i -= 2) if (equals(slots.at(i), key)) return i;
  return -1;
}

function put(key: Span, value: Span): void {
  slots.push(kept.copy(key));
  slots.push(kept.copy(value));
}

const ring: KeyRing = make<KeyRing>(kept);

/** Slots are there from now on. @param byte of which the key is made */
export function poolUseKey(byte: u8): void {
  connect(
    (key: Span): Span => {
      const at = find(key);
      return at < 0 ? NONE : slots.at(at + 1);
    },
    put,
    (key: Span, value: Span): bool => {
      put(key, value);
      return true;
    },
    (count: usize, arena: Arena): Span => {
      const at = arena.allocate(count);
      memory.fill(at, ++drawn, count);
      return span(at, count as u32);
    },
    (queue: u32, stream: u32, text: Span): void => {},
  );
  const key = make<Key>(kept);
  key.id = 1;
  key.bytes = kept.allocate(KEY_SIZE as usize);
  memory.fill(key.bytes, byte, KEY_SIZE as usize);
  ring.keys = newList(kept);
  ring.keys.push(changetype<usize>(key) as u64);
  ring.gateway = kept.copy(span(key.bytes, 1));
}

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
