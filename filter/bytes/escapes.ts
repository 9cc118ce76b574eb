import { DOT, HYPHEN, PERCENT, TILDE, UNDERSCORE, hexValue, isDigit, isLetter } from './ascii';
import { Arena } from './arena';
import { Span, between, length, limit, pointer } from './span';
import { newWriter } from './writer';

/**
 * The same URI with its escapes as RFC 3986 §6.2.2 has them: `%73ecret` as `secret`, since letters, digits, `-`, `.`, `_` and
 * `~` need none, and `%c3` as `%C3`. Also of a pattern. A text without such escapes is given back itself.
 */
export function normalizedEscapes(text: Span, arena: Arena): Span {
  let from = pointer(text);
  let odd = oddEscape(from, limit(text));
  if (odd === 0) return text;
  const writer = newWriter(arena, length(text) as usize);
  for (; odd !== 0; odd = oddEscape(from, limit(text))) {
    writer.bytes(between(from, odd));
    const c = value(odd) as u8;
    if (isUnreserved(c)) writer.byte(c);
    else
      writer
        .byte(PERCENT)
        .byte(upper(load<u8>(odd, 1)))
        .byte(upper(load<u8>(odd, 2)));
    from = odd + ESCAPE;
  }
  return writer.bytes(between(from, limit(text))).written;
}

/** Bytes of an escape such as `%73`. */
const ESCAPE: usize = 3;

/** Where the next escape stands that has another form; 0 where none does. */
function oddEscape(from: usize, end: usize): usize {
  for (let at = from; at + 2 < end; at++) {
    if (load<u8>(at) !== PERCENT) continue;
    const c = value(at);
    if (c >= 0 && (isSmall(load<u8>(at, 1)) || isSmall(load<u8>(at, 2)) || isUnreserved(c))) return at;
  }
  return 0;
}

/** The byte that an escape stands for; negative where its digits are none. */
function value(escape: usize): i32 {
  const high = hexValue(load<u8>(escape, 1));
  const low = hexValue(load<u8>(escape, 2));
  return high < 0 || low < 0 ? -1 : (high << 4) | low;
}

function isSmall(digit: u32): bool {
  return isLetter(digit) && (digit & 0x20) !== 0;
}

function upper(digit: u8): u8 {
  return isSmall(digit) ? digit & 0xdf : digit;
}

function isUnreserved(c: u32): bool {
  return isLetter(c) || isDigit(c) || c === HYPHEN || c === DOT || c === UNDERSCORE || c === TILDE;
}
