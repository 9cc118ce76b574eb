/**
 * Addresses by number: streams by context id, callouts by token, plugins by root id. Open addressing with linear
 * probing; a removal moves its followers back, so there are no tombstones and a lookup ends at the first gap.
 *
 *     entry:  │ key (4), 0 = free │ value (4) │
 */
const ENTRY: usize = 8;

@unmanaged
export class Table {
  private entries: usize;
  private mask: u32;
  count: u32;

  /** The value, or 0. */
  get(key: u32): usize {
    const slot = this.slotOf(key);
    return load<u32>(this.entry(slot)) === 0 ? 0 : load<usize>(this.entry(slot), 4);
  }

  /** `key` must not be 0, `value` neither. */
  set(key: u32, value: usize): void {
    if (this.count * 2 >= this.mask) this.grow();
    const slot = this.slotOf(key);
    if (load<u32>(this.entry(slot)) === 0) this.count++;
    store<u32>(this.entry(slot), key);
    store<usize>(this.entry(slot), value, 4);
  }

  /** Removes the key and returns what it named, or 0. */
  take(key: u32): usize {
    const slot = this.slotOf(key);
    if (load<u32>(this.entry(slot)) === 0) return 0;
    const value = load<usize>(this.entry(slot), 4);
    let gap = slot;
    for (let next = (slot + 1) & this.mask; ; next = (next + 1) & this.mask) {
      const follower = load<u32>(this.entry(next));
      if (follower === 0) break;
      // It may move into the gap only if that does not put it before its home.
      if (((next - this.home(follower)) & this.mask) >= ((next - gap) & this.mask)) {
        memory.copy(this.entry(gap), this.entry(next), ENTRY);
        gap = next;
      }
    }
    store<u32>(this.entry(gap), 0);
    this.count--;
    return value;
  }

  /** Places for keys, for a walk over all of them. */
  get places(): u32 {
    return this.mask + 1;
  }

  /** The key at a place, or 0. A removal moves others back, into its own place or behind. */
  keyAt(place: u32): u32 {
    return load<u32>(this.entry(place));
  }

  /** Where the key is, or the gap where it would be put. */
  private slotOf(key: u32): u32 {
    let slot = this.home(key);
    let found = load<u32>(this.entry(slot));
    while (found !== key && found !== 0) {
      slot = (slot + 1) & this.mask;
      found = load<u32>(this.entry(slot));
    }
    return slot;
  }

  private home(key: u32): u32 {
    return ((key * 0x9e3779b1) >> 7) & this.mask;
  }

  private entry(slot: u32): usize {
    return this.entries + (slot as usize) * ENTRY;
  }

  private grow(): void {
    const old = this.entries;
    const slots = this.mask + 1;
    this.allot(slots * 2);
    this.count = 0;
    for (let i: u32 = 0; i < slots; i++) {
      const key = load<u32>(old + (i as usize) * ENTRY);
      if (key !== 0) this.set(key, load<usize>(old + (i as usize) * ENTRY, 4));
    }
    heap.free(old);
  }

  /** @param slots a power of two */
  allot(slots: u32): void {
    this.entries = heap.alloc((slots as usize) * ENTRY);
    memory.fill(this.entries, 0, (slots as usize) * ENTRY);
    this.mask = slots - 1;
  }
}

export function newTable(): Table {
  const table = changetype<Table>(heap.alloc(offsetof<Table>()));
  memory.fill(changetype<usize>(table), 0, offsetof<Table>());
  table.allot(64);
  return table;
}
