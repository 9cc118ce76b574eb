import { Arena } from '../bytes/arena';
import { literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from './keyring';
import { owner, slotTable } from './slots';

/**
 * Servers that could not be joined a moment ago. A list does not ask them again before their rest is over, or every list
 * would take as long as the handshake of a server that is down. A call does: it has nobody else to ask.
 */
const TABLE = slotTable(literal('sluice/absent/'), 1024);
/** Seconds. */
const REST: u32 = 10;

export function rest(fingerprint: u64, now: u32, keys: KeyRing, arena: Arena): void {
  const until = newWriter(arena, 4).u32(now + REST).written;
  TABLE.write(owner(TABLE, NONE, fingerprint, arena), until, keys, arena);
}

export function isResting(fingerprint: u64, now: u32, keys: KeyRing, arena: Arena): bool {
  const until = TABLE.read(owner(TABLE, NONE, fingerprint, arena), keys, arena);
  return until !== NONE && now < load<u32>(pointer(until));
}
