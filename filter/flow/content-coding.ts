import { COMMA, SEMICOLON } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { headerIn } from '../bytes/pairs';
import { Span, after, equalsIgnoringCase, first, indexOf, length, literal, trim, NONE } from '../bytes/span';
import { compressedText, isCompressed } from '../upstream/judge';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Exchange } from './exchange';
import { mayBeRewritten } from './rewriting';

const ANY = literal('*');

/**
 * Whether the answer to a call that was sent on is in a coding that its client did not ask for, or that hides what has to
 * be rewritten; then the refusal is ready. A client that asks for none reads none, whatever RFC 9110 §12.5.3 allows.
 * @param coding of the answer, or NONE @param contentType of what it decodes to
 */
export function refusesCoding(exchange: Exchange, coding: Span, contentType: Span): bool {
  if (!isCompressed(coding)) return false;
  const accepted = headerIn(exchange.request.pairs, header.ACCEPT_ENCODING, scratch);
  if (!mayBeRewritten(exchange, contentType) && accepts(accepted, coding)) return false;
  const detail = compressedText(coding, scratch);
  exchange.refuse(Reason.UpstreamProtocol, detail, exchange.target.server.name);
  return true;
}

/** @param accepted a list as in `gzip, br;q=0.5`, or NONE. What is listed with a weight of 0 is no matter here. */
function accepts(accepted: Span, coding: Span): bool {
  for (let rest = accepted; length(rest) > 0;) {
    const comma = indexOf(rest, COMMA);
    const element = comma < 0 ? rest : first(rest, comma as u32);
    const semicolon = indexOf(element, SEMICOLON);
    const name = trim(semicolon < 0 ? element : first(element, semicolon as u32));
    if (equalsIgnoringCase(name, coding) || equalsIgnoringCase(name, ANY)) return true;
    rest = comma < 0 ? NONE : after(rest, (comma as u32) + 1);
  }
  return false;
}
