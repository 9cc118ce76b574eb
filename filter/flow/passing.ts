import { Closing } from '../body/closing';
import { Span, length, literal, NONE } from '../bytes/span';
import { Shape } from '../mcp/shape';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { Exchange } from './exchange';
import { exceedsRequestBody } from './limits';
import { partWithState } from './request-state';
import { keepsToHeaders } from './stateless';

/**
 * A message that was sent on before its end: what goes on of each part of it, and what must stay true of it. Where that
 * fails, `plan.reply` says why, and its server must not get the end.
 */
const LATE_CLAIM = literal('it claims another protocol era than its headers');
const NO_ID = literal('a call needs an id');
const MUCH_SPACE = literal('much white space follows its document');
const TRAILERS = literal('a large body that was sent on as it came has trailers; announce them in the Trailer header');

/**
 * Reads the next part of the body. Returns what goes on in its place, mostly the part itself; NONE: it is cut off.
 * @param part may be empty @param ended no part comes behind it
 */
export function passPart(exchange: Exchange, closing: Closing, part: Span, ended: bool): Span {
  const message = exchange.message;
  const envelope = message.envelope;
  message.passed += length(part) as u64;
  const wasClosed = envelope.isClosed;
  envelope.read(part);
  if (exceedsRequestBody(exchange, message.passed)) return NONE;
  const last = ended || hasComeWhole(exchange);
  if (!confirms(exchange, last || envelope.isClosed)) return NONE;
  const passing = length(part) === 0 ? part : partWithState(exchange, part);
  if (passing === NONE || !envelope.isClosed) return passing;
  return passEnd(exchange, closing, part, passing, wasClosed, last);
}

/**
 * What goes on of a part with which the document is closed, or that comes behind such a part: see body/closing.ts. NONE: it
 * is cut off.
 * @param part that was read last @param passing what goes on in its place, but for its end: up to there it may differ
 * @param wasClosed whether the document was closed before that part @param last nothing more comes of the body
 */
export function passEnd(
  exchange: Exchange,
  closing: Closing,
  part: Span,
  passing: Span,
  wasClosed: bool,
  last: bool,
): Span {
  const behind = wasClosed ? length(passing) : length(part) - (exchange.message.envelope.closingOffset(part) as i32);
  if (!mayFollow(exchange, closing, behind as u32)) return NONE;
  const brace = (length(passing) - behind) as u32;
  return closing.pass(passing, brace, last, exchange.request.mayEndInTrailers, exchange.arena);
}

/** Whether so many bytes more may follow a document. */
export function mayFollow(exchange: Exchange, closing: Closing, bytes: u32): bool {
  if (closing.mayFollow(bytes)) return true;
  exchange.refuse(Reason.InvalidRequest, MUCH_SPACE);
  return false;
}

/**
 * Whether the body may end in trailers. Not where its end was kept back: the host lets a filter add nothing to a body
 * behind its last part.
 */
export function mayEnd(exchange: Exchange, closing: Closing): bool {
  if (!confirms(exchange, true)) return false;
  if (!closing.keepsBack) return true;
  exchange.refuse(Reason.InvalidRequest, TRAILERS);
  return false;
}

/** Whether all of a body has come whose length was told: its end is then only a formality. */
export function hasComeWhole(exchange: Exchange): bool {
  return exchange.request.hasContentLength && exchange.message.passed === exchange.request.contentLength;
}

/** Whether a document that has been closed is one call or response, whatever white space follows. */
export function isOneMessage(exchange: Exchange): bool {
  const envelope = exchange.message.envelope;
  envelope.end();
  if (envelope.problem !== Reason.None || envelope.shape === Shape.Notification) return false;
  return exchange.message.era === Era.Stateless ? envelope.claimIsStateless : envelope.claim === 0;
}

/** Whether nothing that was read contradicts the decision: the era is that of the headers, a server may go by the body. */
export function confirms(exchange: Exchange, ended: bool): bool {
  if (!isSound(exchange, ended)) return false;
  if (exchange.message.era === Era.Stateless) return !ended || keepsToHeaders(exchange);
  if (exchange.message.envelope.claim === 0) return true;
  exchange.refuse(Reason.InvalidRequest, LATE_CLAIM);
  return false;
}

/** Whether what was read is, so far, one message of the kind that was sent on. */
function isSound(exchange: Exchange, ended: bool): bool {
  const envelope = exchange.message.envelope;
  if (ended) envelope.end();
  if (envelope.problem !== Reason.None) {
    exchange.refuse(envelope.problem, envelope.detail);
    return false;
  }
  if (!ended || envelope.shape !== Shape.Notification) return true;
  // A notification is accepted and goes nowhere; this one has gone too far for that.
  exchange.refuse(Reason.InvalidRequest, NO_ID);
  return false;
}
