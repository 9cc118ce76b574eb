import { Arena } from '../bytes/arena';
import { fingerprint as hash, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { isWithin, owner, slotTable } from './slots';
import { Session } from './token';

/**
 * When a session with a server was last used on this Envoy: one that lay idle may have ended there, and a call that
 * cannot be repeated asks first. Each worker knows its own uses, and tells the others now and then: a call in a busy
 * session costs no host call for it.
 *
 *     slot:  │ since, seconds (4) │
 *     own:   │ hash of session and server (8) │ last use (4) │ last told (4) │
 */
const TABLE = slotTable(literal('sluice/used/'), 4096);
/** Seconds. */
const IDLE: u32 = 60;
const TOLD_EACH: u32 = 15;

const ENTRY: usize = 16;
const ENTRIES: u64 = 1024;
const OWN = heap.alloc(ENTRY * (ENTRIES as usize));
memory.fill(OWN, 0, ENTRY * (ENTRIES as usize));

export function noteUse(session: Session, server: u64, now: u32, keys: KeyRing, arena: Arena): void {
  // The token itself says that it was used when the session began.
  if (isWithin(session.issued, now, IDLE - TOLD_EACH)) return;
  const key = keyOf(session, server);
  const own = placeOf(key);
  if (load<u64>(own) !== key) {
    store<u64>(own, key);
    store<u32>(own, 0, 12);
  }
  store<u32>(own, now, 8);
  if (isWithin(load<u32>(own, 12), now, TOLD_EACH)) return;
  store<u32>(own, now, 12);
  TABLE.write(owner(TABLE, session.id, server, arena), newWriter(arena, 4).u32(now).written, keys, arena);
}

export function wasUsed(session: Session, server: u64, now: u32, keys: KeyRing, arena: Arena): bool {
  if (isWithin(session.issued, now, IDLE)) return true;
  const key = keyOf(session, server);
  const own = placeOf(key);
  if (load<u64>(own) === key && isWithin(load<u32>(own, 8), now, IDLE)) return true;
  const told = TABLE.read(owner(TABLE, session.id, server, arena), keys, arena);
  return told !== NONE && isWithin(load<u32>(pointer(told)), now, IDLE);
}

function keyOf(session: Session, server: u64): u64 {
  return hash(session.id) ^ server;
}

function placeOf(key: u64): usize {
  return OWN + ENTRY * ((key % ENTRIES) as usize);
}
