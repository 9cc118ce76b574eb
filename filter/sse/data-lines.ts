import { LINE_FEED } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, span } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Separator } from './parser';

/** Bytes that the list keeps of a line. */
export const LINE_SIZE: u32 = 16;

/**
 * Where the data of one event stand among its bytes: the value of each line of data, by its offset. The data are these
 * values with a line feed between two (WHATWG HTML §9.2.6).
 */
@unmanaged
export class DataLines {
  /** For each line two items: offset and length of its value in one, then its separator. */
  items: List;
  /** The line in which `find` goes on, and the place of its first byte in the data. */
  private line: i32;
  private start: u32;
  /** What `find` found: an offset among the bytes of the event. */
  offset: u32;
  /** What stands before it where it is the first byte of a line's value, else ColonAndSpace: nothing is missing. */
  separator: Separator;

  add(offset: u32, count: u32, separator: Separator): void {
    this.items.push(((offset as u64) << 32) | (count as u64));
    this.items.push(separator as u64);
  }

  clear(): void {
    this.items.count = 0;
    this.line = 0;
    this.start = 0;
  }

  get count(): i32 {
    return this.items.count >> 1;
  }

  /** The data. @param base where the bytes of the event are @param arena for a copy, which several lines need */
  text(base: usize, arena: Arena): Span {
    if (this.count === 1) return this.valueAt(0, base);
    const last = this.count - 1;
    const capacity = this.offsetAt(last) + this.lengthAt(last);
    const joined = newWriter(arena, capacity as usize);
    for (let i = 0; i <= last; i++) {
      if (i > 0) joined.byte(LINE_FEED);
      joined.bytes(this.valueAt(i, base));
    }
    return joined.written;
  }

  /** Finds a place of the data among the bytes of the event; none that stands before the last one that was found. */
  find(place: u32): void {
    while (place > this.start + this.lengthAt(this.line)) {
      this.start += this.lengthAt(this.line) + 1;
      this.line++;
    }
    this.offset = this.offsetAt(this.line) + (place - this.start);
    this.separator = place === this.start ? this.separatorAt(this.line) : Separator.ColonAndSpace;
  }

  private valueAt(line: i32, base: usize): Span {
    return span(base + (this.offsetAt(line) as usize), this.lengthAt(line));
  }

  private offsetAt(line: i32): u32 {
    return (this.items.at(line << 1) >> 32) as u32;
  }

  private lengthAt(line: i32): u32 {
    return this.items.at(line << 1) as u32;
  }

  private separatorAt(line: i32): Separator {
    return this.items.at((line << 1) + 1) as Separator;
  }
}

/** @param arena where they are kept, for one event after the other */
export function newDataLines(arena: Arena): DataLines {
  const lines = make<DataLines>(arena);
  lines.items = newList(arena);
  return lines;
}
