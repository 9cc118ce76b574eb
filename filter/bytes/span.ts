import { SPACE, TAB, lowerCase } from './ascii';

/**
 * A view of bytes, held by value: pointer in the high half, length in the low. Copying a span copies no byte, storing
 * one in a field allocates nothing. It is valid as long as the memory it points into; see arena.ts for who owns that.
 */
export type Span = u64;

/** Absent. An empty span that exists (`""`) has a pointer and is not NONE. */
export const NONE: Span = 0;

export function span(pointer: usize, length: u32): Span {
  return ((pointer as u64) << 32) | (length as u64);
}

/** The bytes between two addresses of one block. */
export function between(from: usize, to: usize): Span {
  return span(from, (to - from) as u32);
}

export function pointer(bytes: Span): usize {
  return (bytes >> 32) as usize;
}

export function length(bytes: Span): i32 {
  return bytes as i32;
}

/** The address behind the last byte. */
export function limit(bytes: Span): usize {
  return pointer(bytes) + (length(bytes) as usize);
}

export function equals(a: Span, b: Span): bool {
  return (a as u32) === (b as u32) && areEqual(pointer(a), pointer(b), a as u32 as usize);
}

export function startsWith(bytes: Span, prefix: Span): bool {
  return (bytes as u32) >= (prefix as u32) && areEqual(pointer(bytes), pointer(prefix), prefix as u32 as usize);
}

/**
 * Most of what is compared are short names: they end, or differ, within a word or two. `memory.compare` goes byte by byte
 * where two texts have not the same alignment, as names among a host's bytes and names of ours do not.
 */
function areEqual(a: usize, b: usize, size: usize): bool {
  if (size >= 8) {
    // The last word may repeat some bytes of the one before.
    const last = size - 8;
    for (let at: usize = 0; at < last; at += 8) if (load<u64>(a + at) !== load<u64>(b + at)) return false;
    return load<u64>(a + last) === load<u64>(b + last);
  }
  while (size > 0) {
    size--;
    if (load<u8>(a + size) !== load<u8>(b + size)) return false;
  }
  return true;
}

/** Without its first `count` bytes; `count` must not exceed the length. */
export function after(bytes: Span, count: u32): Span {
  return span(pointer(bytes) + (count as usize), (bytes as u32) - count);
}

/** The first `count` bytes; `count` must not exceed the length. */
export function first(bytes: Span, count: u32): Span {
  return span(pointer(bytes), count);
}

/** Whether `part`, which is not empty, stands anywhere in it. */
export function contains(bytes: Span, part: Span): bool {
  const size = length(part) as usize;
  for (let at = pointer(bytes); at + size <= limit(bytes); at++) {
    if (memory.compare(at, pointer(part), size) === 0) return true;
  }
  return false;
}

/** Index of the first such byte, or -1. */
export function indexOf(bytes: Span, byte: u8): i32 {
  const from = pointer(bytes);
  const count = length(bytes);
  for (let i = 0; i < count; i++) if (load<u8>(from + (i as usize)) === byte) return i;
  return -1;
}

/** Equal but for the case of ASCII letters, as media types and header names compare (RFC 9110 §8.3.1, §5.1). */
export function equalsIgnoringCase(a: Span, b: Span): bool {
  if ((a as u32) !== (b as u32)) return false;
  const count = length(a);
  for (let i = 0; i < count; i++) {
    if (lowerCase(load<u8>(pointer(a) + (i as usize))) !== lowerCase(load<u8>(pointer(b) + (i as usize)))) return false;
  }
  return true;
}

/** Without spaces and tabs at both ends (RFC 9110 §5.6.3, OWS). */
export function trim(bytes: Span): Span {
  let from = pointer(bytes);
  let to = limit(bytes);
  while (from < to && (load<u8>(from) === SPACE || load<u8>(from) === TAB)) from++;
  while (to > from && (load<u8>(to - 1) === SPACE || load<u8>(to - 1) === TAB)) to--;
  return between(from, to);
}

const FNV_OFFSET: u64 = 0xcbf29ce484222325;
const FNV_PRIME: u64 = 0x100000001b3;

/** FNV-1a, 64 bit: names a thing inside what is already authenticated; no defence by itself. */
export function fingerprint(bytes: Span, seed: u64 = FNV_OFFSET): u64 {
  let hash = seed;
  for (let at = pointer(bytes), to = limit(bytes); at < to; at++) hash = (hash ^ (load<u8>(at) as u64)) * FNV_PRIME;
  // The length is hashed too, so that ("ab","c") and ("a","bc") differ when chained.
  return (hash ^ (length(bytes) as u64)) * FNV_PRIME;
}

/** Two fingerprints as one, in this order. */
export function combined(a: u64, b: u64): u64 {
  return ((a * FNV_PRIME) ^ b) * FNV_PRIME;
}

/** The bytes of an ASCII constant. For module level only: converted once, when the module is initialised. */
export function literal(text: string): Span {
  const count = text.length;
  const at = heap.alloc(max(count, 1));
  for (let i = 0; i < count; i++) store<u8>(at + (i as usize), text.charCodeAt(i) as u8);
  return span(at, count as u32);
}
