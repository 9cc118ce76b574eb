import { Arena, make } from './arena';
import { hashOf } from './hash';
import { Span, equals, NONE } from './span';

/**
 * Addresses by name, put in once and never taken out. Open addressing with linear probing, at most half full, so a
 * lookup ends soon at a gap. Only configured names are put in: a client, whose names are looked up, cannot make runs of
 * equal hashes.
 *
 *     slot:  │ name (8), NONE = free │ hash (4) │ value (4) │
 */
const SLOT: usize = 16;
const FEWEST: u32 = 8;

@unmanaged
export class NameTable {
  private slots: usize;
  private mask: u32;
  count: u32;
  arena: Arena;

  /** The value, or 0. */
  get(name: Span): usize {
    return this.count === 0 ? 0 : load<usize>(this.slotOf(name, hashOf(name)), 12);
  }

  /** `value` must not be 0. A name that is there already keeps the value it has. */
  put(name: Span, value: usize): void {
    if (this.count * 2 >= this.mask) this.grow();
    const hash = hashOf(name);
    const slot = this.slotOf(name, hash);
    if (load<Span>(slot) !== NONE) return;
    store<Span>(slot, name);
    store<u32>(slot, hash, 8);
    store<usize>(slot, value, 12);
    this.count++;
  }

  /** Where the name is, or the gap where it would be put. */
  private slotOf(name: Span, hash: u32): usize {
    let index = hash & this.mask;
    let slot = this.slots + (index as usize) * SLOT;
    while (load<Span>(slot) !== NONE && !(load<u32>(slot, 8) === hash && equals(load<Span>(slot), name))) {
      index = (index + 1) & this.mask;
      slot = this.slots + (index as usize) * SLOT;
    }
    return slot;
  }

  private grow(): void {
    const old = this.slots;
    const end: usize = old === 0 ? 0 : old + ((this.mask + 1) as usize) * SLOT;
    const slots = old === 0 ? FEWEST : (this.mask + 1) * 2;
    this.slots = this.arena.zeroed((slots as usize) * SLOT);
    this.mask = slots - 1;
    for (let at = old; at < end; at += SLOT) {
      const name = load<Span>(at);
      if (name !== NONE) memory.copy(this.slotOf(name, load<u32>(at, 8)), at, SLOT);
    }
  }
}

export function newNameTable(arena: Arena): NameTable {
  const table = make<NameTable>(arena);
  table.arena = arena;
  return table;
}
