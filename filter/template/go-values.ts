import { HYPHEN, QUOTE, SPACE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, length, limit, literal, pointer, span } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { characterSize } from '../json/text';
import { fail } from './fault';
import { doubleOf, isWhole, shortest, whole } from '../json/numbers';
import { returned, writeHex } from './strings';
import { bytesOf, isString, isTrue, textOf, Type, typeOf, Value, valueOf } from './value';

/** Values as Go has them: how it prints them, counts with them, and writes them as JSON. */
export const TOO_LONG = literal('a number has more digits than templates count with');
export const NIL = literal('<nil>');
const NULL = literal('null');
const INVALID = literal('invalid');
const KIND_STRING = literal('string');
const KIND_INT = literal('int');
const KIND_FLOAT = literal('float64');
const KIND_BOOL = literal('bool');

/** A text that is made here. */
export function text(bytes: Span): Value {
  return valueOf(Type.Text, returned(bytes));
}

export function number(value: i64, arena: Arena): Value {
  return valueOf(Type.Number, newWriter(arena, 24).signed(value).written);
}

export function wholeOf(value: Value): i64 {
  return isWhole(bytesOf(value)) ? whole : 0;
}

/** What `cast.ToInt64` makes of it: a fraction is cut, and what is no number is 0. */
export function integerOf(value: Value, arena: Arena): i64 {
  const type = typeOf(value);
  if (type === Type.True) return 1;
  if (type === Type.Number) {
    if (isWhole(bytesOf(value))) return whole;
    const double = doubleOf(bytesOf(value));
    if (!(abs(double) < 9.2e18)) {
      fail(TOO_LONG);
      return 0;
    }
    return double as i64;
  }
  return isString(value) && isWhole(textOf(value, arena)) ? whole : 0;
}

export function isNil(value: Value): bool {
  return typeOf(value) === Type.Missing || typeOf(value) === Type.Null;
}

/** As Sprig's `empty`: a container has come as its text, which is never empty. */
export function isEmpty(value: Value): bool {
  return typeOf(value) !== Type.Json && !isTrue(value);
}

export function kindOf(value: Value): Span {
  switch (typeOf(value)) {
    case Type.Missing:
    case Type.Null:
      return INVALID;
    case Type.True:
    case Type.False:
      return KIND_BOOL;
    case Type.Number:
      return isWhole(bytesOf(value)) ? KIND_INT : KIND_FLOAT;
    default:
      return KIND_STRING;
  }
}

/** A value that has been through Go: a container is its text, a number is spelled anew. */
export function back(value: Value, arena: Arena): Value {
  switch (typeOf(value)) {
    case Type.Missing:
    case Type.Null:
      return text(NIL);
    case Type.True:
    case Type.False:
      return value;
    case Type.Number: {
      if (isWhole(bytesOf(value))) return number(whole, arena);
      return valueOf(Type.Number, sixDecimals(doubleOf(bytesOf(value)), arena));
    }
    default:
      return text(textOf(value, arena));
  }
}

/** As Go's `%f`. */
function sixDecimals(value: f64, arena: Arena): Span {
  const size = abs(value);
  if (!(size < 9e15)) {
    fail(TOO_LONG);
    return NULL;
  }
  let units = floor(size) as u64;
  let fraction = nearest((size - floor(size)) * 1_000_000) as u64;
  if (fraction >= 1_000_000) {
    units++;
    fraction -= 1_000_000;
  }
  const writer = newWriter(arena, 32);
  if (value < 0) writer.byte(HYPHEN);
  writer.decimal(units).byte(0x2e);
  for (let bound: u64 = 100_000; bound > 1 && fraction < bound; bound /= 10) writer.byte(0x30);
  return writer.decimal(fraction).written;
}

/** As Go's `%v`. */
export function stringOf(value: Value, arena: Arena): Span {
  if (isNil(value)) return NIL;
  if (typeOf(value) !== Type.Number) return textOf(value, arena);
  if (isWhole(bytesOf(value))) return newWriter(arena, 24).signed(whole).written;
  return shortest(doubleOf(bytesOf(value)), -4, arena);
}

/** As Go's `encoding/json` writes it. @param forHtml escapes what has a meaning in HTML */
export function jsonOf(value: Value, forHtml: bool, arena: Arena): Span {
  const type = typeOf(value);
  if (isNil(value)) return NULL;
  if (type === Type.True || type === Type.False) return bytesOf(value);
  if (type === Type.Number) {
    if (isWhole(bytesOf(value))) return newWriter(arena, 24).signed(whole).written;
    return shortest(doubleOf(bytesOf(value)), -6, arena);
  }
  const bytes = textOf(value, arena);
  const writer = newWriter(arena, (length(bytes) as usize) + 16).byte(QUOTE);
  const end = limit(bytes);
  for (let at = pointer(bytes); at < end;) {
    const size = characterSize(at, end);
    const c: u32 = load<u8>(at);
    if (size === 0) writeHex(writer, 0x75, 0xfffd, 4);
    else if (size === 1) writeAscii(writer, c, forHtml);
    else if (size === 3 && c === 0xe2 && load<u8>(at, 1) === 0x80 && (load<u8>(at, 2) & 0xfe) === 0xa8) {
      writeHex(writer, 0x75, 0x2000 | (load<u8>(at, 2) & 0x3f), 4);
    } else writer.bytes(span(at, size as u32));
    at += max<usize>(size, 1);
  }
  return writer.byte(QUOTE).written;
}

function writeAscii(writer: Writer, c: u32, forHtml: bool): void {
  if (c === QUOTE || c === 0x5c) writer.byte(0x5c).byte(c as u8);
  else if (c === 8) writer.byte(0x5c).byte(0x62);
  else if (c === 9) writer.byte(0x5c).byte(0x74);
  else if (c === 10) writer.byte(0x5c).byte(0x6e);
  else if (c === 12) writer.byte(0x5c).byte(0x66);
  else if (c === 13) writer.byte(0x5c).byte(0x72);
  else if (c < SPACE || (forHtml && (c === 0x3c || c === 0x3e || c === 0x26))) writeHex(writer, 0x75, c, 4);
  else writer.byte(c as u8);
}
