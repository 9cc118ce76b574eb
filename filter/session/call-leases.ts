import { Arena } from '../bytes/arena';
import { length, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { setSlot, slot, swapSlot } from '../ports';

/**
 * Calls that are under way, which all workers of one Envoy count together: each has a lease, which it gives back at its
 * end. A lease ends by itself, too, so that a worker that is gone holds none for ever.
 *
 *     slot:  { key (8) │ id (8) │ end, nanoseconds since 1970 (8) } …
 */
const SLOTS: u64 = 4096;
const ENTRY: usize = 24;
/** Leases in a slot, of all keys that share it: a slot is copied whole for each call. */
const MOST: usize = 2048;
/** Workers that use the same slot at the same time, one after the other. */
const MOST_TRIES = 16;
const PREFIX = literal('sluice/leases/');

/**
 * Takes a lease, where fewer than `most` of that key are out.
 * @param key what is counted. @param id of the lease. @param end nanoseconds since 1970. @returns whether it was there
 */
export function takeLease(key: u64, id: u64, most: u32, now: u64, end: u64, arena: Arena): bool {
  for (let tries = 1; ; tries++) {
    const kept = running(key, 0, now, end - now, arena);
    if (found >= most || kept >= MOST) return false;
    store<u64>(table + kept * ENTRY, key);
    store<u64>(table + kept * ENTRY, id, 8);
    store<u64>(table + kept * ENTRY, end, 16);
    if (!replace(key, kept + 1, tries, arena)) continue;
    return true;
  }
}

/** Gives it back. One that has ended by itself is there no more. */
export function endLease(key: u64, id: u64, now: u64, arena: Arena): void {
  for (let tries = 1; ; tries++) {
    const kept = running(key, id, now, u64.MAX_VALUE, arena);
    if (replace(key, kept, tries, arena)) return;
  }
}

/** The leases of the slot that was read last, in the arena; and how many of them are of the key that was asked for. */
let table: usize = 0;
let found: u32 = 0;

/**
 * Reads the leases that have not ended, with room for one more, but for that one of `key` that is called `left`.
 * @param longest one that lasts longer than any does was taken before the clock was set back
 */
function running(key: u64, left: u64, now: u64, longest: u64, arena: Arena): usize {
  const before = slot(
    newWriter(arena, 32)
      .bytes(PREFIX)
      .decimal(key % SLOTS).written,
  );
  const size: usize = before === NONE ? 0 : (length(before) as usize);
  table = arena.allocate(size + ENTRY);
  found = 0;
  let kept: usize = 0;
  for (let at: usize = 0; at + ENTRY <= size; at += ENTRY) {
    const entry = pointer(before) + at;
    const end = load<u64>(entry, 16);
    if (end <= now) continue;
    const isIts = load<u64>(entry) === key;
    if (isIts && (load<u64>(entry, 8) === left || end - now > longest)) continue;
    if (isIts) found++;
    memory.copy(table + kept * ENTRY, entry, ENTRY);
    kept++;
  }
  return kept;
}

function replace(key: u64, count: usize, tries: i32, arena: Arena): bool {
  const name = newWriter(arena, 32)
    .bytes(PREFIX)
    .decimal(key % SLOTS).written;
  const after = span(table, (count * ENTRY) as u32);
  if (tries < MOST_TRIES) return swapSlot(name, after);
  setSlot(name, after);
  return true;
}
