import { newCache } from '../bytes/cache';
import { hashOf } from '../bytes/hash';
import { Span, equals, length, pointer, span } from '../bytes/span';

/**
 * Sets of authorization rules that hold for requests, as this VM has seen them: each has a number of its own, which no other
 * set ever gets. A set has its place by its hash, among four; past the limits another one goes, and has a new number when it
 * comes again.
 *
 *     set:  │ number (8) │ description (8) │ bytes of the description
 */
const WAYS: u32 = 4;
const PLACES: u32 = 256;
/** Bytes of all. */
const MOST: usize = 64 << 10;
const HEADER: usize = 16;

const sets = newCache(PLACES, MOST, (set) => heap.free(set));

let last: u64 = 0;

/** The number of a set. @param description bytes that say which rules of which configuration hold, and no others */
export function numberOfRules(description: Span): u64 {
  const first = (hashOf(description) * WAYS) & (PLACES - 1);
  let place = first + ((last as u32) & (WAYS - 1));
  for (let i: u32 = 0; i < WAYS; i++) {
    const set = sets.at(first + i);
    if (set === 0) place = first + i;
    else if (equals(load<Span>(set, 8), description)) return load<u64>(set);
  }
  const size = HEADER + (length(description) as usize);
  const set = heap.alloc(size);
  memory.copy(set + HEADER, pointer(description), length(description) as usize);
  store<u64>(set, ++last);
  store<Span>(set, span(set + HEADER, length(description) as u32), 8);
  sets.put(place, set, size);
  return last;
}
