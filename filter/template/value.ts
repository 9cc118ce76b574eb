import { BACKSLASH, HYPHEN, LOWER_F, LOWER_N, LOWER_T, QUOTE, isDigit } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, length, literal, pointer, span } from '../bytes/span';
import { decoded } from './strings';

/** What a value of a template is. */
export const enum Type {
  /** There is none: it prints as nothing and is false. */
  Missing,
  Null,
  False,
  True,
  /** As its source wrote it, or in decimal. */
  Number,
  /** A string token of the data, quotes included; one that is cut off may lack the last. */
  Token,
  /** Plain text. */
  Text,
  /** An object or an array, as its source wrote it. */
  Json,
}

/**
 * A value, held by value: a span whose length has the type in its highest four bits. It is never decoded before it is
 * used, so that numbers and documents keep the bytes of their source.
 */
export type Value = u64;

export const MISSING: Value = 0;

/** What a value can have at most, bytes. */
export const MOST_BYTES: u32 = (1 << 28) - 1;

export function valueOf(type: Type, bytes: Span): Value {
  return ((pointer(bytes) as u64) << 32) | ((type as u64) << 28) | (((bytes as u32) & MOST_BYTES) as u64);
}

export function typeOf(value: Value): Type {
  return (((value as u32) >> 28) & 15) as i32;
}

/** The bytes as their source has them; of a missing value, none. */
export function bytesOf(value: Value): Span {
  return span((value >> 32) as usize, (value as u32) & MOST_BYTES);
}

const NULL_TEXT = literal('null');
const TRUE_TEXT = literal('true');
const FALSE_TEXT = literal('false');
const EMPTY = literal('');

export const NULL: Value = valueOf(Type.Null, NULL_TEXT);

export function truthValue(truth: bool): Value {
  return truth ? valueOf(Type.True, TRUE_TEXT) : valueOf(Type.False, FALSE_TEXT);
}

/** The value that begins with this byte of JSON; Missing where none does. */
export function typeAt(at: usize): Type {
  const c = load<u8>(at);
  if (c === QUOTE) return Type.Token;
  if (c === 0x7b || c === 0x5b) return Type.Json;
  if (c === LOWER_T) return Type.True;
  if (c === LOWER_F) return Type.False;
  if (c === LOWER_N) return Type.Null;
  return c === HYPHEN || isDigit(c) ? Type.Number : Type.Missing;
}

export function isString(value: Value): bool {
  const type = typeOf(value);
  return type === Type.Token || type === Type.Text;
}

/** As text: a string decoded, null and what is missing as nothing, all else as its source has it. */
export function textOf(value: Value, arena: Arena): Span {
  const type = typeOf(value);
  if (type === Type.Missing || type === Type.Null) return EMPTY;
  return type === Type.Token ? decoded(bytesOf(value), arena) : bytesOf(value);
}

/** As it is printed: null has a name. */
export function printed(value: Value, arena: Arena): Span {
  return typeOf(value) === Type.Null ? NULL_TEXT : textOf(value, arena);
}

/** Whether `if` and the like take it as true. A container is empty only where nothing stands between its brackets. */
export function isTrue(value: Value): bool {
  const bytes = bytesOf(value);
  switch (typeOf(value)) {
    case Type.True:
      return true;
    case Type.Number:
      return !isZero(bytes);
    case Type.Token:
      return length(bytes) > 2 || (length(bytes) === 2 && load<u8>(pointer(bytes) + 1) !== QUOTE);
    case Type.Text:
      return length(bytes) > 0;
    case Type.Json:
      return length(bytes) > 2;
    default:
      return false;
  }
}

function isZero(number: Span): bool {
  for (let i = 0; i < length(number); i++) {
    const c: u32 = load<u8>(pointer(number) + (i as usize));
    if (c - 0x31 < 9) return false;
    if ((c | 0x20) === 0x65) return true;
  }
  return true;
}

/** Whether a string token has escapes. */
export function hasEscapes(token: Span): bool {
  for (let i = 1; i < length(token); i++) if (load<u8>(pointer(token) + (i as usize)) === BACKSLASH) return true;
  return false;
}
