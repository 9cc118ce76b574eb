import { HYPHEN, LINE_FEED, SPACE, hexDigit } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { bytesOfStandard, standardText } from '../bytes/base64';
import { Span, after, between, equals, first, length, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { sha256 } from '../crypto/sha256';
import { random } from '../ports';
import { affords, spend } from './budget';
import { formatted, goTime } from './dates';
import { fail } from './fault';
import { Function, functionRow } from './functions';
import { doubleOf, isNumber, isWhole, whole } from '../json/numbers';
import { find, isArray, sizeOf } from './path';
import { quoted } from './strings';
import {
  cased,
  cutOut,
  endsWith,
  has,
  htmlEscaped,
  indented,
  jsEscaped,
  percentEncoded,
  repeated,
  replaced,
  TOO_LARGE,
  trimmed,
  trimmedOf,
  truncated,
  Which,
  withoutSpaces,
} from './text';
import { bytesOf, isString, isTrue, textOf, truthValue, Type, typeOf, Value } from './value';
import {
  back,
  integerOf,
  isEmpty,
  isNil,
  jsonOf,
  kindOf,
  NIL,
  number,
  stringOf,
  text,
  TOO_LONG,
  wholeOf,
} from './go-values';

const NOT_TEXT = literal('an argument has to be text');
const NOT_WHOLE = literal('an argument has to be a whole number');
const NOT_TRUTH = literal('an argument has to be true or false');
const TOO_FEW = literal('it has too few arguments');
const BY_ZERO = literal('integer divide by zero');
const NO_PATH = literal('a path has to be text');
const NO_INDEX = literal('it can index neither text, a number nor nothing');
const OUT_OF_RANGE = literal('array index out of range');
const NOT_AN_INDEX = literal('the index of an array has to be a number');

const ELLIPSIS_NONE = literal('');
const HELLO = literal('Hello!');
const BAD_BASE64 = literal('illegal base64 data at input byte 0');

/** Nanoseconds since 1970 of the rendering under way. */
let now: u64 = 0;

export function setNow(time: u64): void {
  now = time;
}

function argument(args: usize, index: i32): Value {
  return load<Value>(args + ((index as usize) << 3));
}

/** Calls a function. @param args addresses of its values, one after the other */
export function call(id: Function, args: usize, count: i32, arena: Arena): Value {
  const row = functionRow(id);
  if (count < (row.least as i32)) return fail(TOO_FEW);
  const takes = row.takes;
  for (let i = 0; i < count; i++) {
    const takesOne = load<u8>(pointer(takes) + (min(i, length(takes) - 1) as usize));
    const value = argument(args, i);
    if (takesOne === 0x73 && !isString(value) && typeOf(value) !== Type.Json) return fail(NOT_TEXT);
    if (takesOne === 0x69 && (typeOf(value) !== Type.Number || !isWhole(bytesOf(value)))) return fail(NOT_WHOLE);
    if (takesOne === 0x62 && typeOf(value) !== Type.True && typeOf(value) !== Type.False) return fail(NOT_TRUTH);
  }
  return id <= Function.Urlquery ? direct(id, args, count, arena) : reflected(id, args, count, arena);
}

function direct(id: Function, args: usize, count: i32, arena: Arena): Value {
  const a = argument(args, 0);
  switch (id) {
    case Function.Gjson:
      return isString(a) ? find(argument(args, count), textOf(a, arena), arena) : fail(NO_PATH);
    case Function.Len:
      return number(lengthOf(a, arena), arena);
    case Function.Index:
      return indexed(a, argument(args, 1), arena);
    case Function.Print:
    case Function.Println: {
      const writer = newWriter(arena, 64);
      for (let i = 0; i < count; i++) {
        if (i > 0) writer.byte(SPACE);
        writer.bytes(textOf(argument(args, i), arena));
      }
      if (id === Function.Println) writer.byte(LINE_FEED);
      return text(writer.written);
    }
    case Function.Not:
      return truthValue(!isTrue(a));
    case Function.Eq:
      return truthValue(isEqual(a, argument(args, 1), arena));
    case Function.Ne:
      return truthValue(!equals(sourceOf(a, arena), sourceOf(argument(args, 1), arena)));
    case Function.Lt:
      return truthValue(order(a, argument(args, 1), arena) < 0);
    case Function.Le:
      return truthValue(order(a, argument(args, 1), arena) <= 0);
    case Function.Gt:
      return truthValue(order(a, argument(args, 1), arena) > 0);
    case Function.Ge:
      return truthValue(order(a, argument(args, 1), arena) >= 0);
    case Function.Html:
      return text(htmlEscaped(textOf(a, arena), arena));
    case Function.Js:
      return text(jsEscaped(textOf(a, arena), arena));
    default:
      return text(percentEncoded(textOf(a, arena), true, arena));
  }
}

function lengthOf(value: Value, arena: Arena): i64 {
  if (typeOf(value) === Type.Json) return sizeOf(value) as i64;
  return isString(value) ? (length(textOf(value, arena)) as i64) : 0;
}

function indexed(value: Value, key: Value, arena: Arena): Value {
  if (typeOf(value) !== Type.Json) return fail(NO_INDEX);
  if (!isArray(value)) return find(value, textOf(key, arena), arena);
  if (typeOf(key) !== Type.Number) return fail(NOT_AN_INDEX);
  const index = doubleOf(bytesOf(key));
  // A fraction is cut.
  if (index <= -1 || !(index < (sizeOf(value) as f64))) return fail(OUT_OF_RANGE);
  return find(value, newWriter(arena, 16).decimal(index as u64).written, arena);
}

/** Numerically where both are numbers, or one is and the other a text that is one; else as their sources wrote them. */
function isEqual(a: Value, b: Value, arena: Arena): bool {
  const numbers: i32 = (typeOf(a) === Type.Number ? 1 : 0) + (typeOf(b) === Type.Number ? 1 : 0);
  if (numbers === 2 || (numbers === 1 && (isString(a) || isString(b)))) {
    const left = textOf(a, arena);
    const right = textOf(b, arena);
    if (isNumber(left) && isNumber(right)) return doubleOf(left) === doubleOf(right);
  }
  return equals(sourceOf(a, arena), sourceOf(b, arena));
}

/** As its source wrote it. */
function sourceOf(value: Value, arena: Arena): Span {
  return typeOf(value) === Type.Text ? quoted(bytesOf(value), arena) : bytesOf(value);
}

/** Negative, 0 or positive; numerically only where both are numbers. */
function order(a: Value, b: Value, arena: Arena): i32 {
  if (typeOf(a) === Type.Number && typeOf(b) === Type.Number) {
    const left = doubleOf(bytesOf(a));
    const right = doubleOf(bytesOf(b));
    return left < right ? -1 : left > right ? 1 : 0;
  }
  const left = textOf(a, arena);
  const right = textOf(b, arena);
  const common = memory.compare(pointer(left), pointer(right), min(length(left), length(right)) as usize);
  return common !== 0 ? common : length(left) - length(right);
}

/** Functions of Sprig's, which see values of Go: a container as its text, a number as an integer or a double. */
function reflected(id: Function, args: usize, count: i32, arena: Arena): Value {
  const a = argument(args, 0);
  const b = argument(args, 1);
  switch (id) {
    case Function.Upper:
      return text(cased(textOf(a, arena), true, Which.All, arena));
    case Function.Lower:
      return text(cased(textOf(a, arena), false, Which.All, arena));
    case Function.Title:
      return text(cased(textOf(a, arena), true, Which.OfWords, arena));
    case Function.Untitle:
      return text(cased(textOf(a, arena), false, Which.OfWords, arena));
    case Function.Trim:
      return text(trimmed(textOf(a, arena)));
    case Function.TrimAll:
      return text(trimmedOf(textOf(a, arena), textOf(b, arena)));
    case Function.TrimPrefix: {
      const subject = textOf(b, arena);
      const prefix = textOf(a, arena);
      return text(startsWith(subject, prefix) ? after(subject, prefix as u32) : subject);
    }
    case Function.TrimSuffix: {
      const subject = textOf(b, arena);
      const suffix = textOf(a, arena);
      return text(endsWith(subject, suffix) ? first(subject, (subject as u32) - (suffix as u32)) : subject);
    }
    case Function.Nospace:
      return text(withoutSpaces(textOf(a, arena), arena));
    case Function.Trunc:
      return text(truncated(wholeOf(a), textOf(b, arena)));
    case Function.Substr:
      return text(cutOut(wholeOf(a), wholeOf(b), textOf(argument(args, 2), arena)));
    case Function.Repeat:
      return text(repeated(wholeOf(a), textOf(b, arena), arena));
    case Function.Replace:
      return text(replaced(textOf(a, arena), textOf(b, arena), textOf(argument(args, 2), arena), arena));
    case Function.Contains:
      return truthValue(has(textOf(b, arena), textOf(a, arena)));
    case Function.HasPrefix:
      return truthValue(startsWith(textOf(b, arena), textOf(a, arena)));
    case Function.HasSuffix:
      return truthValue(endsWith(textOf(b, arena), textOf(a, arena)));
    case Function.Quote:
    case Function.Squote:
    case Function.Cat:
      return text(listed(id, args, count, arena));
    case Function.Indent:
      return text(indented(wholeOf(a), textOf(b, arena), arena));
    case Function.Nindent:
      return text(
        newWriter(arena, 64)
          .byte(LINE_FEED)
          .bytes(indented(wholeOf(a), textOf(b, arena), arena)).written,
      );
    case Function.B64enc:
      return text(standardText(textOf(a, arena), arena));
    case Function.B64dec: {
      const bytes = bytesOfStandard(textOf(a, arena), arena);
      return text(bytes === NONE ? BAD_BASE64 : bytes);
    }
    case Function.Sha256sum:
      return text(hexOf(sha256(textOf(a, arena), arena), arena));
    case Function.Default:
      return count < 2 || isEmpty(b) ? back(a, arena) : back(b, arena);
    case Function.Ternary:
      return back(typeOf(argument(args, 2)) === Type.True ? a : b, arena);
    case Function.Coalesce: {
      for (let i = 0; i < count; i++) if (!isEmpty(argument(args, i))) return back(argument(args, i), arena);
      return text(NIL);
    }
    case Function.Empty:
      return truthValue(isEmpty(a));
    case Function.ToJson:
      return text(jsonOf(a, true, arena));
    case Function.ToRawJson:
      return text(jsonOf(a, false, arena));
    case Function.ToString:
      return text(stringOf(a, arena));
    case Function.Join:
      return text(isNil(b) ? ELLIPSIS_NONE : stringOf(b, arena));
    case Function.Plural:
      return text(textOf(wholeOf(argument(args, 2)) === 1 ? a : b, arena));
    case Function.KindOf:
      return text(kindOf(a));
    case Function.Uuidv4:
      return text(uuid(arena));
    case Function.Now:
      return text(goTime((now / 1_000_000_000) as i64, (now % 1_000_000_000) as u32, arena));
    case Function.Date:
    case Function.DateInZone:
      return dated(textOf(a, arena), b, id === Function.Date ? ELLIPSIS_NONE : textOf(argument(args, 2), arena), arena);
    case Function.Fail:
      return fail(arena.copy(textOf(a, arena)));
    case Function.Hello:
      return text(HELLO);
    case Function.Seq:
      return sequence(args, count, arena);
    default:
      return calculated(id, args, count, arena);
  }
}

/** With the integers that Sprig makes of anything. */
function calculated(id: Function, args: usize, count: i32, arena: Arena): Value {
  let value = count === 0 ? 0 : integerOf(argument(args, 0), arena);
  if (id === Function.Add1) return number(value + 1, arena);
  if (id === Function.Atoi || id === Function.Int) return number(value, arena);
  for (let i = 1; i < count; i++) {
    const other = integerOf(argument(args, i), arena);
    switch (id) {
      case Function.Add:
        value += other;
        break;
      case Function.Sub:
        value -= other;
        break;
      case Function.Mul:
        value *= other;
        break;
      case Function.Max:
        value = max(value, other);
        break;
      case Function.Min:
        value = min(value, other);
        break;
      default: {
        if (other === 0) return fail(BY_ZERO);
        // The one quotient that overflows, which traps.
        if (other === -1) value = id === Function.Div ? 0 - value : 0;
        else value = id === Function.Div ? value / other : value % other;
      }
    }
  }
  return number(value, arena);
}

/** What is there, in quotes or as it is, a space between. */
function listed(id: Function, args: usize, count: i32, arena: Arena): Span {
  const writer = newWriter(arena, 64);
  let any = false;
  for (let i = 0; i < count; i++) {
    const value = argument(args, i);
    if (isNil(value)) continue;
    if (any) writer.byte(SPACE);
    any = true;
    const bytes = stringOf(value, arena);
    if (id === Function.Quote) writer.bytes(quoted(bytes, arena));
    else if (id === Function.Squote) writer.byte(0x27).bytes(bytes).byte(0x27);
    else writer.bytes(bytes);
  }
  return writer.written;
}

function hexOf(bytes: Span, arena: Arena): Span {
  const writer = newWriter(arena, (length(bytes) as usize) * 2);
  for (let at = pointer(bytes); at < limit(bytes); at++) {
    writer.byte(hexDigit(load<u8>(at) >> 4)).byte(hexDigit(load<u8>(at) & 15));
  }
  return writer.written;
}

/** RFC 9562 §5.4. */
function uuid(arena: Arena): Span {
  const bytes = random(16, arena);
  if (length(bytes) < 16) return NIL;
  const at = pointer(bytes);
  store<u8>(at, (load<u8>(at, 6) & 0x0f) | 0x40, 6);
  store<u8>(at, (load<u8>(at, 8) & 0x3f) | 0x80, 8);
  const digits = hexOf(bytes, arena);
  const from = pointer(digits);
  return newWriter(arena, 36)
    .bytes(between(from, from + 8))
    .byte(HYPHEN)
    .bytes(between(from + 8, from + 12))
    .byte(HYPHEN)
    .bytes(between(from + 12, from + 16))
    .byte(HYPHEN)
    .bytes(between(from + 16, from + 20))
    .byte(HYPHEN)
    .bytes(between(from + 20, from + 32)).written;
}

/** A whole number is seconds since 1970; for anything else, the text of `now` included, it is now. */
function dated(layout: Span, value: Value, zone: Span, arena: Arena): Value {
  const isTime = typeOf(value) === Type.Number && isWhole(bytesOf(value));
  const seconds = isTime ? whole : ((now / 1_000_000_000) as i64);
  // Years that nobody means would not fit.
  if (seconds > 1 << 44 || seconds < -(1 << 44)) return fail(TOO_LONG);
  return text(formatted(seconds, isTime ? 0 : ((now % 1_000_000_000) as u32), layout, zone, arena));
}

function sequence(args: usize, count: i32, arena: Arena): Value {
  if (count === 0) return text(ELLIPSIS_NONE);
  const last = wholeOf(argument(args, count - 1));
  const begin: i64 = count === 1 ? 1 : wholeOf(argument(args, 0));
  let step: i64 = last < begin ? -1 : 1;
  if (count === 3) step = wholeOf(argument(args, 1));
  if (step === 0 || step > 0 !== last >= begin) return text(ELLIPSIS_NONE);
  const distance = abs(last - begin);
  if (abs(last) > 1 << 40 || abs(begin) > 1 << 40 || !affords(((distance / abs(step)) as u64) * 16))
    return fail(TOO_LARGE);
  spend(((distance / abs(step)) as usize) * 16);
  const writer = newWriter(arena, 64);
  for (let value = begin; step > 0 ? value <= last : value >= last; value += step) {
    if (value !== begin) writer.byte(SPACE);
    writer.signed(value);
  }
  return text(writer.written);
}
