import { COMMA, SPACE } from './ascii';
import { Arena, make, scratch } from './arena';
import { Span, span, pointer, length, limit, equals, NONE } from './span';
import { newWriter } from './writer';

/**
 * The ABI's form of a header map, both ways:
 *
 *     │ count (4) │ count × { name length (4), value length (4) } │ count × { name, NUL, value, NUL } │
 */
@unmanaged
export class Pairs {
  sizes: usize;
  texts: usize;
  left: u32;
  end: usize;
  name: Span;
  value: Span;

  next(): bool {
    if (this.left === 0) return false;
    const nameLength = load<u32>(this.sizes);
    const valueLength = load<u32>(this.sizes, 4);
    // In 64 bits, where the sum of two lengths does not wrap.
    if ((nameLength as u64) + (valueLength as u64) + 2 > ((this.end - this.texts) as u64)) return false;
    this.name = span(this.texts, nameLength);
    this.value = span(this.texts + (nameLength as usize) + 1, valueLength);
    this.texts = limit(this.value) + 1;
    this.sizes += 8;
    this.left--;
    return true;
  }
}

export function readPairs(bytes: Span, arena: Arena): Pairs {
  const pairs = make<Pairs>(arena);
  if (length(bytes) < 4) return pairs;
  const at = pointer(bytes);
  const count = load<u32>(at);
  if (count > ((length(bytes) as u32) - 4) >> 3) return pairs;
  pairs.left = count;
  pairs.sizes = at + 4;
  pairs.texts = at + 4 + (count as usize) * 8;
  pairs.end = limit(bytes);
  return pairs;
}

/** A message's headers after edits, as headers to send; an edit of NONE leaves the header out. */
export function editedPairs(bytes: Span, edits: HeaderList, arena: Arena): HeaderList {
  const list = newHeaderList(arena);
  for (const pairs = readPairs(bytes, arena); pairs.next();) {
    if (!edits.names(pairs.name)) list.add(pairs.name, pairs.value);
  }
  for (let i: u32 = 0; i < edits.count; i++) {
    if (edits.valueAt(i) !== NONE) list.add(edits.nameAt(i), edits.valueAt(i));
  }
  return list;
}

/** Value of the first header of that (lower-case) name, or NONE. */
export function headerIn(bytes: Span, name: Span, arena: Arena): Span {
  for (const pairs = readPairs(bytes, arena); pairs.next();) {
    if (equals(pairs.name, name)) return pairs.value;
  }
  return NONE;
}

/** How often a header of that (lower-case) name is there. */
export function countOf(bytes: Span, name: Span, arena: Arena): i32 {
  let count = 0;
  for (const pairs = readPairs(bytes, arena); pairs.next();) if (equals(pairs.name, name)) count++;
  return count;
}

/** All values of a header as one, or NONE. */
export function valuesIn(bytes: Span, name: Span, arena: Arena): Span {
  let values = NONE;
  for (const pairs = readPairs(bytes, arena); pairs.next();) {
    if (equals(pairs.name, name)) values = joined(values, pairs.value, arena);
  }
  return values;
}

/** A header that comes twice means what its values mean with a comma between (RFC 9110 §5.2). @param before or NONE */
export function joined(before: Span, value: Span, arena: Arena): Span {
  if (before === NONE) return value;
  const capacity = (length(before) as usize) + (length(value) as usize) + 2;
  return newWriter(arena, capacity).bytes(before).byte(COMMA).byte(SPACE).bytes(value).written;
}

/** Headers to send: a list of names and values, in turn. */
@unmanaged
export class HeaderList {
  arena: Arena;
  private items: usize;
  private capacity: u32;
  count: u32;

  add(name: Span, value: Span): HeaderList {
    if (this.count === this.capacity) {
      const capacity = max<u32>(this.capacity * 2, 16);
      const moved = this.arena.allocate((capacity as usize) << 4);
      memory.copy(moved, this.items, (this.count as usize) << 4);
      this.items = moved;
      this.capacity = capacity;
    }
    const at = this.items + ((this.count as usize) << 4);
    store<Span>(at, name);
    store<Span>(at, value, 8);
    this.count++;
    return this;
  }

  /** In the place of the first header of that name, if there is one. */
  set(name: Span, value: Span): HeaderList {
    const index = this.indexOf(name);
    if (index < 0) return this.add(name, value);
    store<Span>(this.items + ((index as usize) << 4), value, 8);
    return this;
  }

  names(name: Span): bool {
    return this.indexOf(name) >= 0;
  }

  /** Whether there was one of that name; the first of them is gone. */
  remove(name: Span): bool {
    const index = this.indexOf(name);
    if (index < 0) return false;
    const at = this.items + ((index as usize) << 4);
    this.count--;
    memory.copy(at, at + 16, ((this.count - (index as u32)) as usize) << 4);
    return true;
  }

  /** Where the first header of that name is, or -1. */
  indexOf(name: Span): i32 {
    for (let i: u32 = 0; i < this.count; i++) if (equals(this.nameAt(i), name)) return i as i32;
    return -1;
  }

  nameAt(index: u32): Span {
    return load<Span>(this.items + ((index as usize) << 4));
  }

  valueAt(index: u32): Span {
    return load<Span>(this.items + ((index as usize) << 4), 8);
  }

  /** Bytes of the ABI's form. */
  get packedSize(): u32 {
    let size: u32 = 4;
    for (let i: u32 = 0; i < this.count; i++) size += 10 + (this.nameAt(i) as u32) + (this.valueAt(i) as u32);
    return size;
  }

  /**
   * In the ABI's form, until the end of the callback; the host takes at most 1024 pairs and 1 MiB, more reads as none at
   * all.
   */
  packed(): Span {
    return this.packedIn(scratch);
  }

  /** The same in an arena. */
  packedIn(arena: Arena): Span {
    const writer = newWriter(arena, this.packedSize as usize).u32(this.count);
    for (let i: u32 = 0; i < this.count; i++) {
      writer.u32(length(this.nameAt(i)) as u32).u32(length(this.valueAt(i)) as u32);
    }
    for (let i: u32 = 0; i < this.count; i++) writer.bytes(this.nameAt(i)).byte(0).bytes(this.valueAt(i)).byte(0);
    return writer.written;
  }
}

export function newHeaderList(arena: Arena): HeaderList {
  const list = make<HeaderList>(arena);
  list.arena = arena;
  return list;
}
