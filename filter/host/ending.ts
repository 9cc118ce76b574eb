import { Arena, scratch } from '../bytes/arena';
import { Span, after, first, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Exchange } from '../flow/exchange';
import { Reason } from '../mcp/errors';
import { replaceAll } from './buffers';
import { Buffer } from './status';
import { Stream } from './streams';

/**
 * Of a body that is sent on as it comes, the brace that closes the document, and what follows it, are kept here until the
 * end of the stream has confirmed the rest: so no upstream ever has a complete request that differs from what was
 * decided on.
 *
 * A chunk is never paused for it: what later filters buffer, such as the router for its retries, lies in the same buffer
 * as what we pause, and would be sent twice.
 */

/** White space behind the document; more is an attack on our memory. */
const MOST_AFTER_CLOSING: u32 = 4 << 10;
const MUCH_SPACE = literal('much white space follows its document');
const TRAILERS = literal('a large body that was sent on as it came has trailers; announce them in the Trailer header');

/**
 * Lets a chunk pass whose document is closed, but for what has to wait. @param closing where in it the brace stands;
 * where that was in an earlier one, 0. False: it is cut off, and `exchange.reply` says why.
 */
export function passClosed(stream: Stream, exchange: Exchange, chunk: Span, closing: u32, ended: bool): bool {
  const before = stream.tail;
  if (ended) {
    replaceAll(Buffer.RequestBody, before === NONE ? chunk : joined(before, chunk, scratch));
    return true;
  }
  stream.tail = joined(before, after(chunk, closing), exchange.arena);
  if ((stream.tail as u32) > MOST_AFTER_CLOSING) {
    exchange.refuse(Reason.InvalidRequest, MUCH_SPACE);
    return false;
  }
  replaceAll(Buffer.RequestBody, first(chunk, closing));
  return true;
}

/**
 * With trailers there is no last chunk that the closing brace could be put back into, and the host lets a filter add
 * none: the one shape of a request that cannot be served once it was sent on.
 */
export function refuseTrailers(exchange: Exchange): void {
  exchange.refuse(Reason.InvalidRequest, TRAILERS);
}

function joined(a: Span, b: Span, arena: Arena): Span {
  return newWriter(arena, (length(a) + length(b)) as usize)
    .bytes(a)
    .bytes(b).written;
}
