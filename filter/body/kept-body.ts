import { Arena } from '../bytes/arena';
import { Span, length, pointer, span, NONE } from '../bytes/span';

/** A body of that many bytes is kept as long as its request, in one piece or in many. */
const SMALL: u32 = 64 << 10;

/**
 * What has come of a body that nothing has been decided on yet, and the copy of it. A host that holds the body shows it
 * whole each time: then a copy is made only of a first part that costs less to keep than to read again. Any other host
 * shows a part once: then the copy has all of them.
 */
@unmanaged
export class KeptBody {
  /** Bytes that were read, whether they are kept or not. */
  read: u32;
  /** The copy, or NONE. */
  bytes: Span;
  /** Bytes of arenas that are copies of this body: they count once, as the body's. */
  inArena: u32;
  /** Where the copy outgrew the arena: its place, or 0. */
  private place: usize;
  private capacity: u32;

  /** Whether the copy has all that was read. */
  get isWhole(): bool {
    return (this.bytes as u32) === this.read;
  }

  /** Whether so little was read that its copy lives as long as the request. */
  get isSmall(): bool {
    return this.read <= SMALL;
  }

  /** Takes the next part in. @param isShownOnce whether the host shows it in no later callback */
  take(part: Span, isShownOnce: bool, arena: Arena): void {
    const isFirst = this.read === 0;
    this.read += length(part) as u32;
    if (isFirst && (part as u32) <= SMALL) this.bytes = this.copyOf(part, arena);
    else if (isShownOnce) this.append(part);
  }

  /** A part that is of no use. */
  pass(size: u32): void {
    this.read += size;
  }

  /** A copy that lives as long as the arena. */
  copyOf(part: Span, arena: Arena): Span {
    const before = arena.held;
    const copy = arena.copy(part);
    this.inArena += (arena.held - before) as u32;
    return copy;
  }

  /** Frees a copy that outgrew the arena. A smaller one stays, until the arena goes. */
  release(): void {
    if (this.place === 0) return;
    heap.free(this.place);
    this.place = 0;
    this.capacity = 0;
    this.bytes = NONE;
  }

  /** Grows by doubling, outside of the arena: that would keep every size that it once had. */
  private append(part: Span): void {
    const before = this.bytes as u32;
    const after = before + (part as u32);
    if (after > this.capacity) {
      const capacity = max(after, this.capacity * 2);
      const grown = heap.alloc(capacity as usize);
      memory.copy(grown, pointer(this.bytes), before as usize);
      if (this.place !== 0) heap.free(this.place);
      this.place = grown;
      this.capacity = capacity;
    }
    memory.copy(this.place + (before as usize), pointer(part), length(part) as usize);
    this.bytes = span(this.place, after);
  }
}
