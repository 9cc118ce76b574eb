import { DOT, HYPHEN, PERCENT, TILDE, UNDERSCORE, hexValue, isDigit, isLetter } from './ascii';
import { Span, limit, pointer } from './span';

/**
 * Whether a text has an escape such as `%73` that a URI is the same without, since what it stands for needs none (RFC 3986
 * §6.2.2.2: letters, digits, `-`, `.`, `_`, `~`), or one whose digits have small letters, as in `%c3` (§6.2.2.1).
 */
export function hasOddEscape(text: Span): bool {
  const end = limit(text);
  for (let at = pointer(text); at + 2 < end; at++) {
    if (load<u8>(at) === PERCENT && isOdd(load<u8>(at, 1), load<u8>(at, 2))) return true;
  }
  return false;
}

/** @param first and `second`: what stands where the digits of an escape do */
function isOdd(first: u32, second: u32): bool {
  const high = hexValue(first);
  const low = hexValue(second);
  if (high < 0 || low < 0) return false;
  return isSmall(first) || isSmall(second) || isUnreserved((high << 4) | low);
}

function isSmall(digit: u32): bool {
  return isLetter(digit) && (digit & 0x20) !== 0;
}

function isUnreserved(c: u32): bool {
  return isLetter(c) || isDigit(c) || c === HYPHEN || c === DOT || c === UNDERSCORE || c === TILDE;
}
