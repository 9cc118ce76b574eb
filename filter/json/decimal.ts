import { DOT, HYPHEN, LOWER_E, PLUS, ZERO, isDigit } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, length, limit, pointer } from '../bytes/span';

/** Digits of an exponent that is read. A larger one is no number that anybody means, and could not be compared. */
const MOST_OF_EXPONENT = 9;

/**
 * A number of JSON by its exact value, however many digits it has: `1`, `1.0` and `10e-1` are one number, and two that
 * share a double are two.
 *
 *     value = 0.d1d2d3… × 10^power, without zeros at either end
 */
@unmanaged
export class Decimal {
  isNegative: bool;
  /** Empty: zero. */
  digits: Span;
  power: i64;

  /** Below 0: it is less than the other; 0: it is the same. */
  compare(other: Decimal): i32 {
    if (this.isNegative !== other.isNegative) return this.isNegative ? -1 : 1;
    const larger = compareMagnitudes(this, other);
    return this.isNegative ? -larger : larger;
  }
}

/** @param token a scanned number. Null: its exponent has more digits than are read */
export function decimalOf(token: Span, arena: Arena): Decimal | null {
  const decimal = make<Decimal>(arena);
  let at = pointer(token);
  const end = limit(token);
  if (load<u8>(at) === HYPHEN) {
    decimal.isNegative = true;
    at++;
  }
  const digits = arena.allocate(length(token) as usize);
  let to = digits;
  let power: i64 = 0;
  let isFraction = false;
  for (; at < end; at++) {
    const c: u32 = load<u8>(at);
    if (c === DOT) {
      isFraction = true;
      continue;
    }
    if (!isDigit(c)) break;
    // A zero at the beginning is no digit of the value: behind the point it makes it smaller.
    if (to === digits && c === ZERO) {
      if (isFraction) power--;
      continue;
    }
    store<u8>(to++, c as u8);
    if (!isFraction) power++;
  }
  while (to > digits && load<u8>(to - 1) === ZERO) to--;
  decimal.digits = between(digits, to);
  if (to === digits) {
    decimal.isNegative = false;
    return decimal;
  }
  if (at < end && (load<u8>(at) | 0x20) === LOWER_E) {
    if (!readExponent(at + 1, end)) return null;
    power += exponent;
  }
  decimal.power = power;
  return decimal;
}

let exponent: i64 = 0;

function readExponent(at: usize, end: usize): bool {
  const isNegative = load<u8>(at) === HYPHEN;
  if (isNegative || load<u8>(at) === PLUS) at++;
  while (at < end && load<u8>(at) === ZERO) at++;
  if (end - at > (MOST_OF_EXPONENT as usize)) return false;
  exponent = 0;
  for (; at < end; at++) exponent = exponent * 10 + ((load<u8>(at) - ZERO) as i64);
  if (isNegative) exponent = -exponent;
  return true;
}

function compareMagnitudes(a: Decimal, b: Decimal): i32 {
  const sizeOfA = length(a.digits);
  const sizeOfB = length(b.digits);
  if (sizeOfA === 0 || sizeOfB === 0) return sizeOfA === sizeOfB ? 0 : sizeOfA === 0 ? -1 : 1;
  if (a.power !== b.power) return a.power < b.power ? -1 : 1;
  const found = memory.compare(pointer(a.digits), pointer(b.digits), min(sizeOfA, sizeOfB) as usize);
  return found !== 0 ? found : sizeOfA - sizeOfB;
}
