import { Arena, scratch } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, after, first, length, limit, pointer, startsWith } from '../bytes/span';
import { ANY, exactBytes, rest, STAR } from './glob';

/**
 * What a pattern on gateway names says about the names of one server: patterns of which at least one matches a text if
 * and only if `pattern` matches the prefix and that text. There are several where a star may end in the prefix or go on:
 * `*_get` behind the prefix `a_` is `get` and `*_get`.
 */
export function residues(pattern: Span, prefix: Span, arena: Arena): List {
  const found = newList(arena);
  const exact = exactBytes(pattern);
  if (exact >= length(prefix)) {
    if (startsWith(pattern, prefix) && length(pattern) > length(prefix)) found.push(after(pattern, prefix as u32));
    return found;
  }
  if (!startsWith(prefix, first(pattern, exact as u32))) return found;

  // The pattern as an automaton: a byte for each place in it, 1 where reading the prefix may have led.
  const places = (length(pattern) as usize) + 1;
  let here = scratch.zeroed(places);
  let next = scratch.allocate(places);
  store<u8>(here, 1);
  for (let at = pointer(prefix); at < limit(prefix); at++) {
    step(pattern, load<u8>(at), here, next);
    const swapped = here;
    here = next;
    next = swapped;
  }
  // What is left of the pattern where it is at its end matches the empty name only, which no tool has.
  for (let i = 0; i < length(pattern); i++) {
    if (load<u8>(here + (i as usize)) !== 0) found.push(rest(pattern, i));
  }
  return found;
}

/** Reads one character, which has one byte: prefixes are ASCII. */
function step(pattern: Span, character: u8, here: usize, next: usize): void {
  memory.fill(next, 0, (length(pattern) as usize) + 1);
  for (let i: usize = 0; i < (length(pattern) as usize); i++) {
    if (load<u8>(here + i) === 0) continue;
    const wanted = load<u8>(pointer(pattern) + i);
    if (wanted === STAR) {
      store<u8>(next + i, 1);
      // It may have ended before this character.
      store<u8>(here + i + 1, 1);
    } else if (wanted === ANY || wanted === character) store<u8>(next + i + 1, 1);
  }
}
