import {
  BACKSLASH,
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COMMA,
  DOT,
  HASH,
  OPENING_BRACKET,
  QUOTE,
  SPACE,
  isDigit,
} from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, between, equals, length, limit, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { characterSize } from '../json/text';
import { spend } from './budget';
import { decoded } from './strings';
import { bytesOf, hasEscapes, Type, typeAt, typeOf, Value, valueOf, MISSING } from './value';

/**
 * Paths into JSON, in the notation of GJSON as far as it is here: names and indexes with a dot between, `\` before a
 * character that is part of a name, `#` for the number of elements, and `#.name` for that of each of them. The data are
 * what a server sent, and nobody has checked them: they are read as far as they are JSON, and never behind their end.
 */

/** The end of a value that begins at `at`; never behind `end`. */
export function endOf(at: usize, end: usize): usize {
  const c = load<u8>(at);
  if (c === QUOTE) return endOfString(at, end);
  const from = at;
  if (c === 0x7b || c === OPENING_BRACKET) {
    let depth = 0;
    while (at < end) {
      const d = load<u8>(at);
      if (d === QUOTE) {
        at = endOfString(at, end);
        continue;
      }
      at++;
      if (d === 0x7b || d === OPENING_BRACKET) depth++;
      else if ((d === CLOSING_BRACE || d === CLOSING_BRACKET) && --depth === 0) break;
    }
    spend(at - from);
    return at;
  }
  while (at < end && !endsScalar(load<u8>(at))) at++;
  spend(at - from + 1);
  return at;
}

function endsScalar(c: u8): bool {
  return c <= SPACE || c === COMMA || c === CLOSING_BRACE || c === CLOSING_BRACKET;
}

function endOfString(at: usize, end: usize): usize {
  const from = at;
  at++;
  while (at < end && load<u8>(at) !== QUOTE) at += load<u8>(at) === BACKSLASH ? 2 : 1;
  at = min(at + 1, end);
  spend(at - from);
  return at;
}

/** Walks the elements of an array or the members of an object, one after the other, for as long as there are any. */
@unmanaged
export class Elements {
  at: usize;
  end: usize;
  named: bool;
  /** A string token, in an object. */
  name: Span;
  value: Value;

  next(): bool {
    const end = this.end;
    let at = this.at;
    if (this.named) {
      while (at < end && load<u8>(at) !== QUOTE && load<u8>(at) !== CLOSING_BRACE) at++;
      if (at >= end || load<u8>(at) !== QUOTE) return this.finish();
      const close = endOfString(at, end);
      this.name = between(at, close);
      at = close;
    }
    while (at < end && typeAt(at) === Type.Missing) {
      const c = load<u8>(at);
      if (c === CLOSING_BRACKET || c === CLOSING_BRACE) return this.finish();
      at++;
    }
    if (at >= end) return this.finish();
    this.at = endOf(at, end);
    this.value = valueOf(typeAt(at), between(at, this.at));
    return true;
  }

  private finish(): bool {
    this.at = this.end;
    return false;
  }
}

/** @param elements that is to walk @param container an object or an array */
export function beginElements(elements: Elements, container: Span): void {
  elements.named = load<u8>(pointer(container)) === 0x7b;
  elements.at = pointer(container) + 1;
  elements.end = limit(container);
}

export function isArray(value: Value): bool {
  return typeOf(value) === Type.Json && load<u8>(pointer(bytesOf(value))) === OPENING_BRACKET;
}

const walk = memory.data(offsetof<Elements>());

function nameIs(token: Span, name: Span, arena: Arena): bool {
  if (!hasEscapes(token))
    return (
      (token as u32) === (name as u32) + 2 &&
      memory.compare(pointer(token) + 1, pointer(name), name as u32 as usize) === 0
    );
  return equals(decoded(token, arena), name);
}

/** What a path finds in a value. @param path see `pathFault` */
export function find(value: Value, path: Span, arena: Arena): Value {
  const elements = changetype<Elements>(walk);
  let at = pointer(path);
  const end = limit(path);
  if (at === end) return MISSING;
  while (typeOf(value) === Type.Json) {
    const close = endOfPart(at, end);
    const part = between(at, close);
    const last = close >= end;
    if (isArray(value) && length(part) === 1 && load<u8>(at) === HASH) {
      return last ? countOf(value, arena) : eachOf(value, between(close + 1, end), arena);
    }
    const name = unescapedPart(part, arena);
    beginElements(elements, bytesOf(value));
    let found = MISSING;
    if (isArray(value)) {
      let index = indexIn(name);
      if (index < 0) return MISSING;
      while (elements.next()) {
        if (index-- > 0) continue;
        found = elements.value;
        break;
      }
    } else {
      while (elements.next()) {
        if (!nameIs(elements.name, name, arena)) continue;
        found = elements.value;
        break;
      }
    }
    if (last || found === MISSING) return found;
    value = found;
    at = close + 1;
  }
  return MISSING;
}

/** How many elements or members it has. */
export function sizeOf(value: Value): u32 {
  const elements = changetype<Elements>(walk);
  beginElements(elements, bytesOf(value));
  let count: u32 = 0;
  while (elements.next()) count++;
  return count;
}

function countOf(value: Value, arena: Arena): Value {
  return valueOf(Type.Number, newWriter(arena, 16).decimal(sizeOf(value) as u64).written);
}

/** An array of what a path finds in each of the elements that have it. */
function eachOf(value: Value, path: Span, arena: Arena): Value {
  const elements = changetype<Elements>(arena.zeroed(offsetof<Elements>()));
  beginElements(elements, bytesOf(value));
  const writer = newWriter(arena, 256).byte(OPENING_BRACKET);
  while (elements.next()) {
    const found = find(elements.value, path, arena);
    if (found === MISSING) continue;
    if (writer.size > 1) writer.byte(COMMA);
    writer.bytes(bytesOf(found));
  }
  return valueOf(Type.Json, writer.byte(CLOSING_BRACKET).written);
}

function endOfPart(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) !== DOT) at += load<u8>(at) === BACKSLASH ? 2 : 1;
  return min(at, end);
}

function unescapedPart(part: Span, arena: Arena): Span {
  let at = pointer(part);
  while (at < limit(part) && load<u8>(at) !== BACKSLASH) at++;
  if (at === limit(part)) return part;
  const out = arena.allocate(length(part) as usize);
  let put = out;
  for (at = pointer(part); at < limit(part); at++) {
    if (load<u8>(at) === BACKSLASH && ++at === limit(part)) break;
    store<u8>(put++, load<u8>(at));
  }
  return between(out, put);
}

/** What decimal digits say, or -1. */
function indexIn(text: Span): i32 {
  if (length(text) === 0 || length(text) > 9) return -1;
  let index = 0;
  for (let at = pointer(text); at < limit(text); at++) {
    if (!isDigit(load<u8>(at))) return -1;
    index = index * 10 + (load<u8>(at) as i32) - 0x30;
  }
  return index;
}

/** The first character that has a meaning in GJSON's notation which is not served here, or NONE. */
export function pathFault(path: Span): Span {
  let begins = true;
  for (let at = pointer(path); at < limit(path); at++) {
    const c = load<u8>(at);
    if (c === BACKSLASH) at++;
    // * ? | anywhere, @ ! { [ at the beginning of a part, and a # that is more than one.
    else if (c === 0x2a || c === 0x3f || c === 0x7c) return span(at, 1);
    else if (begins && (c === 0x40 || c === 0x21 || c === 0x7b || c === OPENING_BRACKET)) return span(at, 1);
    else if (begins && c === HASH && at + 1 < limit(path) && load<u8>(at + 1) !== DOT) {
      return span(at + 1, characterSize(at + 1, limit(path)) as u32);
    }
    begins = c === DOT;
  }
  return NONE;
}
