import { Span, length, pointer, span } from './span';

/** The first bytes of a text that goes into a message, cut between two characters (RFC 3629 §3). */
export function clipped(text: Span, most: i32): Span {
  if (length(text) <= most) return text;
  let count = most;
  while (count > 0 && (load<u8>(pointer(text) + (count as usize)) & 0xc0) === 0x80) count--;
  return span(pointer(text), count as u32);
}
