import { Arena } from '../bytes/arena';
import { length, literal, pointer, span, NONE } from '../bytes/span';
import { KeyRing } from '../model/keyring';
import { LAST_LIMIT, Limit } from '../model/limit';
import { owner, slotTable } from './slots';

/**
 * Which limits requests have met since Envoy started, for the status of the gateway: one entry for all its workers.
 *
 *     │ how many requests (4) │ when, seconds since 1970 (4) │ … of each limit
 */
const TABLE = slotTable(literal('sluice/limits/'), 1);
const EACH: usize = 8;
const SIZE: usize = ((LAST_LIMIT as usize) + 1) * EACH;
/** Workers that count at the same time, one after the other; what is lost beyond that is a number that is too small. */
const MOST_TRIES = 8;

/** Those that one request met, a bit each. */
export type LimitSet = u32;

/** Counts a request. @param now seconds since 1970 */
export function countLimits(met: LimitSet, now: u32, keys: KeyRing, arena: Arena): void {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const entry = readLimits(keys, arena);
    for (let limit = 0; limit <= LAST_LIMIT; limit++) {
      if ((met & (1 << limit)) === 0) continue;
      const at = entry + (limit as usize) * EACH;
      store<u32>(at, load<u32>(at) + 1);
      store<u32>(at, now, 4);
    }
    if (TABLE.swap(owner(TABLE, NONE, 0, arena), span(entry, SIZE as u32), keys, arena)) return;
  }
}

/** The address of the entry, for `timesMet` and `lastMet`. Zeros where nobody remembers any. */
export function readLimits(keys: KeyRing, arena: Arena): usize {
  const found = TABLE.read(owner(TABLE, NONE, 0, arena), keys, arena);
  const entry = arena.zeroed(SIZE);
  if (found !== NONE && length(found) === (SIZE as i32)) memory.copy(entry, pointer(found), SIZE);
  return entry;
}

export function timesMet(entry: usize, limit: Limit): u32 {
  return load<u32>(entry + (limit as usize) * EACH);
}

/** Seconds since 1970. */
export function lastMet(entry: usize, limit: Limit): u32 {
  return load<u32>(entry + (limit as usize) * EACH, 4);
}
