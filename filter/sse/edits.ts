import { Arena, make } from '../bytes/arena';
import { Span } from '../bytes/span';
import { List, newList } from '../bytes/list';

/** Ranges of bytes of one text, in order, and what takes the place of each. */
@unmanaged
export class Edits {
  /** Beginning and end of each range in one item. */
  ranges: List;
  /** For each range, what takes its place. */
  texts: List;
  /** Length of the text that they are of. */
  size: u32;
  /** Where the last one ends. */
  private edited: u32;

  /**
   * Replaces the bytes from `from` to `to`, or inserts where both are equal.
   * @param text lives until the edits are carried out. An end of a line in it becomes a space: it would end the field
   * @returns false, and nothing is edited, where the range is none of the text or begins before the last one ends
   */
  replace(from: u32, to: u32, text: Span): bool {
    if (from < this.edited || to < from || to > this.size) return false;
    this.edited = to;
    this.ranges.push(((from as u64) << 32) | (to as u64));
    this.texts.push(text);
    return true;
  }

  get count(): i32 {
    return this.texts.count;
  }

  fromAt(index: i32): u32 {
    return (this.ranges.at(index) >> 32) as u32;
  }

  toAt(index: i32): u32 {
    return this.ranges.at(index) as u32;
  }

  textAt(index: i32): Span {
    return this.texts.at(index);
  }
}

/** None yet. @param size of the text in bytes */
export function newEdits(size: u32, arena: Arena): Edits {
  const edits = make<Edits>(arena);
  edits.ranges = newList(arena);
  edits.texts = newList(arena);
  edits.size = size;
  return edits;
}
