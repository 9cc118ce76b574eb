import { Arena, make } from './arena';

/** Grows in an arena: structures by address, or spans, eight bytes each. */
@unmanaged
export class List {
  private items: usize;
  private capacity: i32;
  count: i32;
  arena: Arena;

  push(value: u64): void {
    if (this.count === this.capacity) {
      const capacity = max(this.capacity * 2, 8);
      const moved = this.arena.allocate((capacity as usize) << 3);
      memory.copy(moved, this.items, (this.count as usize) << 3);
      this.items = moved;
      this.capacity = capacity;
    }
    store<u64>(this.items + ((this.count as usize) << 3), value);
    this.count++;
  }

  /** Both must be below `count`. */
  swap(a: i32, b: i32): void {
    const kept = this.at(a);
    store<u64>(this.items + ((a as usize) << 3), this.at(b));
    store<u64>(this.items + ((b as usize) << 3), kept);
  }

  /** `index` must be below `count`. */
  at(index: i32): u64 {
    return load<u64>(this.items + ((index as usize) << 3));
  }

  /** The same. */
  set(index: i32, value: u64): void {
    store<u64>(this.items + ((index as usize) << 3), value);
  }
}

export function newList(arena: Arena): List {
  const list = make<List>(arena);
  list.arena = arena;
  return list;
}
