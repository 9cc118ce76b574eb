import { BACKSLASH, LOWER_U, QUOTE, SPACE, hexDigit, hexValue } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, span, between, pointer, limit, length, indexOf, NONE } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { unescaped } from './escape';

/** The inside of a string token, quotes off. The token must be a scanned one. */
export function inside(token: Span): Span {
  return span(pointer(token) + 1, (length(token) - 2) as u32);
}

export function isString(token: Span): bool {
  return length(token) >= 2 && load<u8>(pointer(token)) === QUOTE;
}

function hex4(at: usize): u32 {
  let value: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    value = (value << 4) | hexValue(load<u8>(at + i));
  }
  return value;
}

/**
 * The text of a string token: the bytes inside it where it has no escapes, else unescaped into the arena.
 * A lone surrogate has no UTF-8 form: NONE. Where it matters (names), such text equals nothing we know.
 */
export function textOf(token: Span, arena: Arena): Span {
  const raw = inside(token);
  if (indexOf(raw, BACKSLASH) < 0) return raw;
  const out = arena.allocate(length(raw) as usize);
  let to = out;
  for (let at = pointer(raw), end = limit(raw); at < end;) {
    const c = load<u8>(at++);
    if (c !== BACKSLASH) {
      store<u8>(to++, c);
      continue;
    }
    const letter: u32 = load<u8>(at++);
    if (letter !== LOWER_U) {
      store<u8>(to++, unescaped(letter) as u8);
      continue;
    }
    let point = hex4(at);
    at += 4;
    if ((point & 0xf800) === 0xd800) {
      if (point > 0xdbff || at + 6 > end || load<u16>(at) !== 0x755c) return NONE;
      const low = hex4(at + 2);
      if ((low & 0xfc00) !== 0xdc00) return NONE;
      at += 6;
      point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
    }
    to = putUtf8(to, point);
  }
  return between(out, to);
}

/** @returns the address behind it */
export function putUtf8(at: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(at, point as u8);
    return at + 1;
  }
  if (point < 0x800) {
    store<u8>(at, (0xc0 | (point >> 6)) as u8);
  } else {
    if (point < 0x10000) {
      store<u8>(at, (0xe0 | (point >> 12)) as u8);
    } else {
      store<u8>(at, (0xf0 | (point >> 18)) as u8);
      store<u8>(++at, (0x80 | ((point >> 12) & 0x3f)) as u8);
    }
    store<u8>(++at, (0x80 | ((point >> 6) & 0x3f)) as u8);
  }
  store<u8>(at + 1, (0x80 | (point & 0x3f)) as u8);
  return at + 2;
}

/**
 * Offset inside a string token (opening quote included) behind its first `count` characters, all of which are known to
 * be ASCII: each is one byte, a two-byte escape or a `\uXXXX`. This is where a prefix that was matched on the unescaped
 * name ends in the bytes as written.
 */
export function offsetBehind(token: Span, count: i32): u32 {
  let at: u32 = 1;
  for (let i = 0; i < count; i++) {
    if (load<u8>(pointer(token) + (at as usize)) !== BACKSLASH) at += 1;
    else at += load<u8>(pointer(token) + (at as usize) + 1) === LOWER_U ? 6 : 2;
  }
  return at;
}

/**
 * Writes text as the inside of a JSON string, quotes not included. A byte that is no part of a UTF-8 character becomes
 * U+FFFD: such text comes from headers, and the message that it goes into must stay readable.
 */
export function writeEscaped(writer: Writer, text: Span): void {
  const end = limit(text);
  for (let at = pointer(text); at < end;) {
    const size = characterSize(at, end);
    const c = load<u8>(at);
    if (size > 1) writer.bytes(span(at, size as u32));
    else if (size === 0) writeUnit(writer, 0xfffd);
    else if (c < SPACE) writeUnit(writer, c);
    else {
      if (c === QUOTE || c === BACKSLASH) writer.byte(BACKSLASH);
      writer.byte(c);
    }
    at += max(size, 1);
  }
}

/** `\\u` and four hex digits. */
export function writeUnit(writer: Writer, unit: u32): void {
  writer.byte(BACKSLASH).byte(LOWER_U);
  for (let shift = 12; shift >= 0; shift -= 4) writer.byte(hexDigit((unit >> shift) & 15));
}

/** Bytes of the UTF-8 character that begins here, 0 where none does (RFC 3629 §4). */
export function characterSize(at: usize, end: usize): usize {
  const lead: u32 = load<u8>(at);
  if (lead < 0x80) return 1;
  const size: usize = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (size === 0 || at + size > end) return 0;
  const second: u32 = load<u8>(at, 1);
  const low: u32 = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high: u32 = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i: usize = 2; i < size; i++) if ((load<u8>(at + i) & 0xc0) !== 0x80) return 0;
  return size;
}
