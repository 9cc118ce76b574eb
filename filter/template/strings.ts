import { BACKSLASH, LOWER_U, QUOTE, SPACE, DELETE, hexDigit, hexValue } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, between, length, limit, pointer, span } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { unescaped } from '../json/escape';
import { characterSize, putUtf8 } from '../json/text';

/**
 * The text of a string token of data that nobody has checked. As the engine that templates are written for reads it
 * (GJSON): it ends before an escape that JSON does not know, and a lone surrogate is U+FFFD.
 */
export function decoded(token: Span, arena: Arena): Span {
  const from = pointer(token) + 1;
  let to = limit(token);
  if (to > from && load<u8>(to - 1) === QUOTE) to--;
  let at = from;
  while (at < to && load<u8>(at) !== BACKSLASH) at++;
  if (at === to) return between(from, to);
  const out = arena.allocate((to - from) as usize);
  let put = out;
  for (at = from; at < to;) {
    const c = load<u8>(at++);
    if (c < SPACE) break;
    if (c !== BACKSLASH) {
      store<u8>(put++, c);
      continue;
    }
    if (at === to) break;
    const letter: u32 = load<u8>(at++);
    if (letter !== LOWER_U) {
      const meant = unescaped(letter);
      if (meant === 0) break;
      store<u8>(put++, meant as u8);
      continue;
    }
    if (at + 4 > to) break;
    let point = unit(at);
    at += 4;
    if ((point & 0xf800) === 0xd800) {
      let pair: u32 = 0xfffd;
      if (at + 6 <= to && load<u16>(at) === 0x755c) {
        const low = unit(at + 2);
        at += 6;
        if (point < 0xdc00 && (low & 0xfc00) === 0xdc00) pair = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
      }
      point = pair;
    }
    // A character takes no more bytes than its escape.
    put = putUtf8(put, point);
  }
  return between(out, put);
}

/** Four hexadecimal digits; 0 where one of them is none. */
function unit(at: usize): u32 {
  let value: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const digit = hexValue(load<u8>(at + i));
    if (digit < 0) return 0;
    value = (value << 4) | (digit as u32);
  }
  return value;
}

/** The code point of a UTF-8 character of that size. */
export function pointAt(at: usize, size: usize): u32 {
  const lead: u32 = load<u8>(at);
  if (size === 1) return lead;
  let point: u32 = lead & (0x7f >> (size as u32));
  for (let i: usize = 1; i < size; i++) point = (point << 6) | ((load<u8>(at + i) as u32) & 0x3f);
  return point;
}

/**
 * What is left of a text that a function returns. The engine that templates are written for quotes it as Go does and
 * reads it as JSON, which does not know `\x07`, `\a`, `\v` and `\U0001f600`: the text ends there.
 */
export function returned(text: Span): Span {
  const end = limit(text);
  for (let at = pointer(text); at < end;) {
    const size = characterSize(at, end);
    const c = load<u8>(at);
    const cuts = size === 0 || (size === 1 && (c === DELETE || isOddControl(c))) || (size === 4 && isOddPoint(at));
    if (cuts) return between(pointer(text), at);
    at += size;
  }
  return text;
}

/** A control character that JSON has no short escape for. */
function isOddControl(c: u32): bool {
  return c < SPACE && !(c >= 8 && c <= 13 && c !== 11);
}

/** Beyond the first 65,536 characters, one that Go does not print: tags, private use. */
function isOddPoint(at: usize): bool {
  const point = pointAt(at, 4);
  return point >= 0xe0000 && !(point >= 0xe0100 && point <= 0xe01ef);
}

/** One of the first 65,536 characters beyond ASCII that Go does not print: spaces, marks of format, private use. */
function isUnprinted(point: u32): bool {
  if (point <= 0xa0 || point === 0xad || point === 0x1680 || point === 0xfeff || point === 0x3000) return true;
  if (point >= 0x2000 && point <= 0x206f) {
    return point <= 0x200f || (point >= 0x2028 && point <= 0x202f) || point >= 0x205f;
  }
  return (point >= 0xe000 && point <= 0xf8ff) || (point >= 0xfff0 && point <= 0xfffb);
}

/** Quoted as Go's `%q` does it. */
export function quoted(text: Span, arena: Arena): Span {
  const writer = newWriter(arena, (length(text) as usize) + 16).byte(QUOTE);
  const end = limit(text);
  for (let at = pointer(text); at < end;) {
    const size = characterSize(at, end);
    const c: u32 = load<u8>(at);
    if (size === 1) writeQuoted(writer, c);
    else if (size === 0) writeHex(writer, 0x78, c, 2);
    else {
      const point = pointAt(at, size);
      if (size === 4 && isOddPoint(at)) writeHex(writer, 0x55, point, 8);
      else if (size < 4 && isUnprinted(point)) writeHex(writer, LOWER_U, point, 4);
      else writer.bytes(span(at, size as u32));
    }
    at += max(size, 1);
  }
  return writer.byte(QUOTE).written;
}

function writeQuoted(writer: Writer, c: u32): void {
  if (c === QUOTE || c === BACKSLASH) writer.byte(BACKSLASH).byte(c as u8);
  else if (c >= SPACE && c !== DELETE) writer.byte(c as u8);
  else if (c >= 7 && c <= 13) writer.byte(BACKSLASH).byte(letterOf(c));
  else writeHex(writer, 0x78, c, 2);
}

/** The letters of Go's short escapes: \a \b \t \n \v \f \r. */
function letterOf(c: u32): u8 {
  switch (c) {
    case 7:
      return 0x61;
    case 8:
      return 0x62;
    case 9:
      return 0x74;
    case 10:
      return 0x6e;
    case 11:
      return 0x76;
    case 12:
      return 0x66;
    default:
      return 0x72;
  }
}

/** A backslash, a letter and so many hexadecimal digits. */
export function writeHex(writer: Writer, letter: u32, value: u32, digits: i32): void {
  writer.byte(BACKSLASH).byte(letter as u8);
  for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4) writer.byte(hexDigit((value >> (shift as u32)) & 15));
}
