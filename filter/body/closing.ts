import { Arena, scratch } from '../bytes/arena';
import { Span, after, first, length, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/** White space behind the document; more is an attack on our memory. */
const MOST_BEHIND: u32 = 4 << 10;

/**
 * The brace that closes a body which is sent on as it comes, and what follows it, are kept here until the
 * end of the stream has confirmed the rest: so no upstream has all of a document whose request is refused after all.
 *
 * A chunk is never paused for it: what later filters buffer, such as the router for its retries, lies in the same buffer
 * as what we pause, and would be sent twice. So where trailers may end the request there would be no chunk to put the
 * brace back into, and it passes: all that is in the document is confirmed by then, and what is cut off behind it is
 * incomplete by its framing alone.
 */
@unmanaged
export class Closing {
  /** What was kept back, or NONE. */
  private tail: Span;
  /** Bytes that have come behind the document, those of its closing brace's chunk included. */
  private behind: u32;

  get keepsBack(): bool {
    return this.tail !== NONE;
  }

  /** Whether so many bytes more may follow the document, which are white space. */
  mayFollow(bytes: u32): bool {
    this.behind += bytes;
    return this.behind <= MOST_BEHIND;
  }

  /**
   * What passes in place of a chunk whose document is closed.
   * @param closing where in it the brace stands; where that was in an earlier one, 0
   * @param last nothing more comes of the body
   * @param mayEndInTrailers no chunk may come that what is kept back could go on with
   * @param arena of the request
   */
  pass(chunk: Span, closing: u32, last: bool, mayEndInTrailers: bool, arena: Arena): Span {
    const kept = this.tail;
    if (last) {
      this.tail = NONE;
      return kept === NONE ? chunk : joined(kept, chunk, scratch);
    }
    if (mayEndInTrailers) return chunk;
    this.tail = joined(kept, after(chunk, closing), arena);
    return first(chunk, closing);
  }
}

function joined(a: Span, b: Span, arena: Arena): Span {
  return newWriter(arena, (length(a) + length(b)) as usize)
    .bytes(a)
    .bytes(b).written;
}
