import { Arena, make } from './arena';

/** Numbers that have come before, for what is to be done once. Takes a fixed number of them and then no more. */
@unmanaged
export class Seen {
  numbers: usize;
  capacity: i32;
  private count: i32;

  get isFull(): bool {
    return this.count === this.capacity;
  }

  /** True: it is new, and is known from now on. Of a full set nothing is new. */
  add(number: u64): bool {
    if (this.isFull) return false;
    for (let i = 0; i < this.count; i++) if (load<u64>(this.numbers + ((i as usize) << 3)) === number) return false;
    store<u64>(this.numbers + ((this.count as usize) << 3), number);
    this.count++;
    return true;
  }
}

export function newSeen(capacity: i32, arena: Arena): Seen {
  const seen = make<Seen>(arena);
  seen.numbers = arena.allocate((capacity as usize) << 3);
  seen.capacity = capacity;
  return seen;
}
