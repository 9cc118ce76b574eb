import { Arena } from '../bytes/arena';
import { Span, span, between, pointer, limit, length, indexOf, NONE } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { unescaped } from './scanner';

/** The inside of a string token, quotes off. The token must be a scanned one. */
export function inside(token: Span): Span {
  return span(pointer(token) + 1, (length(token) - 2) as u32);
}

export function isString(token: Span): bool {
  return length(token) >= 2 && load<u8>(pointer(token)) === 0x22;
}

function hex4(at: usize): u32 {
  let value: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const c: u32 = load<u8>(at + i);
    value = (value << 4) | (c <= 0x39 ? c - 0x30 : (c | 0x20) - 0x61 + 10);
  }
  return value;
}

/**
 * The text of a string token: the bytes inside it where it has no escapes, else unescaped into the arena.
 * A lone surrogate has no UTF-8 form: NONE. Where it matters (names), such text equals nothing we know.
 */
export function textOf(token: Span, arena: Arena): Span {
  const raw = inside(token);
  if (indexOf(raw, 0x5c) < 0) return raw;
  const out = arena.allocate(length(raw) as usize);
  let to = out;
  for (let at = pointer(raw), end = limit(raw); at < end;) {
    const c = load<u8>(at++);
    if (c !== 0x5c) {
      store<u8>(to++, c);
      continue;
    }
    const letter: u32 = load<u8>(at++);
    if (letter !== 0x75) {
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

function putUtf8(at: usize, point: u32): usize {
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
    if (load<u8>(pointer(token) + (at as usize)) !== 0x5c) at += 1;
    else at += load<u8>(pointer(token) + (at as usize) + 1) === 0x75 ? 6 : 2;
  }
  return at;
}

/** Writes text as the inside of a JSON string, quotes not included. The text is UTF-8; bad bytes pass as they are. */
export function writeEscaped(writer: Writer, text: Span): void {
  for (let at = pointer(text), end = limit(text); at < end; at++) {
    const c = load<u8>(at);
    if (c === 0x22 || c === 0x5c) writer.byte(0x5c).byte(c);
    else if (c >= 0x20) writer.byte(c);
    else {
      writer.byte(0x5c).byte(0x75).byte(0x30).byte(0x30);
      writer.byte(0x30 + (c >> 4)).byte((c & 15) < 10 ? 0x30 + (c & 15) : 0x57 + (c & 15));
    }
  }
}
