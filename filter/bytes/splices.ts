import { Arena, make } from './arena';
import { Span, after, first, length, NONE } from './span';
import { newWriter } from './writer';

/** Bytes between two offsets, and what stands in their place. */
@unmanaged
class Splice {
  from: u32;
  to: u32;
  /** NONE: nothing. */
  text: Span;
  /** The next one in the order of the text, or null. */
  next: Splice | null;
}

/** A few parts of a text that others take the place of. They do not overlap. */
@unmanaged
export class Splices {
  private first: Splice | null;
  private added: u32;
  arena: Arena;

  /** @param text in the place of the bytes from `from` to `to`; NONE: nothing */
  add(from: u32, to: u32, text: Span): void {
    const splice = make<Splice>(this.arena);
    splice.from = from;
    splice.to = to;
    splice.text = text;
    this.added += length(text) as u32;
    let before: Splice | null = null;
    for (let at = this.first; at !== null;) {
      if (at.from > from) break;
      before = at;
      const next: Splice | null = at.next;
      at = next;
    }
    if (before === null) {
      splice.next = this.first;
      this.first = splice;
    } else {
      splice.next = before.next;
      before.next = splice;
    }
  }

  applied(text: Span, arena: Arena): Span {
    const out = newWriter(arena, (length(text) as usize) + (this.added as usize));
    let behind: u32 = 0;
    for (let splice = this.first; splice !== null;) {
      out.bytes(after(first(text, splice.from), behind));
      if (splice.text !== NONE) out.bytes(splice.text);
      behind = splice.to;
      const next: Splice | null = splice.next;
      splice = next;
    }
    return out.bytes(after(text, behind)).written;
  }
}

export function newSplices(arena: Arena): Splices {
  const splices = make<Splices>(arena);
  splices.arena = arena;
  return splices;
}
