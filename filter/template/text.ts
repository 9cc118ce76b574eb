import { HYPHEN, LINE_FEED, LOWER_A, LOWER_Z, SPACE, isDigit, isLetter, lowerCase } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, after, between, contains, equals, first, length, limit, literal, pointer, span } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { characterSize, putUtf8 } from '../json/text';
import { affords, spend } from './budget';
import { fail } from './fault';
import { pointAt } from './strings';

/** What Go's and Sprig's functions do with a text. */

const EMPTY = literal('');
export const TOO_LARGE = literal('it makes more text than a template may');
const OUT_OF_RANGE = literal('slice bounds out of range');

function isSpaceAt(at: usize, size: usize): bool {
  const point = pointAt(at, size);
  if (point < 0x80) return point === SPACE || (point >= 9 && point <= 13);
  return (
    point === 0x85 ||
    point === 0xa0 ||
    point === 0x1680 ||
    (point >= 0x2000 && point <= 0x200a) ||
    point === 0x2028 ||
    point === 0x2029 ||
    point === 0x202f ||
    point === 0x205f ||
    point === 0x3000
  );
}

/** The size of the character that begins at `at`; 1 for a byte that is part of none. */
function sizeAt(at: usize, end: usize): usize {
  return max<usize>(characterSize(at, end), 1);
}

export function trimmed(text: Span): Span {
  let from = pointer(text);
  let to = limit(text);
  while (from < to) {
    const size = characterSize(from, to);
    if (size === 0 || !isSpaceAt(from, size)) break;
    from += size;
  }
  while (to > from) {
    let at = to - 1;
    while (at > from && (load<u8>(at) & 0xc0) === 0x80) at--;
    const size = characterSize(at, to);
    if (size === 0 || at + size !== to || !isSpaceAt(at, size)) break;
    to = at;
  }
  return between(from, to);
}

/** Without characters of `set`, which is ASCII in what is written in practice, at both ends. */
export function trimmedOf(set: Span, text: Span): Span {
  let from = pointer(text);
  let to = limit(text);
  while (from < to) {
    const size = sizeAt(from, to);
    if (length(set) === 0 || !contains(set, span(from, size as u32))) break;
    from += size;
  }
  while (to > from) {
    let at = to - 1;
    while (at > from && (load<u8>(at) & 0xc0) === 0x80) at--;
    if (length(set) === 0 || !contains(set, between(at, to))) break;
    to = at;
  }
  return between(from, to);
}

export function endsWith(text: Span, suffix: Span): bool {
  const left = length(text) - length(suffix);
  return left >= 0 && equals(after(text, left as u32), suffix);
}

export function has(text: Span, part: Span): bool {
  return length(part) === 0 || contains(text, part);
}

export function withoutSpaces(text: Span, arena: Arena): Span {
  const writer = newWriter(arena, length(text) as usize);
  for (let at = pointer(text), end = limit(text); at < end;) {
    const size = sizeAt(at, end);
    if (characterSize(at, end) === 0 || !isSpaceAt(at, size)) writer.bytes(span(at, size as u32));
    at += size;
  }
  return writer.written;
}

/** The capital or small letter of one, where it has one: of Latin, Greek and Cyrillic. */
function caseOf(point: u32, upper: bool): u32 {
  if (point < 0x80) {
    if (upper) return point >= LOWER_A && point <= LOWER_Z ? point - 32 : point;
    return lowerCase(point);
  }
  if (upper) {
    if (point === 0xb5) return 0x39c;
    if (point === 0xff) return 0x178;
    if (point >= 0xe0 && point <= 0xfe && point !== 0xf7) return point - 32;
    if (point >= 0x3b1 && point <= 0x3c9) return point === 0x3c2 ? 0x3a3 : point - 32;
    if (point >= 0x430 && point <= 0x44f) return point - 32;
    if (point >= 0x450 && point <= 0x45f) return point - 80;
    return isPaired(point) && (point & 1) === pairParity(point) ? point - 1 : point;
  }
  if (point >= 0xc0 && point <= 0xde && point !== 0xd7) return point + 32;
  if (point === 0x178) return 0xff;
  if (point >= 0x391 && point <= 0x3a9 && point !== 0x3a2) return point + 32;
  if (point >= 0x410 && point <= 0x42f) return point + 32;
  if (point >= 0x400 && point <= 0x40f) return point + 80;
  return isPaired(point) && (point & 1) !== pairParity(point) ? point + 1 : point;
}

/** Latin Extended-A, Cyrillic and Vietnamese have capital and small letter side by side. */
function isPaired(point: u32): bool {
  if (point >= 0x100 && point <= 0x17e)
    return point !== 0x130 && point !== 0x131 && point !== 0x138 && point !== 0x149 && point !== 0x178;
  return (
    (point >= 0x460 && point <= 0x481) ||
    (point >= 0x48a && point <= 0x4bf) ||
    (point >= 0x4d0 && point <= 0x52f) ||
    (point >= 0x1e00 && point <= 0x1e95) ||
    (point >= 0x1ea0 && point <= 0x1eff)
  );
}

/** The lowest bit of the small letter of a pair. */
function pairParity(point: u32): u32 {
  return (point >= 0x139 && point <= 0x148) || (point >= 0x179 && point <= 0x17e) ? 0 : 1;
}

/** @param which all letters, or the first of a text, or of each word */
export const enum Which {
  All,
  First,
  OfWords,
}

export function cased(text: Span, upper: bool, which: Which, arena: Arena): Span {
  const out = arena.allocate((length(text) as usize) * 2 + 4);
  let put = out;
  let begins: bool = true;
  for (let at = pointer(text), end = limit(text); at < end;) {
    const size = characterSize(at, end);
    const point = size === 0 ? 0xfffd : pointAt(at, size);
    const changes = which === Which.All || begins;
    put = putUtf8(put, changes ? caseOf(point, upper) : point);
    begins = which === Which.OfWords && isSeparator(point, at, size);
    at += max<usize>(size, 1);
  }
  return between(out, put);
}

/** Where Go's `strings.Title` takes a word to end. */
function isSeparator(point: u32, at: usize, size: usize): bool {
  if (point < 0x80) return !isLetter(point) && !isDigit(point) && point !== 0x5f;
  return size > 0 && isSpaceAt(at, size);
}

/** The first or, where it is negative, the last bytes. */
export function truncated(count: i64, text: Span): Span {
  const size = length(text) as i64;
  if (count < 0 && size + count > 0) return after(text, (size + count) as u32);
  return count >= 0 && size > count ? first(text, count as u32) : text;
}

/** From one byte to another; a negative beginning is the start, a negative end or one beyond it is the end. */
export function cutOut(start: i64, end: i64, text: Span): Span {
  const size = length(text) as i64;
  const to = end < 0 || end > size ? size : end;
  const from = start < 0 ? 0 : start;
  if (from > to) {
    fail(OUT_OF_RANGE);
    return EMPTY;
  }
  return between(pointer(text) + (from as usize), pointer(text) + (to as usize));
}

export function repeated(count: i64, text: Span, arena: Arena): Span {
  const size = length(text) as u64;
  if (count < 0 || size === 0) return EMPTY;
  if (count > 1 << 28 || !affords(size * (count as u64))) {
    fail(TOO_LARGE);
    return EMPTY;
  }
  spend((size * (count as u64)) as usize);
  const writer = newWriter(arena, (size * (count as u64)) as usize);
  for (let i: i64 = 0; i < count; i++) writer.bytes(text);
  return writer.written;
}

export function replaced(old: Span, fresh: Span, text: Span, arena: Arena): Span {
  const end = limit(text);
  const step = length(old) as usize;
  const most = (length(text) as u64) + ((length(text) as u64) + 1) * (length(fresh) as u64);
  if (!affords(most)) {
    fail(TOO_LARGE);
    return EMPTY;
  }
  spend(length(text) as usize);
  const writer = newWriter(arena, (length(text) as usize) + 16);
  let at = pointer(text);
  if (step === 0) {
    for (; at < end;) {
      const size = sizeAt(at, end);
      writer.bytes(fresh).bytes(span(at, size as u32));
      at += size;
    }
    return writer.bytes(fresh).written;
  }
  while (at < end) {
    if (at + step <= end && memory.compare(at, pointer(old), step) === 0) {
      writer.bytes(fresh);
      at += step;
    } else writer.byte(load<u8>(at++));
  }
  return writer.written;
}

/** So many spaces in front of each line. */
export function indented(count: i64, text: Span, arena: Arena): Span {
  if (count < 0 || count > 1024) {
    fail(TOO_LARGE);
    return EMPTY;
  }
  let lines: u64 = 1;
  for (let at = pointer(text); at < limit(text); at++) if (load<u8>(at) === LINE_FEED) lines++;
  const most = (length(text) as u64) + lines * (count as u64);
  if (!affords(most)) {
    fail(TOO_LARGE);
    return EMPTY;
  }
  spend(most as usize);
  const writer = newWriter(arena, most as usize);
  pad(writer, count as i32);
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    writer.byte(c);
    if (c === LINE_FEED) pad(writer, count as i32);
  }
  return writer.written;
}

function pad(writer: Writer, count: i32): void {
  for (let i = 0; i < count; i++) writer.byte(SPACE);
}

const AMP = literal('&amp;');
const APOSTROPHE = literal('&#39;');
const LESS = literal('&lt;');
const MORE = literal('&gt;');
const DOUBLE_QUOTE = literal('&#34;');
const REPLACEMENT = literal('\\uFFFD');

/** As Go's `html` escapes. */
export function htmlEscaped(text: Span, arena: Arena): Span {
  const writer = newWriter(arena, (length(text) as usize) + 16);
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    if (c === 0x26) writer.bytes(AMP);
    else if (c === 0x27) writer.bytes(APOSTROPHE);
    else if (c === 0x3c) writer.bytes(LESS);
    else if (c === 0x3e) writer.bytes(MORE);
    else if (c === 0x22) writer.bytes(DOUBLE_QUOTE);
    else if (c === 0) writer.byte(0xef).byte(0xbf).byte(0xbd);
    else writer.byte(c);
  }
  return writer.written;
}

/** As Go's `js` escapes. */
export function jsEscaped(text: Span, arena: Arena): Span {
  const writer = newWriter(arena, (length(text) as usize) + 16);
  const end = limit(text);
  for (let at = pointer(text); at < end;) {
    const size = characterSize(at, end);
    const c: u32 = load<u8>(at);
    if (size === 1) {
      if (c === 0x5c || c === 0x27 || c === 0x22) writer.byte(0x5c).byte(c as u8);
      else if (c < SPACE || c === 0x3c || c === 0x3e || c === 0x26 || c === 0x3d) writeUnicode(writer, c);
      else writer.byte(c as u8);
    } else if (size === 0) writer.bytes(REPLACEMENT);
    else writer.bytes(span(at, size as u32));
    at += max<usize>(size, 1);
  }
  return writer.written;
}

const HEX = literal('0123456789ABCDEF');

function writeUnicode(writer: Writer, c: u32): void {
  writer.byte(0x5c).byte(0x75).byte(0x30).byte(0x30);
  writer.byte(load<u8>(pointer(HEX) + (c >> 4))).byte(load<u8>(pointer(HEX) + (c & 15)));
}

/** Percent-encoded: but for unreserved characters (RFC 3986 §2.3), and a space that may become a plus. */
export function percentEncoded(text: Span, plus: bool, arena: Arena): Span {
  const writer = newWriter(arena, (length(text) as usize) + 16);
  writePercent(writer, text, plus);
  return writer.written;
}

export function writePercent(writer: Writer, text: Span, plus: bool): void {
  for (let at = pointer(text); at < limit(text); at++) {
    const c: u32 = load<u8>(at);
    if (isLetter(c) || isDigit(c) || c === HYPHEN || c === 0x2e || c === 0x5f || c === 0x7e) writer.byte(c as u8);
    else if (c === SPACE && plus) writer.byte(0x2b);
    else
      writer
        .byte(0x25)
        .byte(load<u8>(pointer(HEX) + (c >> 4)))
        .byte(load<u8>(pointer(HEX) + (c & 15)));
  }
}
