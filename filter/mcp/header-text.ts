import { Arena } from '../bytes/arena';
import { Span, after, equals, indexOf, length, limit, literal, pointer, span, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';

const OPEN = literal('=?base64?');
const CLOSE = literal('?=');
const ALPHABET = literal('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/**
 * A text as the value of a header: as it is where it is visible ASCII, else in MCP's form (2026-07-28, HTTP headers),
 * `=?base64?…?=`. Text that only looks like that form takes it too, or two texts would have one header.
 */
export function headerText(text: Span, arena: Arena): Span {
  let plain = !startsWith(text, OPEN);
  for (let at = pointer(text); at < limit(text) && plain; at++) {
    plain = load<u8>(at) >= 0x21 && load<u8>(at) <= 0x7e;
  }
  if (plain) return text;
  const size = ((length(text) + 2) / 3) * 4;
  const writer = newWriter(arena, (size as usize) + 16).bytes(OPEN);
  for (let at = pointer(text); at < limit(text); at += 3) {
    const rest = limit(text) - at;
    const b0: u32 = load<u8>(at);
    const b1: u32 = rest > 1 ? load<u8>(at + 1) : 0;
    const b2: u32 = rest > 2 ? load<u8>(at + 2) : 0;
    const bits = (b0 << 16) | (b1 << 8) | b2;
    writer.byte(letter(bits >> 18)).byte(letter((bits >> 12) & 63));
    writer.byte(rest > 1 ? letter((bits >> 6) & 63) : 0x3d).byte(rest > 2 ? letter(bits & 63) : 0x3d);
  }
  return writer.bytes(CLOSE).written;
}

/** What `headerText` was made of, or NONE where the form is not whole. */
export function textOfHeader(value: Span, arena: Arena): Span {
  if (!startsWith(value, OPEN)) return value;
  const inner = length(value) - length(OPEN) - length(CLOSE);
  if (inner < 0 || inner % 4 !== 0 || !equals(after(value, (length(value) - length(CLOSE)) as u32), CLOSE)) return NONE;
  const writer = newWriter(arena, ((inner / 4) * 3) as usize);
  const from = pointer(value) + (length(OPEN) as usize);
  for (let at: usize = 0; at < (inner as usize); at += 4) {
    let bits: u32 = 0;
    let padding = 0;
    for (let i: usize = 0; i < 4; i++) {
      const byte = load<u8>(from + at + i);
      const value = byte === 0x3d ? 0 : indexOf(ALPHABET, byte);
      // Padding stands at the very end and nowhere else.
      if (value < 0 || (padding > 0 && byte !== 0x3d)) return NONE;
      if (byte === 0x3d) padding++;
      bits = (bits << 6) | (value as u32);
    }
    if (padding > 2 || (padding > 0 && at + 4 < (inner as usize))) return NONE;
    writer.byte((bits >> 16) as u8);
    if (padding < 2) writer.byte((bits >> 8) as u8);
    if (padding < 1) writer.byte(bits as u8);
  }
  return writer.written;
}

function letter(index: u32): u8 {
  return load<u8>(pointer(ALPHABET) + (index as usize));
}

/** Of a text that goes into a message: its first bytes, cut between two characters (RFC 3629 §3). */
export function clipped(text: Span, most: i32): Span {
  if (length(text) <= most) return text;
  let count = most;
  while (count > 0 && (load<u8>(pointer(text) + (count as usize)) & 0xc0) === 0x80) count--;
  return span(pointer(text), count as u32);
}
