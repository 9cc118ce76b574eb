import { Arena } from '../bytes/arena';
import { length, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { setSlot, slot, swapSlot } from '../ports';

/**
 * Budgets of requests, which all workers of one Envoy share: one number each, the moment at which all that was used will have
 * come back (the generic cell rate algorithm, ITU-T I.371 A.1). Whoever uses a budget moves it on by the time in which
 * one request comes back; where that would be more than a whole interval ahead, there is nothing left.
 *
 *     slot:  │ key (8) │ moment (8) │ … four of them
 *
 * A slot has room for four budgets. A fifth takes the place of the one that is nearest to being whole again.
 */
const SLOTS: u64 = 16 << 10;
const WAYS: usize = 4;
const ENTRY: usize = 16;
const SIZE: usize = WAYS * ENTRY;
/** Workers that use the same slot at the same time, one after the other. */
const MOST_TRIES = 16;
const PREFIX = literal('sluice/budget/');

/**
 * Takes one request out of a budget.
 * @param key whose it is. @param pace nanoseconds in which one request comes back. @param interval the same of all
 * @returns 0, or the nanoseconds until there is one again
 */
export function takeRequest(key: u64, pace: u64, interval: u64, now: u64, arena: Arena): u64 {
  const name = newWriter(arena, 32)
    .bytes(PREFIX)
    .decimal(key % SLOTS).written;
  for (let tries = 1; ; tries++) {
    const before = slot(name);
    const entries = arena.zeroed(SIZE);
    if (before !== NONE && length(before) === (SIZE as i32)) memory.copy(entries, pointer(before), SIZE);
    const at = entryOf(entries, key);
    // A clock that was set back must not close a budget until it has caught up.
    const used = min(load<u64>(at, 8), now + interval);
    const moment = max(used, now) + pace;
    if (moment > now + interval) return moment - now - interval;
    store<u64>(at, key);
    store<u64>(at, moment, 8);
    const after = span(entries, SIZE as u32);
    if (tries === MOST_TRIES) setSlot(name, after);
    else if (!swapSlot(name, after)) continue;
    return 0;
  }
}

/** Its entry, or the one whose place it takes, made empty. */
function entryOf(entries: usize, key: u64): usize {
  let oldest = entries;
  for (let i: usize = 0; i < WAYS; i++) {
    const at = entries + i * ENTRY;
    if (load<u64>(at) === key) return at;
    if (load<u64>(at, 8) < load<u64>(oldest, 8)) oldest = at;
  }
  store<u64>(oldest, 0, 8);
  return oldest;
}
