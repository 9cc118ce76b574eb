import { Arena, make, newArena } from '../../../filter/bytes/arena';
import { between, equals, length, limit, pointer, Span, span } from '../../../filter/bytes/span';
import { Edits } from '../../../filter/sse/edits';
import { newRewriter, Rewriter } from '../../../filter/sse/rewriter';

const arena = newArena(1024);
const callback = newArena(1024);

/** Puts a text in the place of another, wherever that stands in the data. */
@unmanaged
class Replacing {
  wanted: Span;
  text: Span;
  /** The first byte goes by an edit of its own. */
  inTwo: bool;
  /** Edits that are out of order are asked for, too. */
  isWrong: bool;

  edit(data: Span, edits: Edits): void {
    const size = length(this.wanted) as usize;
    for (let at = pointer(data); at + size <= limit(data);) {
      if (!equals(span(at, size as u32), this.wanted)) {
        at++;
        continue;
      }
      const from = (at - pointer(data)) as u32;
      if (this.inTwo) edits.replace(from, from + 1, 0);
      edits.replace(this.inTwo ? from + 1 : from, from + (size as u32), this.text);
      if (this.isWrong) this.askForWrong(from, data, edits);
      at += size;
    }
  }

  private askForWrong(last: u32, data: Span, edits: Edits): void {
    if (edits.replace(last, last, this.text)) unreachable();
    const end = length(data) as u32;
    if (edits.replace(end, end + 1, this.text)) unreachable();
    if (edits.replace(end + 1, end, this.text)) unreachable();
  }
}

function rewriterOf(owner: Arena, most: u32): Rewriter<Replacing> {
  return newRewriter<Replacing>(make<Replacing>(owner), most, owner);
}

let rewriter: Rewriter<Replacing> = rewriterOf(arena, 0);

/** Begins another stream. */
export function rewriterOpen(wanted: usize, count: u32, text: usize, size: u32, most: u32): void {
  arena.reset();
  rewriter = rewriterOf(arena, most);
  rewriter.editor.wanted = arena.copy(span(wanted, count));
  rewriter.editor.text = arena.copy(span(text, size));
}

export function rewriterEditsInTwo(): void {
  rewriter.editor.inTwo = true;
}

export function rewriterEditsWrongly(): void {
  rewriter.editor.isWrong = true;
}

export function rewriterWrite(chunk: usize, count: u32): Span {
  callback.reset();
  return rewriter.write(span(chunk, count), callback);
}

export function rewriterEnd(): Span {
  callback.reset();
  return rewriter.end(callback);
}

export function rewriterUnedited(): u32 {
  return rewriter.unedited;
}

/** Bytes that are kept from one chunk to the next, memory that waits for more among them. */
export function rewriterHeld(): u32 {
  return arena.held as u32;
}

/** Whether what goes on is the chunk itself, no copy. */
export function rewriterReturnsChunk(chunk: usize, count: u32): bool {
  callback.reset();
  return rewriter.write(span(chunk, count), callback) === between(chunk, chunk + (count as usize));
}
