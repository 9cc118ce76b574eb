import { hasRoom } from '../bytes/room';

/**
 * What one rendering may cost. A template comes from an operator, but what it loops over comes from a server or a
 * client: each byte that is looked at or written counts, and a rendering that costs too much fails.
 */
const STEPS: u64 = 1 << 20;
/** Bytes that may be looked at beyond a number of times that the data can be read. */
const BYTES: u64 = 16 << 20;
const READINGS: u64 = 32;
/** Bytes of one text that a function makes, beyond a number of times that the data can be had. */
const LARGEST: u64 = 16 << 20;
const COPIES: u64 = 4;
/** What a text needs while it is made: itself, and what it has outgrown. */
const WHILE_IT_GROWS: u64 = 3;

let steps: u64 = 0;
let bytes: u64 = 0;
let largest: u64 = 0;

/** @param size of the data */
export function beginBudget(size: u32): void {
  steps = STEPS;
  bytes = BYTES + (size as u64) * READINGS;
  largest = LARGEST + (size as u64) * COPIES;
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

/** Whether a text of that size may be made, and there is memory for it. */
export function affords(count: u64): bool {
  return bytes > count && count <= largest && hasRoom(count * WHILE_IT_GROWS);
}

export function isSpent(): bool {
  return bytes === 0;
}
