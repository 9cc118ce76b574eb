import { DELETE, DOT, SPACE } from '../bytes/ascii';
import { Span, limit, pointer, span } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { characterSize, writeUnit } from '../json/text';

/**
 * Appends a text to a line of the log so that it stays one line, and does nothing to a terminal: what controls one, or
 * is no UTF-8, is written as `\u001b`. So are the two line separators of Unicode, at which some readers of logs break.
 * @param most bytes; a longer text is cut, and ends with three dots
 */
export function writeLogText(line: Writer, text: Span, most: i32): void {
  const stop = line.size + most;
  for (let at = pointer(text), end = limit(text); at < end;) {
    if (line.size >= stop) {
      line.byte(DOT).byte(DOT).byte(DOT);
      return;
    }
    const size = characterSize(at, end);
    const unit = unitToEscape(at, size);
    if (unit >= 0) writeUnit(line, unit);
    else line.bytes(span(at, size as u32));
    at += max(size, 1);
  }
}

/** What stands in the place of a character that must not be seen, or -1. */
function unitToEscape(at: usize, size: usize): i32 {
  const first: i32 = load<u8>(at);
  if (size === 0) return 0xfffd;
  if (size === 1) return first < (SPACE as i32) || first === DELETE ? first : -1;
  // U+0080 to U+009F, U+2028, U+2029
  if (first === 0xc2 && load<u8>(at, 1) < 0xa0) return load<u8>(at, 1);
  if (first === 0xe2 && load<u8>(at, 1) === 0x80 && (load<u8>(at, 2) & 0xfe) === 0xa8) {
    return 0x2000 | (load<u8>(at, 2) & 0x3f);
  }
  return -1;
}
