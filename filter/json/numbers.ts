import { DOT, HYPHEN, PLUS, ZERO, isDigit } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, literal, length, limit, pointer } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';

/**
 * Decimal numbers as text. One of at most 15 digits and a small exponent becomes exactly the double that it names; others
 * come as near as one in the last place (Clinger, How to Read Floating Point Numbers Accurately, §2).
 */
let negative = false;
let mantissa: u64 = 0;
/** Digits behind those that the mantissa has. */
let exponent: i32 = 0;

/** Whether a text is a decimal number, alone; what it says is then in the variables above. */
function scan(text: Span): bool {
  let at = pointer(text);
  const end = limit(text);
  negative = false;
  mantissa = 0;
  exponent = 0;
  if (at < end && (load<u8>(at) === HYPHEN || load<u8>(at) === PLUS)) negative = load<u8>(at++) === HYPHEN;
  let digits = 0;
  let fraction = false;
  for (; at < end; at++) {
    const c: u32 = load<u8>(at);
    if (c === DOT && !fraction) {
      fraction = true;
      continue;
    }
    if (!isDigit(c)) break;
    digits++;
    if (mantissa < 1_000_000_000_000_000_000) {
      mantissa = mantissa * 10 + ((c - ZERO) as u64);
      if (fraction) exponent--;
    } else if (!fraction) exponent++;
  }
  if (digits === 0) return false;
  if (at < end && (load<u8>(at) | 0x20) === 0x65) {
    at++;
    let minus = false;
    if (at < end && (load<u8>(at) === HYPHEN || load<u8>(at) === PLUS)) minus = load<u8>(at++) === HYPHEN;
    if (at === end) return false;
    let power = 0;
    for (; at < end && isDigit(load<u8>(at)); at++) power = min(power * 10 + (load<u8>(at) as i32) - 0x30, 100_000);
    exponent += minus ? -power : power;
  }
  return at === end;
}

export function isNumber(text: Span): bool {
  return scan(text);
}

/** The double that a number names; 0 where it is none. */
export function doubleOf(text: Span): f64 {
  if (!scan(text)) return 0;
  let value = mantissa as f64;
  let left = exponent;
  while (left > 0 && value !== 0 && value < Infinity) {
    const step = min(left, 22);
    value *= powerOfTen(step);
    left -= step;
  }
  while (left < 0 && value !== 0) {
    const step = min(-left, 22);
    value /= powerOfTen(step);
    left += step;
  }
  return negative ? -value : value;
}

/** Up to the 22nd they are exact. */
function powerOfTen(power: i32): f64 {
  let value: f64 = 1;
  for (let i = 0; i < power; i++) value *= 10;
  return value;
}

/** Whether it is a whole number that 64 bits hold; it is in `whole` then. */
export function isWhole(text: Span): bool {
  if (!scan(text)) return false;
  let value = mantissa;
  while (exponent < 0 && value % 10 === 0) {
    value /= 10;
    exponent++;
    if (value === 0) exponent = 0;
  }
  if (exponent < 0) return false;
  for (; exponent > 0 && value !== 0; exponent--) {
    if (value > 922_337_203_685_477_580) return false;
    value *= 10;
  }
  if (value > (i64.MAX_VALUE as u64)) return false;
  whole = negative ? -(value as i64) : (value as i64);
  return true;
}

export let whole: i64 = 0;

const INFINITY = literal('+Inf');

/** As Go's `%v` writes a double: the shortest digits that name it, with an exponent below -4 and from 21 on. */
export function shortest(value: f64, smallest: i32, arena: Arena): Span {
  if (!isFinite(value)) return INFINITY;
  const writer = newWriter(arena, 32);
  if (value < 0) writer.byte(HYPHEN);
  value = abs(value);
  if (value === 0) return writer.byte(ZERO).written;
  digitsOf(value);
  const power = digitPower;
  if (power < smallest || power >= 21) {
    writer.byte(digitAt(0));
    if (digitCount > 1) writer.byte(DOT);
    for (let i = 1; i < digitCount; i++) writer.byte(digitAt(i));
    writer.byte(0x65).byte(power < 0 ? HYPHEN : PLUS);
    if (abs(power) < 10) writer.byte(ZERO);
    return writer.decimal(abs(power) as u64).written;
  }
  writeDigits(writer, power);
  return writer.written;
}

function writeDigits(writer: Writer, power: i32): void {
  if (power < 0) {
    writer.byte(ZERO).byte(DOT);
    for (let i = -1; i > power; i--) writer.byte(ZERO);
    for (let i = 0; i < digitCount; i++) writer.byte(digitAt(i));
    return;
  }
  for (let i = 0; i <= power || i < digitCount; i++) {
    if (i === power + 1) writer.byte(DOT);
    writer.byte(i < digitCount ? digitAt(i) : ZERO);
  }
}

let digitText: u64 = 0;
let digitCount = 0;
let digitPower = 0;

function digitAt(index: i32): u8 {
  let value = digitText;
  for (let i = digitCount - 1; i > index; i--) value /= 10;
  return ZERO + ((value % 10) as u8);
}

/** The shortest digits that are read as this double again, and the power of ten of the first. */
function digitsOf(value: f64): void {
  let power = 0;
  let scaled = value;
  while (scaled >= 10) {
    scaled /= 10;
    power++;
  }
  while (scaled < 1) {
    scaled *= 10;
    power--;
  }
  digitPower = power;
  for (digitCount = 1; digitCount <= 17; digitCount++) {
    const down = digitCount - 1 - power;
    let m: f64 = value;
    for (let left = down; left > 0; left -= 22) m *= powerOfTen(min(left, 22));
    for (let left = -down; left > 0; left -= 22) m /= powerOfTen(min(left, 22));
    digitText = nearest(m) as u64;
    if (isReadAs(value, digitText, down)) break;
    // The product was rounded: of 16 digits and more the last one may be another.
    if (digitCount < 16) continue;
    if (isReadAs(value, digitText - 1, down)) {
      digitText--;
      break;
    }
    if (isReadAs(value, digitText + 1, down)) {
      digitText++;
      break;
    }
  }
  digitCount = min(digitCount, 17);
  let bound: u64 = 1;
  for (let i = 0; i < digitCount; i++) bound *= 10;
  // Rounded up to a power of ten.
  if (digitText >= bound) {
    digitText /= 10;
    digitPower++;
  }
  while (digitCount > 1 && digitText % 10 === 0) {
    digitText /= 10;
    digitCount--;
  }
}

/** @param down how many of the digits are behind the point; below 0: how many zeros follow them */
function isReadAs(value: f64, digits: u64, down: i32): bool {
  let back = digits as f64;
  for (let left = down; left > 0; left -= 22) back /= powerOfTen(min(left, 22));
  for (let left = -down; left > 0; left -= 22) back *= powerOfTen(min(left, 22));
  return back === value;
}

/** How long a number may be to become a double without a doubt. */
export const MOST_DIGITS: i32 = 15;

export function isShort(text: Span): bool {
  return length(text) <= MOST_DIGITS + 2;
}
