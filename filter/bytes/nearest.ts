import { lowerCase } from './ascii';
import { Arena } from './arena';
import { List } from './list';
import { Span, pointer, length, NONE } from './span';

/** The candidate that a slip of the finger could have meant: at most a third of its letters differ. Or NONE. */
export function nearest(text: Span, candidates: List, arena: Arena): Span {
  let best = NONE;
  let bestDistance = i32.MAX_VALUE;
  for (let i = 0; i < candidates.count; i++) {
    const candidate: Span = candidates.at(i);
    const allowed = max(1, length(candidate) / 3);
    if (abs(length(text) - length(candidate)) > allowed) continue;
    const found = distance(text, candidate, arena);
    if (found <= allowed && found < bestDistance) {
      best = candidate;
      bestDistance = found;
    }
  }
  return best;
}

function letter(text: Span, index: i32): u32 {
  return lowerCase(load<u8>(pointer(text) + (index as usize)));
}

/** Levenshtein's, letters without regard to case. */
function distance(a: Span, b: Span, arena: Arena): i32 {
  const columns = length(b) + 1;
  const row = arena.allocate((columns as usize) << 2);
  for (let j = 0; j < columns; j++) store<i32>(row + ((j as usize) << 2), j);
  for (let i = 1; i <= length(a); i++) {
    let diagonal = i - 1;
    store<i32>(row, i);
    for (let j = 1; j < columns; j++) {
      const cell = row + ((j as usize) << 2);
      const above = load<i32>(cell);
      const cost = letter(a, i - 1) === letter(b, j - 1) ? 0 : 1;
      store<i32>(cell, min(min(above, load<i32>(cell - 4)) + 1, diagonal + cost));
      diagonal = above;
    }
  }
  return load<i32>(row + ((length(b) as usize) << 2));
}
