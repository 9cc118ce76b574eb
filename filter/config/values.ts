import { HYPHEN, LOWER_A, LOWER_Z, ZERO, isDigit, isVisible } from '../bytes/ascii';
import { Span, pointer, limit, length, literal, after, between, NONE, equals } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { Section } from './section';

const A_DURATION = literal('a time such as "500ms", "3s", "10m" or "24h", from 1ms to 24 days');
const A_SIZE = literal('a size such as 65536, "64Ki" or "1Mi", from 1 byte to 1Gi');
const A_COUNT = literal('a whole number from 1 to ');

const TRUE_OR_FALSE = literal('true or false');

const MS = literal('ms');
const S = literal('s');
const M = literal('m');
const H = literal('h');
const KI = literal('Ki');
const MI = literal('Mi');
const GI = literal('Gi');

const MAX_MILLISECONDS: u64 = 24 * 24 * 3600 * 1000;
const MAX_BYTES: u64 = 1 << 30;
const MAX_COUNT: u32 = 65536;
/** More than any of these, and little enough to be multiplied by any unit. */
const MAX_NUMBER: u64 = 1 << 31;

let unit: Span = NONE;

/** The leading digits of a text, its rest in `unit`; 0 where there are none or far too many. */
function leadingNumber(text: Span): u64 {
  let value: u64 = 0;
  let at = pointer(text);
  for (; at < limit(text); at++) {
    const digit = (load<u8>(at) as u32) - ZERO;
    if (digit >= 10) break;
    value = value * 10 + (digit as u64);
    if (value > MAX_NUMBER) return 0;
  }
  unit = between(at, limit(text));
  return value;
}

/** Whether a member is true; absent is false. */
export function flag(section: Section, name: Span): bool {
  const value = section.get(name);
  if (value === NONE) return false;
  const kind = kindOf(value);
  if (kind !== Kind.True && kind !== Kind.False) section.mustBe(name, TRUE_OR_FALSE);
  return kind === Kind.True;
}

/** Milliseconds; the default is written as a user would write it. */
export function duration(section: Section, name: Span, byDefault: Span): u32 {
  const text = section.text(name, byDefault);
  if (text === NONE) return 1;
  let value = leadingNumber(text);
  if (equals(unit, MS)) value *= 1;
  else if (equals(unit, S)) value *= 1000;
  else if (equals(unit, M)) value *= 60 * 1000;
  else if (equals(unit, H)) value *= 3600 * 1000;
  else value = 0;
  if (value === 0 || value > MAX_MILLISECONDS) {
    section.mustBe(name, A_DURATION);
    return 1;
  }
  return value as u32;
}

/** Bytes. */
export function size(section: Section, name: Span, byDefault: u32): u32 {
  const value = section.get(name);
  if (value === NONE) return byDefault;
  const kind = kindOf(value);
  let bytes: u64 = 0;
  if (kind === Kind.Number) {
    bytes = leadingNumber(value);
    if (length(unit) > 0) bytes = 0;
  } else if (kind === Kind.String) {
    const text = textOf(value, section.arena);
    bytes = text === NONE ? 0 : leadingNumber(text);
    if (equals(unit, KI)) bytes <<= 10;
    else if (equals(unit, MI)) bytes <<= 20;
    else if (equals(unit, GI)) bytes <<= 30;
    else if (length(unit) > 0) bytes = 0;
  }
  if (bytes === 0 || bytes > MAX_BYTES) {
    section.mustBe(name, A_SIZE);
    return byDefault;
  }
  return bytes as u32;
}

export function count(section: Section, name: Span, byDefault: u32, most: u32 = MAX_COUNT): u32 {
  const value = section.get(name);
  if (value === NONE) return byDefault;
  const number = kindOf(value) === Kind.Number ? leadingNumber(value) : 0;
  if (number === 0 || length(unit) > 0 || number > (most as u64)) {
    section.mustBe(
      name,
      newWriter(section.arena, 32)
        .bytes(A_COUNT)
        .decimal(most as u64).written,
    );
    return byDefault;
  }
  return number as u32;
}

/** Whether every byte is in a-z, 0-9, or one of `others`. */
export function isMadeOf(text: Span, others: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    if ((c >= LOWER_A && c <= LOWER_Z) || isDigit(c)) continue;
    let found = false;
    for (let other = pointer(others); other < limit(others); other++) if (load<u8>(other) === c) found = true;
    if (!found) return false;
  }
  return true;
}

const DASH = literal('-');
export const A_NAME = literal('made of a-z, 0-9 and inner dashes, at most 63 characters');

/** As DNS labels are (RFC 1123 §2.1), in lower case: of gateways and servers. */
export function isName(text: Span): bool {
  const last = limit(text) - 1;
  return length(text) <= 63 && isMadeOf(text, DASH) && load<u8>(pointer(text)) !== HYPHEN && load<u8>(last) !== HYPHEN;
}

/** Visible ASCII only: what may stand in a header or a path without changing its meaning (RFC 9110 §5.5). */
export function isVisibleText(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) {
    if (!isVisible(load<u8>(at))) return false;
  }
  return length(after(text, 0)) > 0;
}
