import { HYPHEN, ZERO, hexDigit } from './ascii';
import { Arena, make } from './arena';
import { Span, span, pointer, length } from './span';

/** More than an arena gives at once. */
const MOST: usize = 1 << 30;

/** Appends bytes in an arena; grows by doubling, so `capacity` is worth a good guess for large texts. */
@unmanaged
export class Writer {
  start: usize;
  private used: usize;
  capacity: usize;
  arena: Arena;

  bytes(text: Span): Writer {
    const count = length(text) as usize;
    memory.copy(this.room(count), pointer(text), count);
    this.used += count;
    return this;
  }

  byte(value: u8): Writer {
    store<u8>(this.room(1), value);
    this.used += 1;
    return this;
  }

  /** In decimal, without sign or leading zeroes. */
  decimal(value: u64): Writer {
    let digits: usize = 1;
    for (let rest = value / 10; rest > 0; rest /= 10) digits++;
    const to = this.room(digits) + digits;
    for (let i: usize = 1; i <= digits; i++) {
      store<u8>(to - i, ZERO + ((value % 10) as u8));
      value /= 10;
    }
    this.used += digits;
    return this;
  }

  /** All 16 digits, lower case. */
  hex(value: u64): Writer {
    for (let shift: u64 = 64; shift > 0;) {
      shift -= 4;
      this.byte(hexDigit((value >> shift) as u32 & 15));
    }
    return this;
  }

  signed(value: i64): Writer {
    return value < 0 ? this.byte(HYPHEN).decimal(-value as u64) : this.decimal(value as u64);
  }

  u8(value: u32): Writer {
    return this.byte(value as u8);
  }

  /** Little endian, as the ABI and our own packed forms write it. */
  u16(value: u32): Writer {
    store<u16>(this.room(2), value as u16);
    this.used += 2;
    return this;
  }

  u32(value: u32): Writer {
    store<u32>(this.room(4), value);
    this.used += 4;
    return this;
  }

  u64(value: u64): Writer {
    store<u64>(this.room(8), value);
    this.used += 8;
    return this;
  }

  get size(): i32 {
    return this.used as i32;
  }

  /** Forgets all behind the first `size` bytes. */
  truncate(size: i32): void {
    this.used = size as usize;
  }

  /** What was written so far; valid until more is written. */
  get written(): Span {
    return span(this.start, this.used as u32);
  }

  /** Room for `count` more bytes; the caller writes them and says so with `wrote`. */
  room(count: usize): usize {
    if (count > this.capacity - this.used) {
      // Neither is beyond 1 GiB where an arena gives memory, so their sum does not wrap; an arena refuses what is larger.
      const capacity = max(this.capacity * 2, this.used + min(count, MOST));
      const moved = this.arena.allocate(capacity);
      memory.copy(moved, this.start, this.used);
      this.start = moved;
      this.capacity = capacity;
    }
    return this.start + this.used;
  }

  wrote(count: usize): Writer {
    this.used += count;
    return this;
  }
}

export function newWriter(arena: Arena, capacity: usize): Writer {
  const writer = make<Writer>(arena);
  writer.start = arena.allocate(capacity);
  writer.capacity = capacity;
  writer.arena = arena;
  return writer;
}
