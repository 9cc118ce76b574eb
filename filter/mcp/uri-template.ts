import { ASTERISK, CLOSING_BRACE, OPENING_BRACE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, length, limit, pointer } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/**
 * A pattern (model/glob.ts) that matches all URIs that a template (RFC 6570) expands to, and more: an expression may
 * stand for anything. A URI without expressions stands for itself.
 */
export function expansions(template: Span, arena: Arena): Span {
  const pattern = newWriter(arena, length(template) as usize);
  let isInside = false;
  for (let at = pointer(template); at < limit(template); at++) {
    const c = load<u8>(at);
    if (!isInside && c === OPENING_BRACE) pattern.byte(ASTERISK);
    if (c === OPENING_BRACE) isInside = true;
    if (!isInside) pattern.byte(c);
    if (c === CLOSING_BRACE) isInside = false;
  }
  return pattern.written;
}
