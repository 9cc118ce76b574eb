import { Span, length, pointer } from './span';

/** 2^64 divided by the golden ratio, odd: multiplied by it, neighbours land far apart (Knuth, TAOCP 3, 6.4). */
const FACTOR: u64 = 0x9e3779b97f4a7c15;

/**
 * Where something has its place in a table, by words of eight bytes: a fraction of what `fingerprint` takes. Not for what other
 * versions or other machines have to find again.
 */
export function hashOf(bytes: Span): u32 {
  const at = pointer(bytes);
  const size = length(bytes) as usize;
  let hash: u64 = size as u64;
  if (size >= 8) {
    // The last word may repeat some bytes of the one before.
    const last = size - 8;
    for (let i: usize = 0; i < last; i += 8) hash = mixed(hash, load<u64>(at + i));
    hash = mixed(hash, load<u64>(at + last));
  } else {
    let word: u64 = 0;
    for (let i: usize = 0; i < size; i++) word = (word << 8) | (load<u8>(at + i) as u64);
    hash = mixed(hash, word);
  }
  return ((hash * FACTOR) >> 32) as u32;
}

/** A product carries upwards only, so its high half comes down again. */
function mixed(hash: u64, word: u64): u64 {
  const product = (hash ^ word) * FACTOR;
  return product ^ (product >> 32);
}
