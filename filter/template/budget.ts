/**
 * What one rendering may cost. A template comes from an operator, but what it loops over comes from a server or a
 * client: each byte that is looked at or written counts, and a rendering that costs too much fails.
 */
const STEPS: u64 = 1 << 20;
/** Bytes that may be looked at beyond a number of times that the data can be read. */
const BYTES: u64 = 16 << 20;
const READINGS: u64 = 32;

let steps: u64 = 0;
let bytes: u64 = 0;

/** @param size of the data */
export function beginBudget(size: u32): void {
  steps = STEPS;
  bytes = BYTES + (size as u64) * READINGS;
}

/** One more instruction. False: there were too many. */
export function step(): bool {
  if (steps === 0) return false;
  steps--;
  return true;
}

/** So many bytes are looked at, or written. */
export function spend(count: usize): void {
  bytes = bytes > (count as u64) ? bytes - (count as u64) : 0;
}

/** Whether a text of that size may be made. */
export function affords(count: u64): bool {
  return bytes > count;
}

export function isSpent(): bool {
  return bytes === 0;
}
