import {
  BACKSLASH,
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COMMA,
  HYPHEN,
  OPENING_BRACE,
  OPENING_BRACKET,
  QUOTE,
  SPACE,
  isDigit,
} from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, span, between, pointer, limit, equals, NONE } from '../bytes/span';
import { newScanner, SCANNER_SIZE } from './scanner';
import { Token } from './token';
import { textOf } from './text';

/** Whether these bytes are one whole JSON document. Everything below works on such bytes only. */
export function isJson(text: Span, arena: Arena): bool {
  const scanner = newScanner(arena.zeroed(SCANNER_SIZE), -1);
  scanner.feed(text);
  return scanner.next() === Token.More && scanner.complete();
}

/** By its first byte; of a number, whichever that is. */
export const enum Kind {
  Object = 0x7b, // {
  Array = 0x5b, // [
  String = 0x22, // "
  True = 0x74, // t
  False = 0x66, // f
  Null = 0x6e, // n
  Number = 0x30, // 0
}

/** The kind of a scanned value, told by its first byte. */
export function kindOf(value: Span): Kind {
  const c = load<u8>(pointer(value));
  return c === HYPHEN || isDigit(c) ? Kind.Number : (c as Kind);
}

/**
 * Walks the members of an object or the elements of an array that has been scanned; each step finds the end of one
 * value by skipping it, whatever it holds.
 *
 *     for (const walk = walkThrough(value); walk.next(); ) walk.name, walk.value
 */
@unmanaged
export class Walk {
  at: usize;
  named: bool;
  /** The member's name as a string token, in an object. */
  name: Span;
  value: Span;

  next(): bool {
    let at = skipSpace(this.at);
    if (load<u8>(at) === COMMA) at = skipSpace(at + 1);
    const c = load<u8>(at);
    if (c === CLOSING_BRACE || c === CLOSING_BRACKET) return false;
    if (this.named) {
      const end = skipString(at);
      this.name = between(at, end);
      at = skipSpace(skipSpace(end) + 1);
    }
    this.at = skipValue(at);
    this.value = between(at, this.at);
    return true;
  }
}

export function walkThrough(container: Span, arena: Arena): Walk {
  const walk = make<Walk>(arena);
  walk.at = pointer(container) + 1;
  walk.named = kindOf(container) === Kind.Object;
  return walk;
}

/** The value of a member by its unescaped name, or NONE; of several, the last, as JSON.parse has it. */
export function member(object: Span, name: Span, arena: Arena): Span {
  let found = NONE;
  if (object === NONE || kindOf(object) !== Kind.Object) return found;
  for (const walk = walkThrough(object, arena); walk.next();) {
    if (equals(textOf(walk.name, arena), name)) found = walk.value;
  }
  return found;
}

function skipSpace(at: usize): usize {
  while (load<u8>(at) <= SPACE) at++;
  return at;
}

function skipString(at: usize): usize {
  at++;
  while (load<u8>(at) !== QUOTE) at += load<u8>(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function endsScalar(c: u8): bool {
  return c <= SPACE || c === COMMA || c === CLOSING_BRACE || c === CLOSING_BRACKET;
}

function skipValue(at: usize): usize {
  const c = load<u8>(at);
  if (c === QUOTE) return skipString(at);
  if (c !== OPENING_BRACE && c !== OPENING_BRACKET) {
    while (!endsScalar(load<u8>(at))) at++;
    return at;
  }
  let depth = 0;
  do {
    const d = load<u8>(at);
    if (d === QUOTE) {
      at = skipString(at);
      continue;
    }
    at++;
    if (d === OPENING_BRACE || d === OPENING_BRACKET) depth++;
    else if (d === CLOSING_BRACE || d === CLOSING_BRACKET) depth--;
  } while (depth > 0);
  return at;
}

/** The part of a document between two offsets that a scanner reported. */
export function part(document: Span, start: u32, finish: u32): Span {
  return span(pointer(document) + (start as usize), finish - start);
}

/** Without white space at both ends: a document as a value. */
export function strip(document: Span): Span {
  let from = pointer(document);
  let to = limit(document);
  while (from < to && load<u8>(from) <= SPACE) from++;
  while (to > from && load<u8>(to - 1) <= SPACE) to--;
  return between(from, to);
}
