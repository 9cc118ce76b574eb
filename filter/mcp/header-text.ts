import { bytesOfStandard, standardText } from '../bytes/base64';
import { isVisible } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, after, equals, length, limit, literal, pointer, span, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';

export { clipped } from '../bytes/clipped';

const OPEN = literal('=?base64?');
const CLOSE = literal('?=');

/**
 * A text as the value of a header: as it is where it is visible ASCII, else in MCP's form (2026-07-28, HTTP headers),
 * `=?base64?…?=`. Text that only looks like that form takes it too, or two texts would have one header.
 */
export function headerText(text: Span, arena: Arena): Span {
  let plain = !startsWith(text, OPEN);
  for (let at = pointer(text); at < limit(text) && plain; at++) {
    if (!isVisible(load<u8>(at))) plain = false;
  }
  if (plain) return text;
  const encoded = standardText(text, arena);
  return newWriter(arena, (length(encoded) as usize) + 16)
    .bytes(OPEN)
    .bytes(encoded)
    .bytes(CLOSE).written;
}

/** What `headerText` was made of, or NONE where the form is not whole. */
export function textOfHeader(value: Span, arena: Arena): Span {
  if (!startsWith(value, OPEN)) return value;
  const inner = length(value) - length(OPEN) - length(CLOSE);
  if (inner < 0 || !equals(after(value, (length(value) - length(CLOSE)) as u32), CLOSE)) return NONE;
  return bytesOfStandard(span(pointer(value) + (length(OPEN) as usize), inner as u32), arena);
}
