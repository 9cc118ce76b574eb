import { Span, after, length, literal } from '../bytes/span';
import { Exchange } from '../flow/exchange';
import { Reason } from '../mcp/errors';
import { replaceAll } from './buffers';
import { Buffer } from './status';
import { Stream } from './streams';

/** The end of a body that is sent on as it comes, see body/closing.ts. */
const MUCH_SPACE = literal('much white space follows its document');
const TRAILERS = literal('a large body that was sent on as it came has trailers; announce them in the Trailer header');

/**
 * Lets a chunk pass whose document is closed, but for what has to wait.
 * @param closing where in it the brace stands; where that was in an earlier one, 0
 * @param last nothing more comes of the body
 * @returns false: it is cut off, and `exchange.reply` says why
 */
export function passClosed(stream: Stream, exchange: Exchange, chunk: Span, closing: u32, last: bool): bool {
  if (!mayFollow(stream, exchange, length(after(chunk, closing)) as u32)) return false;
  const passes = stream.closing.pass(chunk, closing, last, exchange.request.mayEndInTrailers, exchange.arena);
  if (passes !== chunk) replaceAll(Buffer.RequestBody, passes);
  return true;
}

/** Whether so many bytes more may follow a document. If not, `exchange.reply` says why. */
export function mayFollow(stream: Stream, exchange: Exchange, bytes: u32): bool {
  if (stream.closing.mayFollow(bytes)) return true;
  exchange.refuse(Reason.InvalidRequest, MUCH_SPACE);
  return false;
}

/**
 * At the trailers of a request that was sent on, and is confirmed. False: its end was kept back, and the host lets a filter
 * add nothing to a body behind its last chunk; `exchange.reply` says so.
 */
export function mayEndHere(stream: Stream, exchange: Exchange): bool {
  if (!stream.closing.keepsBack) return true;
  exchange.refuse(Reason.InvalidRequest, TRAILERS);
  return false;
}
