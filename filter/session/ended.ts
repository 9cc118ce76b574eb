import { Arena } from '../bytes/arena';
import { literal, NONE } from '../bytes/span';
import { KeyRing } from '../model/keyring';
import { owner, slotTable } from './slots';
import { Session } from './token';

/**
 * Sessions that a DELETE ended on this Envoy. A mark that another overwrites lets its holder go on with a token that is
 * still good: no privilege is gained, and the mark is only a courtesy to clients that end what they no longer need.
 */
const TABLE = slotTable(literal('sluice/ended/'), 4096);
const MARK = literal('ended');

export function markEnded(session: Session, keys: KeyRing, arena: Arena): void {
  TABLE.write(owner(TABLE, session.id, 0, arena), MARK, keys, arena);
}

export function isEnded(session: Session, keys: KeyRing, arena: Arena): bool {
  return TABLE.read(owner(TABLE, session.id, 0, arena), keys, arena) !== NONE;
}
