import { COLON, HYPHEN, PLUS, SPACE, UNDERSCORE, ZERO, isDigit } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, after, equals, first, length, limit, literal, pointer, startsWith } from '../bytes/span';
import { names, namesIn } from '../bytes/name-list';
import { newWriter, Writer } from '../bytes/writer';

/** Times as text, in the layouts of Go: each element is written as it is in `Mon Jan 2 15:04:05 MST 2006`. */

const MONTHS = names('January February March April May June July August September October November December');
const DAYS = names('Sunday Monday Tuesday Wednesday Thursday Friday Saturday');

const UTC = literal('UTC');
const GMT = literal('GMT');
const EMPTY = literal('');
const ETC_UTC = literal('Etc/UTC');
const LOCAL = literal('Local');
const SHANGHAI = literal('Asia/Shanghai');
const CHONGQING = literal('Asia/Chongqing');
const PRC = literal('PRC');
const TOKYO = literal('Asia/Tokyo');
const JST = literal('JST');
const CST = literal('CST');

/** Seconds east of Greenwich, or i32.MIN_VALUE: a zone that is not served here. Those that are change no clocks. */
export function offsetOf(zone: Span): i32 {
  if (equals(zone, EMPTY) || equals(zone, UTC) || equals(zone, GMT) || equals(zone, ETC_UTC) || equals(zone, LOCAL))
    return 0;
  if (equals(zone, SHANGHAI) || equals(zone, CHONGQING) || equals(zone, PRC)) return 8 * 3600;
  return equals(zone, TOKYO) ? 9 * 3600 : i32.MIN_VALUE;
}

const LONG_MONTH = literal('January');
const SHORT_MONTH = literal('Jan');
const LONG_DAY = literal('Monday');
const SHORT_DAY = literal('Mon');
const ZONE = literal('MST');
const YEAR = literal('2006');
const HOUR = literal('15');
const UPPER_HALF = literal('PM');
const LOWER_HALF = literal('pm');
const DAY_OF_YEAR = literal('002');
const Z_COLON = literal('Z07:00');
const Z_PLAIN = literal('Z0700');
const MINUS_COLON = literal('-07:00');
const MINUS_PLAIN = literal('-0700');
const MINUS_HOUR = literal('-07');
const AM_UPPER = literal('AM');
const AM_LOWER = literal('am');

/** @param seconds since 1970 @param nanoseconds of the second @param offset see `offsetOf` */
export function formatted(seconds: i64, nanoseconds: u32, layout: Span, zone: Span, arena: Arena): Span {
  const offset = offsetOf(zone);
  const local = seconds + (offset as i64);
  const days = floorDiv(local, 86400);
  const rest = (local - days * 86400) as i32;
  splitDays(days);
  const hour = rest / 3600;
  const half = hour % 12 === 0 ? 12 : hour % 12;
  const minute = (rest / 60) % 60;
  const second = rest % 60;
  const monthName: Span = namesIn(MONTHS, arena).at(month - 1);
  const dayName: Span = namesIn(DAYS, arena).at(((((days + 4) % 7) + 7) % 7) as i32);
  const out = newWriter(arena, 64);
  for (let left = layout; length(left) > 0;) {
    const c = load<u8>(pointer(left));
    let taken: u32 = 0;
    if (startsWith(left, LONG_MONTH)) {
      out.bytes(monthName);
      taken = 7;
    } else if (startsWith(left, SHORT_MONTH)) {
      out.bytes(first(monthName, 3));
      taken = 3;
    } else if (startsWith(left, LONG_DAY)) {
      out.bytes(dayName);
      taken = 6;
    } else if (startsWith(left, SHORT_DAY)) {
      out.bytes(first(dayName, 3));
      taken = 3;
    } else if (startsWith(left, ZONE)) {
      out.bytes(abbreviation(offset));
      taken = 3;
    } else if (startsWith(left, YEAR)) {
      if (year < 0) out.byte(HYPHEN);
      padded(out, abs(year) as u32, 4);
      taken = 4;
    } else if (startsWith(left, HOUR)) {
      padded(out, hour, 2);
      taken = 2;
    } else if (startsWith(left, UPPER_HALF)) {
      out.bytes(hour >= 12 ? UPPER_HALF : AM_UPPER);
      taken = 2;
    } else if (startsWith(left, LOWER_HALF)) {
      out.bytes(hour >= 12 ? LOWER_HALF : AM_LOWER);
      taken = 2;
    } else if (startsWith(left, DAY_OF_YEAR)) {
      padded(out, ((days - daysBefore(year)) as u32) + 1, 3);
      taken = 3;
    } else if (startsWith(left, Z_COLON) || startsWith(left, Z_PLAIN)) {
      const colon = startsWith(left, Z_COLON);
      if (offset === 0) out.byte(0x5a);
      else writeOffset(out, offset, colon);
      taken = colon ? 6 : 5;
    } else if (startsWith(left, MINUS_COLON)) {
      writeOffset(out, offset, true);
      taken = 6;
    } else if (startsWith(left, MINUS_PLAIN)) {
      writeOffset(out, offset, false);
      taken = 5;
    } else if (startsWith(left, MINUS_HOUR)) {
      out.byte(offset < 0 ? HYPHEN : PLUS);
      padded(out, abs(offset) / 3600, 2);
      taken = 3;
    } else if ((c === 0x2e || c === 0x2c) && fractionIn(left) > 0) {
      taken = fractionIn(left);
      writeFraction(out, c, nanoseconds, taken - 1, load<u8>(pointer(left) + 1) === 0x39);
    } else if (c === ZERO && length(left) > 1) {
      const d: u32 = load<u8>(pointer(left) + 1);
      if (d >= 0x31 && d <= 0x36) {
        padded(out, numberOf(d, half, minute, second), 2);
        taken = 2;
      }
    } else if (c === UNDERSCORE && length(left) > 1 && load<u8>(pointer(left) + 1) === 0x32) {
      if (day < 10) out.byte(SPACE);
      out.decimal(day as u64);
      taken = 2;
    } else if (c >= 0x31 && c <= 0x36) {
      out.decimal(numberOf(c, half, minute, second) as u64);
      taken = 1;
    }
    if (taken === 0) {
      out.byte(c);
      taken = 1;
    }
    left = after(left, taken);
  }
  return out.written;
}

/** 1 month, 2 day, 3 hour of twelve, 4 minute, 5 second, 6 year. */
function numberOf(digit: u32, half: i32, minute: i32, second: i32): u32 {
  switch (digit) {
    case 0x31:
      return month;
    case 0x32:
      return day;
    case 0x33:
      return half;
    case 0x34:
      return minute;
    case 0x35:
      return second;
    default:
      return abs(year) % 100;
  }
}

/** Bytes of a fraction of a second such as `.000`, or 0. */
function fractionIn(left: Span): u32 {
  if (length(left) < 2) return 0;
  const digit = load<u8>(pointer(left) + 1);
  if (digit !== ZERO && digit !== 0x39) return 0;
  let at = pointer(left) + 1;
  while (at < limit(left) && load<u8>(at) === digit) at++;
  return at < limit(left) && isDigit(load<u8>(at)) ? 0 : ((at - pointer(left)) as u32);
}

function writeFraction(out: Writer, mark: u8, nanoseconds: u32, digits: u32, trims: bool): void {
  const text = newWriter(out.arena, 16);
  padded(text, nanoseconds, 9);
  let count = min<u32>(digits, 9);
  while (trims && count > 0 && load<u8>(pointer(text.written) + (count as usize) - 1) === ZERO) count--;
  if (trims && count === 0) return;
  out.byte(mark).bytes(first(text.written, count));
}

function writeOffset(out: Writer, offset: i32, colon: bool): void {
  out.byte(offset < 0 ? HYPHEN : PLUS);
  padded(out, abs(offset) / 3600, 2);
  if (colon) out.byte(COLON);
  padded(out, (abs(offset) / 60) % 60, 2);
}

function abbreviation(offset: i32): Span {
  return offset === 0 ? UTC : offset === 9 * 3600 ? JST : CST;
}

function padded(out: Writer, value: u32, digits: i32): void {
  let bound: u32 = 10;
  for (let i = 1; i < digits; i++) {
    if (value < bound) {
      for (let j = i; j < digits; j++) out.byte(ZERO);
      break;
    }
    bound *= 10;
  }
  out.decimal(value as u64);
}

let year: i32 = 0;
let month: i32 = 0;
let day: i32 = 0;

function floorDiv(a: i64, b: i64): i64 {
  const quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

/** The date of a day since 1970 (Hinnant, chrono-Compatible Low-Level Date Algorithms, civil_from_days). */
function splitDays(days: i64): void {
  const shifted = days + 719468;
  const era = floorDiv(shifted, 146097);
  const ofEra = (shifted - era * 146097) as i32;
  const yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146096) / 365;
  const ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const shiftedMonth = (5 * ofYear + 2) / 153;
  day = ofYear - (153 * shiftedMonth + 2) / 5 + 1;
  month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  year = (era as i32) * 400 + yearOfEra + (month <= 2 ? 1 : 0);
}

/** Days from 1970 to the first of January. */
function daysBefore(wanted: i32): i64 {
  const y = (wanted as i64) - 1;
  return y * 365 + floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400) - 719162;
}

/** As Go prints a time. */
const GO_LAYOUT = literal('2006-01-02 15:04:05.999999999 -0700 MST');

export function goTime(seconds: i64, nanoseconds: u32, arena: Arena): Span {
  return formatted(seconds, nanoseconds, GO_LAYOUT, UTC, arena);
}
