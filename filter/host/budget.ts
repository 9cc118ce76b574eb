/**
 * One budget per worker for what is held and sent on behalf of clients: bodies that are being read, messages of our own
 * that are under way, answers, lists that are being merged. Two hundred patient clients must not take the memory of all
 * others.
 */
let held: u64 = 0;

/** What is under way for a stream that is gone has come back. */
export function giveBack(bytes: u64): void {
  held -= bytes;
}

/** Changes what one stream holds. False: the worker has no room for more, and nothing changed. @param most per worker */
export function reserve(before: u64, after: u64, most: u32): bool {
  const total = held - before + after;
  if (after > before && total > (most as u64)) return false;
  held = total;
  return true;
}
