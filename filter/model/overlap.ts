import { Span, equals, first, length, limit, pointer } from '../bytes/span';
import { ANY, behindCharacter, exactBytes, STAR } from './glob';

/**
 * Whether there is a text that both patterns match: what decides, once per configuration, that a server has nothing to
 * show. For every pair of places, from the ends backwards, it is noted whether the rests overlap: m × n steps.
 */
export function overlap(a: Span, b: Span): bool {
  // Most pairs differ before the first wildcard of either.
  const exact = min(exactBytes(a), exactBytes(b)) as u32;
  if (!equals(first(a, exact), first(b, exact))) return false;
  const columns = (length(b) as usize) + 1;
  const size = ((length(a) as usize) + 1) * columns;
  const cells = heap.alloc(size);
  memory.fill(cells, 0, size);
  for (let i = length(a); i >= 0; i--) {
    for (let j = length(b); j >= 0; j--) {
      store<u8>(cells + (i as usize) * columns + (j as usize), restsOverlap(a, i, b, j, cells, columns) as u8);
    }
  }
  const found = load<u8>(cells) !== 0;
  heap.free(cells);
  return found;
}

function restsOverlap(a: Span, i: i32, b: Span, j: i32, cells: usize, columns: usize): bool {
  const endOfA = i === length(a);
  const endOfB = j === length(b);
  if (endOfA && endOfB) return true;
  const x: u8 = endOfA ? 0 : at(a, i);
  const y: u8 = endOfB ? 0 : at(b, j);
  const below = cells + ((i + 1) as usize) * columns + (j as usize);
  const beside = cells + (i as usize) * columns + ((j + 1) as usize);
  // A star ends here, or takes one more of the other's characters.
  if (!endOfA && x === STAR) return load<u8>(below) !== 0 || (!endOfB && load<u8>(beside) !== 0);
  if (!endOfB && y === STAR) return load<u8>(beside) !== 0 || (!endOfA && load<u8>(below) !== 0);
  if (endOfA || endOfB || (x !== y && x !== ANY && y !== ANY)) return false;
  // `?` takes a whole character of the other's, which may have several bytes.
  const nextOfA = y === ANY ? behind(a, i) : i + 1;
  const nextOfB = x === ANY ? behind(b, j) : j + 1;
  return load<u8>(cells + (nextOfA as usize) * columns + (nextOfB as usize)) !== 0;
}

function at(pattern: Span, index: i32): u8 {
  return load<u8>(pointer(pattern) + (index as usize));
}

function behind(pattern: Span, index: i32): i32 {
  return (behindCharacter(pointer(pattern) + (index as usize), limit(pattern)) - pointer(pattern)) as i32;
}
