/** The stack of a scanner as bits, the outermost container first: 64 of them at a time. */

/** A stack is read and written in words of 8 bytes, which may begin at its last byte. */
export const BEHIND_STACK: usize = 8;

/** Longer runs do not fit into one word from each bit of its first byte on. */
const MOST: i32 = 56;

/**
 * The innermost 64 of `depth` containers, the innermost one highest. Where there are fewer, what stands before the stack
 * fills the lowest bits.
 * @param stack with at least 8 bytes before it
 */
export function levelsAt(stack: usize, depth: i32): u64 {
  const at = stack + ((depth >> 3) as usize) - 8;
  const shift = (depth & 7) as u64;
  // The lowest bits of the byte behind, moved to the top; moved out altogether where there are none.
  return (load<u64>(at) >> shift) | (((load<u8>(at, 8) as u64) << 1) << (63 - shift));
}

/**
 * Writes the bits of the containers from `lowest` up to `depth` into the stack.
 * @param levels as `levelsAt`
 * @returns false, and nothing is written, where they are too many for once
 */
export function keepLevels(stack: usize, lowest: i32, depth: i32, levels: u64): bool {
  const count = depth - lowest;
  if (count > MOST) return false;
  const at = stack + ((lowest >> 3) as usize);
  const shift = (lowest & 7) as u64;
  const mask = (((1 as u64) << (count as u64)) - 1) << shift;
  const bits = (levels >> ((64 - count) as u64)) << shift;
  store<u64>(at, (load<u64>(at) & ~mask) | bits);
  return true;
}
