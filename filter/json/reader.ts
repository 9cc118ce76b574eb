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
import { inside, textOf } from './text';

// prettier-ignore
const QUOTES = i8x16.splat(QUOTE), BACKSLASHES = i8x16.splat(BACKSLASH);

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
  return kindAt(pointer(value));
}

function kindAt(at: usize): Kind {
  const c = load<u8>(at);
  return c === HYPHEN || isDigit(c) ? Kind.Number : (c as Kind);
}

/**
 * Walks the members of an object or the elements of an array that has been scanned. The end of a value is looked for when
 * it is asked for, or passed over: by skipping what it holds, or with another walk, which looks into it.
 *
 *     for (const walk = walkThrough(value); walk.next(); ) walk.name, walk.value
 */
@unmanaged
export class Walk {
  named: bool;
  /** The member's name as a string token, in an object. */
  name: Span;
  private isEscaped: bool;
  /** The value's first byte. */
  private from: usize;
  /** Behind the value; 0 where nobody has looked for its end yet. */
  private at: usize;
  private end: usize;

  begin(container: Span): void {
    this.at = pointer(container) + 1;
    this.end = limit(container);
    this.named = kindOf(container) === Kind.Object;
  }

  next(): bool {
    let at = skipSpace(this.passed());
    if (load<u8>(at) === COMMA) at = skipSpace(at + 1);
    const c = load<u8>(at);
    if (c === CLOSING_BRACE || c === CLOSING_BRACKET) {
      this.at = at;
      return false;
    }
    if (this.named) {
      const stop = quoteOrEscape(at + 1, this.end);
      this.isEscaped = load<u8>(stop) === BACKSLASH;
      const nameEnd = this.isEscaped ? skipString(at, this.end) : stop + 1;
      this.name = between(at, nameEnd);
      at = skipSpace(skipSpace(nameEnd) + 1);
    }
    this.from = at;
    this.at = 0;
    return true;
  }

  /** The member's name, unescaped; NONE: an element, or no text. */
  key(arena: Arena): Span {
    if (!this.named) return NONE;
    return this.isEscaped ? textOf(this.name, arena) : inside(this.name);
  }

  get kind(): Kind {
    return kindAt(this.from);
  }

  get value(): Span {
    return between(this.from, this.passed());
  }

  /** Begins `inner` at the value, a container. When that has come to its end, `leave` goes on behind it. */
  enter(inner: Walk): void {
    inner.at = this.from + 1;
    inner.end = this.end;
    inner.named = this.kind === Kind.Object;
  }

  leave(inner: Walk): void {
    this.at = inner.at + 1;
  }

  private passed(): usize {
    if (this.at === 0) this.at = skipValue(this.from, this.end);
    return this.at;
  }
}

export function walkThrough(container: Span, arena: Arena): Walk {
  const walk = make<Walk>(arena);
  walk.begin(container);
  return walk;
}

/** The value of a member by its unescaped name, or NONE; of several, the last, as JSON.parse has it. */
export function member(object: Span, name: Span, arena: Arena): Span {
  let found = NONE;
  if (object === NONE || kindOf(object) !== Kind.Object) return found;
  for (const walk = walkThrough(object, arena); walk.next();) {
    if (equals(walk.key(arena), name)) found = walk.value;
  }
  return found;
}

export function skipSpace(at: usize): usize {
  while (load<u8>(at) <= SPACE) at++;
  return at;
}

/** @param end of the container that the string stands in: sixteen bytes are read at once as far as it reaches */
export function skipString(at: usize, end: usize): usize {
  at = quoteOrEscape(at + 1, end);
  while (load<u8>(at) === BACKSLASH) at = quoteOrEscape(at + 2, end);
  return at + 1;
}

function quoteOrEscape(at: usize, end: usize): usize {
  for (; at + 16 <= end; at += 16) {
    const block = v128.load(at);
    const found = i8x16.bitmask(v128.or(i8x16.eq(block, QUOTES), i8x16.eq(block, BACKSLASHES)));
    if (found !== 0) return at + (ctz(found) as usize);
  }
  while (load<u8>(at) !== QUOTE && load<u8>(at) !== BACKSLASH) at++;
  return at;
}

export function endsScalar(c: u8): bool {
  return c <= SPACE || c === COMMA || c === CLOSING_BRACE || c === CLOSING_BRACKET;
}

function skipValue(at: usize, end: usize): usize {
  const c = load<u8>(at);
  if (c === QUOTE) return skipString(at, end);
  if (c !== OPENING_BRACE && c !== OPENING_BRACKET) {
    while (!endsScalar(load<u8>(at))) at++;
    return at;
  }
  let depth = 0;
  do {
    const d = load<u8>(at);
    if (d === QUOTE) {
      at = skipString(at, end);
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
