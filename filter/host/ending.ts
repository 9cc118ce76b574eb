import { Arena, scratch } from '../bytes/arena';
import { Span, after, first, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Exchange } from '../flow/exchange';
import { Reason } from '../mcp/errors';
import { replaceAll } from './buffers';
import { Buffer } from './status';
import { Stream } from './streams';

/**
 * The brace that closes a body which is sent on as it comes, and what follows it, are kept here until the
 * end of the stream has confirmed the rest: so no upstream has all of a document whose request is refused after all.
 *
 * A chunk is never paused for it: what later filters buffer, such as the router for its retries, lies in the same buffer
 * as what we pause, and would be sent twice. So where trailers may end the request there would be no chunk to put the
 * brace back into, and it passes: all that is in the document is confirmed by then, and what is cut off behind it is
 * incomplete by its framing alone.
 */

/** White space behind the document; more is an attack on our memory. */
const MOST_AFTER_CLOSING: u32 = 4 << 10;
const MUCH_SPACE = literal('much white space follows its document');
const TRAILERS = literal('a large body that was sent on as it came has trailers; announce them in the Trailer header');

/**
 * Lets a chunk pass whose document is closed, but for what has to wait.
 * @param closing where in it the brace stands; where that was in an earlier one, 0
 * @param last nothing more comes of the body
 * @returns false: it is cut off, and `exchange.reply` says why
 */
export function passClosed(stream: Stream, exchange: Exchange, chunk: Span, closing: u32, last: bool): bool {
  const kept = stream.tail;
  const behind = after(chunk, closing);
  if (!mayFollow(stream, exchange, length(behind) as u32)) return false;
  if (last) {
    if (kept !== NONE) replaceAll(Buffer.RequestBody, joined(kept, chunk, scratch));
    stream.tail = NONE;
    return true;
  }
  if (exchange.request.mayEndInTrailers) return true;
  stream.tail = joined(kept, behind, exchange.arena);
  replaceAll(Buffer.RequestBody, first(chunk, closing));
  return true;
}

/** Whether so many bytes more may follow a document, which are white space. If not, `exchange.reply` says why. */
export function mayFollow(stream: Stream, exchange: Exchange, bytes: u32): bool {
  stream.behind += bytes;
  if (stream.behind <= MOST_AFTER_CLOSING) return true;
  exchange.refuse(Reason.InvalidRequest, MUCH_SPACE);
  return false;
}

/**
 * At the trailers of a request that was sent on, and is confirmed. False: its end was kept back, and the host lets a filter
 * add nothing to a body behind its last chunk; `exchange.reply` says so.
 */
export function mayEndHere(stream: Stream, exchange: Exchange): bool {
  if (stream.tail === NONE) return true;
  exchange.refuse(Reason.InvalidRequest, TRAILERS);
  return false;
}

function joined(a: Span, b: Span, arena: Arena): Span {
  return newWriter(arena, (length(a) + length(b)) as usize)
    .bytes(a)
    .bytes(b).written;
}
