import { Span, span } from '../../../filter/bytes/span';
import { newArena } from '../../../filter/bytes/arena';
import { hasPassed, ownEntry } from '../../../filter/upstream/via';

const memory = newArena(256);

export function viaHasPassed(via: usize, count: u32, own: usize, ownCount: u32): bool {
  return hasPassed(span(via, count), span(own, ownCount));
}

/** @param likeness 0 where the gateway has a name of its own */
export function viaOwn(name: usize, count: u32, likeness: u64): Span {
  memory.reset();
  return ownEntry(span(name, count), likeness, memory);
}
