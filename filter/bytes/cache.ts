/**
 * Things that a VM keeps by their place, by address. All of them together have a limit: past it others go, in turns.
 *
 *     slot:  │ address (4), 0 = free │ size (4) │
 */
const SLOT: usize = 8;

@unmanaged
export class Cache {
  slots: usize;
  places: u32;
  /** Bytes of all. */
  most: usize;
  private held: usize;
  /** The place whose thing goes next. */
  private hand: u32;
  dispose: (thing: usize) => void;

  /** What has that place, or 0. */
  at(place: u32): usize {
    return load<usize>(this.slotOf(place));
  }

  /** Gives a thing the place of another one. @param size bytes that go with it */
  put(place: u32, thing: usize, size: usize): void {
    this.vacate(place);
    for (let i: u32 = 0; i < this.places && this.held + size > this.most; i++) {
      this.vacate(this.hand);
      this.hand = (this.hand + 1) & (this.places - 1);
    }
    const slot = this.slotOf(place);
    store<usize>(slot, thing);
    store<usize>(slot, size, 4);
    this.held += size;
  }

  vacate(place: u32): void {
    const slot = this.slotOf(place);
    const thing = load<usize>(slot);
    if (thing === 0) return;
    store<usize>(slot, 0);
    this.held -= load<usize>(slot, 4);
    this.dispose(thing);
  }

  private slotOf(place: u32): usize {
    return this.slots + (place as usize) * SLOT;
  }
}

/**
 * For module level only.
 * @param places how many, a power of two @param most bytes of all things @param dispose of a thing that has lost its place
 */
export function newCache(places: u32, most: usize, dispose: (thing: usize) => void): Cache {
  const cache = changetype<Cache>(heap.alloc(offsetof<Cache>()));
  memory.fill(changetype<usize>(cache), 0, offsetof<Cache>());
  const size = (places as usize) * SLOT;
  cache.slots = heap.alloc(size);
  memory.fill(cache.slots, 0, size);
  cache.places = places;
  cache.most = most;
  cache.dispose = dispose;
  return cache;
}
