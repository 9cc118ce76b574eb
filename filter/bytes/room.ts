/**
 * Whether there is memory, asked before much of it is taken. The allocator of AssemblyScript (rt/tlsf) traps where it
 * finds none, and a trap ends the VM of a worker with every request that waits in it.
 */

/** Pages of 64 KiB that the module may have in all: `maximumMemory` in asconfig.json. */
export const MOST_PAGES: u64 = 16384;

/** Kept for what is too small to be asked about: a stream, the headers of a request, a refusal. */
const RESERVE: u64 = 4 << 20;

/** Where the allocator has its root: it begins the heap (rt/tlsf, `initialize`). */
const ROOT: usize = (__heap_base + 15) & ~15;

/** Whether so many bytes can be taken, in one piece or in several, and enough is left for everything small. */
export function hasRoom(size: u64): bool {
  const needed = size + RESERVE;
  // The allocator rounds up by a sixteenth at most before it asks for pages, and adds its own words.
  const pages = (needed + (needed >> 4) + 0x1ffff) >> 16;
  return (memory.size() as u64) + pages <= MOST_PAGES || largestFree() >= needed;
}

/** What is left for everything else when a configuration has been read; and for each of its bytes, for copies of its texts. */
const BESIDE_CONFIGURATION: u64 = 16 << 20;
const COPIES: u64 = 8;

let ranShort = false;
let beside: u64 = 0;

/** Before a configuration is read: what is made of it can be two hundred times its bytes. @param size of it, bytes */
export function beginReading(size: u64): void {
  ranShort = false;
  beside = BESIDE_CONFIGURATION + size * COPIES;
}

/**
 * Before each part of it. Whether there is memory for it; where there was none once, there is none for the rest.
 * @param size that it takes at once, bytes
 */
export function mayReadOn(size: u64 = 0): bool {
  if (!ranShort && !hasRoom(beside + size)) ranShort = true;
  return !ranShort;
}

/** Whether it was not read to its end. */
export function endedShort(): bool {
  return ranShort;
}

/**
 * A size that the largest free block has at least. Free blocks are in lists by size: a bitmap of levels, powers of two
 * from 256 on with everything smaller in level 0, and for each level a bitmap of its sixteenths.
 */
function largestFree(): u64 {
  const levels = load<u32>(ROOT);
  if (levels === 0) return 0;
  const level: u32 = 31 - clz(levels);
  const part: u32 = 31 - clz(load<u32>(ROOT + 4 + ((level as usize) << 2)));
  return level === 0 ? (part as u64) << 4 : ((16 + part) as u64) << (level + 3);
}
