import { giveBackBlock, takeBlock } from './blocks';
import { span, pointer, length, Span, NONE } from './span';

/**
 * Memory that is given back all at once. Every stream has one, every callback borrows `scratch`; what the host hands
 * back (`proxy_on_memory_allocate`) lands in `scratch` too, so that no result is ever freed by hand.
 *
 *     Arena ──▶ block ──▶ block ──▶ 0        block:  │ next (4) │ size (4) │ bytes …
 */
const HEADER: usize = 8;
const ALIGNMENT: usize = 8;
/** No block of the allocator is larger (rt/tlsf). Two such sizes have a sum that does not wrap. */
const MOST_AT_ONCE: usize = (1 << 30) - 64;

@unmanaged
export class Arena {
  private blocks: usize;
  private at: usize;
  private end: usize;
  blockSize: usize;
  /** Bytes held from the allocator, for the budget of a worker. */
  held: usize;

  /** At least `size` bytes, aligned to 8, not cleared. Traps where there are none: ask `hasRoom` before a large one. */
  allocate(size: usize): usize {
    // What was computed with a sum that wrapped, or from a length that is none, must not become a small block.
    if (size > MOST_AT_ONCE) unreachable();
    const rounded = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (rounded > this.end - this.at) this.grow(rounded);
    const result = this.at;
    this.at += rounded;
    return result;
  }

  /** As allocate, filled with zeroes: the form for structures. */
  zeroed(size: usize): usize {
    const result = this.allocate(size);
    memory.fill(result, 0, size);
    return result;
  }

  /** What is absent stays absent; what is empty becomes a place of its own. */
  copy(bytes: Span): Span {
    if (bytes === NONE) return NONE;
    const at = this.allocate(max(length(bytes) as usize, 1));
    memory.copy(at, pointer(bytes), length(bytes) as usize);
    return span(at, length(bytes) as u32);
  }

  /** A moment to give back to. */
  get mark(): u64 {
    return ((this.blocks as u64) << 32) | (this.at as u64);
  }

  /** Gives back what was allocated since a moment: nothing of it may be used any more, nor grow. */
  giveBackTo(mark: u64): void {
    const kept = (mark >> 32) as usize;
    while (this.blocks !== kept) {
      const block = this.blocks;
      const size = load<usize>(block, 4);
      this.blocks = load<usize>(block);
      this.held -= size;
      giveBackBlock(block, size);
    }
    this.at = mark as usize;
    this.end = kept === 0 ? 0 : kept + load<usize>(kept, 4);
  }

  /** Gives everything back but one ordinary block, which serves the next round. */
  reset(): void {
    let kept: usize = 0;
    for (let block = this.blocks; block !== 0;) {
      const next = load<usize>(block);
      const size = load<usize>(block, 4);
      if (kept === 0 && size === this.blockSize) {
        kept = block;
      } else {
        this.held -= size;
        giveBackBlock(block, size);
      }
      block = next;
    }
    this.blocks = kept;
    this.at = kept === 0 ? 0 : kept + HEADER;
    this.end = kept === 0 ? 0 : kept + this.blockSize;
    if (kept !== 0) store<usize>(kept, 0);
  }

  dispose(): void {
    for (let block = this.blocks; block !== 0;) {
      const next = load<usize>(block);
      giveBackBlock(block, load<usize>(block, 4));
      block = next;
    }
    heap.free(changetype<usize>(this));
  }

  private grow(needed: usize): void {
    const size = max(this.blockSize, needed + HEADER);
    const block = takeBlock(size);
    store<usize>(block, this.blocks);
    store<usize>(block, size, 4);
    this.blocks = block;
    this.held += size;
    this.at = block + HEADER;
    this.end = block + size;
  }
}

export function newArena(blockSize: usize): Arena {
  const arena = changetype<Arena>(heap.alloc(offsetof<Arena>()));
  memory.fill(changetype<usize>(arena), 0, offsetof<Arena>());
  arena.blockSize = blockSize;
  return arena;
}

/** A structure whose fields are all zero, null or NONE. */
export function make<T>(arena: Arena): T {
  const at = arena.allocate(offsetof<T>());
  memory.fill(at, 0, offsetof<T>());
  return changetype<T>(at);
}

/** Lives until the end of the current callback. */
export const scratch = newArena(64 << 10);
