/**
 * Memory of arenas. The allocator (TLSF, AssemblyScript's rt/tlsf) searches for a large block from the next larger class on, a
 * sixteenth of a power of two. So what was given back is not found for the same size again unless a neighbour is free too,
 * and a memory never shrinks: the same list of some megabytes, asked for twice, would make a worker grow. The last large
 * block that was given back is kept for that; the next large request takes it, or gives it to the allocator.
 */
const LARGE: usize = 256 << 10;
/** A larger one goes to the allocator at once. */
const MOST: usize = 8 << 20;

let spare: usize = 0;
let spareSize: usize = 0;

/** At least `size` bytes. */
export function takeBlock(size: usize): usize {
  if (size < LARGE || spare === 0) return heap.alloc(size);
  const block = spare;
  spare = 0;
  // Hardly more than is wanted, so that the rest is not missed.
  if (spareSize >= size && spareSize - size <= size >> 3) return block;
  heap.free(block);
  return heap.alloc(size);
}

/** @param size that it was taken with */
export function giveBackBlock(block: usize, size: usize): void {
  if (size < LARGE || size > MOST || (spare !== 0 && size <= spareSize)) {
    heap.free(block);
    return;
  }
  if (spare !== 0) heap.free(spare);
  spare = block;
  spareSize = size;
}
