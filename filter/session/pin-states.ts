import { Span, literal, NONE } from '../bytes/span';
import { Arena } from '../bytes/arena';
import { KeyRing } from '../model/keyring';
import { owner, slotTable } from './slots';

/** How the tools of each server stood to their pins when its list came last, for the status: JSON, one for all workers of an Envoy. */
const TABLE = slotTable(literal('sluice/pins/'), 1024, 2);

/** @param fingerprint of the server and of the pins. @param state JSON */
export function notePinState(fingerprint: u64, state: Span, keys: KeyRing, arena: Arena): void {
  TABLE.write(owner(TABLE, NONE, fingerprint, arena), state, keys, arena);
}

/** NONE: no list has come, or nobody remembers. */
export function pinState(fingerprint: u64, keys: KeyRing, arena: Arena): Span {
  return TABLE.read(owner(TABLE, NONE, fingerprint, arena), keys, arena);
}
