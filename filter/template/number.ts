import { DOT, ZERO, isLetter } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, length, limit, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isWhole, whole } from '../json/numbers';

/**
 * A number of a template as it is printed: whole ones in decimal, others with six decimals. NONE: one that is not served,
 * for its notation, or because a double would not hold it exactly.
 */
export function numberOf(text: Span, arena: Arena): Span {
  if (isWhole(text) && !hasLeadingZero(text)) {
    if (whole > 1 << 53 || whole < -(1 << 53)) return NONE;
    return newWriter(arena, 24).signed(whole).written;
  }
  for (let at = pointer(text); at < limit(text); at++) if (isLetter(load<u8>(at)) || load<u8>(at) === 0x5f) return NONE;
  if (hasLeadingZero(text)) return NONE;
  const dot = indexOfDot(text);
  const decimals = length(text) - dot - 1;
  if (dot < 1 || decimals > 6 || length(text) > 15) return NONE;
  const writer = newWriter(arena, 24).bytes(text);
  for (let i = decimals; i < 6; i++) writer.byte(ZERO);
  return writer.written;
}

function hasLeadingZero(text: Span): bool {
  return length(text) > 1 && load<u8>(pointer(text)) === ZERO && load<u8>(pointer(text) + 1) !== DOT;
}

function indexOfDot(text: Span): i32 {
  for (let i = 0; i < length(text); i++) if (load<u8>(pointer(text) + (i as usize)) === DOT) return i;
  return length(text);
}
