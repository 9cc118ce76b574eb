import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSING_BRACE,
  COLON,
  COMMA,
  DOT,
  HYPHEN,
  LINE_FEED,
  LOWER_E,
  LOWER_F,
  OPENING_BRACE,
  OPENING_BRACKET,
  PLUS,
  QUOTE,
  SPACE,
  TAB,
  ZERO,
  isDigit,
} from '../bytes/ascii';
import { Span, length, pointer } from '../bytes/span';
import { Bits } from './bits';
import { unescaped } from './escape';
import { State } from './state';
import { characterSize } from './text';
import { FALSE_TAIL, MAX_DEPTH, NULL, TRUE } from './token';

/**
 * Members of an object that nobody looks for, read at once: those whose name is written plainly and whose value is a short
 * text, a number, a word, or a small object or array of these. In lists of small objects that is most of what there is.
 */

/** Bytes of a text: longer ones are read faster in blocks, and may have to be read twice. */
const MOST_OF_TEXT: usize = 512;
/** The same of an object or array. */
const MOST_OF_CONTAINER: usize = 256;
/** Levels of a value. */
const MOST_LEVELS: i32 = 4;
/** Containers that may be open where members are passed, as their values must not be deeper than a document may be. */
export const MOST_AROUND: i32 = MAX_DEPTH - MOST_LEVELS;

/** From an opening bracket or brace to the one that closes it. */
const TO_CLOSING: u32 = CLOSING_BRACE - OPENING_BRACE;

/** Static methods, as only these can be inlined. */
class Plain {
  /** A member's name as one bit of 64, which other names may have as well. */
  @inline
  static bitOf(first: u32, count: u32): u64 {
    return (1 as u64) << (((first + count * 5) & 63) as u64);
  }

  /** Behind a value that is plain; 0 where it is not, or is not whole. What stands there may still go on with it. */
  @inline
  static behindValue(at: usize, end: usize): usize {
    if (at === end) return 0;
    const c: u32 = load<u8>(at);
    if (c === OPENING_BRACE || c === OPENING_BRACKET) return behindContainer(at, min(end, at + MOST_OF_CONTAINER));
    return Plain.behindScalar(at, end);
  }

  /** The same of a text, a number or a word. @param at before `end` */
  @inline
  static behindScalar(at: usize, end: usize): usize {
    const c: u32 = load<u8>(at);
    if (c === QUOTE) return behindText(at + 1, end);
    if (c === HYPHEN || isDigit(c)) return behindNumber(at, end);
    if (at + 5 > end) return 0;
    const word = load<u32>(at);
    if (word === TRUE || word === NULL) return at + 4;
    return c === LOWER_F && load<u32>(at, 1) === FALSE_TAIL ? at + 5 : 0;
  }

  @inline
  static behindSpace(at: usize, end: usize): usize {
    while (at < end) {
      const c = load<u8>(at);
      if (c > SPACE || (c !== SPACE && c !== LINE_FEED && c !== CARRIAGE_RETURN && c !== TAB)) break;
      at++;
    }
    return at;
  }
}

/** The bit of a member that is looked for. @param name not empty */
export function nameBit(name: Span): u64 {
  return Plain.bitOf(load<u8>(pointer(name)), length(name));
}

/**
 * Passes members as far as they are whole and plain, and none is looked for.
 * @param at where a key is expected
 * @param sought bits of the names that are looked for
 * @returns where it stopped, in the high half, and what is expected there: `State.NextKey`, or `State.AfterValue` at the
 * brace that closes the object; 0 where nothing was passed
 */
export function passMembers(at: usize, end: usize, sought: u64): u64 {
  let passed: u64 = 0;
  while (true) {
    const key = Plain.behindSpace(at, end);
    if (key === end || load<u8>(key) !== QUOTE) return passed;
    const keyEnd = endOfPlain(key + 1, end);
    if (keyEnd === end || load<u8>(keyEnd) !== QUOTE) return passed;
    if ((sought & Plain.bitOf(load<u8>(key, 1), (keyEnd - key - 1) as u32)) !== 0) return passed;
    const colon = Plain.behindSpace(keyEnd + 1, end);
    if (colon === end || load<u8>(colon) !== COLON) return passed;
    const value = Plain.behindSpace(colon + 1, end);
    const valueEnd = Plain.behindValue(value, end);
    if (valueEnd === 0) return passed;
    const behind = Plain.behindSpace(valueEnd, end);
    if (behind === end) return passed;
    const c = load<u8>(behind);
    if (c === CLOSING_BRACE) return ((behind as u64) << 32) | (State.AfterValue as u64);
    if (c !== COMMA) return passed;
    at = behind + 1;
    passed = ((at as u64) << 32) | (State.NextKey as u64);
  }
}

/** @param at at the bracket */
function behindContainer(at: usize, end: usize): usize {
  // A bit for each that is open, the innermost one lowest: 1 = object.
  let objects: u32 = 0;
  let levels = 0;
  while (true) {
    const c: u32 = load<u8>(at);
    if (c === OPENING_BRACE || c === OPENING_BRACKET) {
      if (levels === MOST_LEVELS) return 0;
      levels++;
      objects = (objects << 1) | (c === OPENING_BRACE ? 1 : 0);
      at = Plain.behindSpace(at + 1, end);
      if (at === end) return 0;
      if (load<u8>(at) !== c + TO_CLOSING) {
        if (c === OPENING_BRACE) at = behindName(at, end);
        if (at === 0) return 0;
        continue;
      }
    } else {
      at = Plain.behindScalar(at, end);
      if (at === 0) return 0;
      at = Plain.behindSpace(at, end);
      if (at === end) return 0;
    }
    while (load<u8>(at) !== COMMA) {
      if (load<u8>(at) !== ((objects & 1) !== 0 ? OPENING_BRACE : OPENING_BRACKET) + TO_CLOSING) return 0;
      at++;
      objects >>= 1;
      if (--levels === 0) return at;
      at = Plain.behindSpace(at, end);
      if (at === end) return 0;
    }
    at = Plain.behindSpace(at + 1, end);
    if (at === end) return 0;
    if ((objects & 1) !== 0) at = behindName(at, end);
    if (at === 0) return 0;
  }
}

/** Where the value of a member begins whose name begins here; 0 where it is not plain, or its value does not begin before `end`. */
function behindName(at: usize, end: usize): usize {
  if (load<u8>(at) !== QUOTE) return 0;
  at = behindText(at + 1, end);
  if (at === 0) return 0;
  at = Plain.behindSpace(at, end);
  if (at === end || load<u8>(at) !== COLON) return 0;
  at = Plain.behindSpace(at + 1, end);
  return at === end ? 0 : at;
}

/** RFC 8259 §6; 0 where it is none, or is not whole. @param at before `end` */
function behindNumber(at: usize, end: usize): usize {
  if (load<u8>(at) === HYPHEN) at++;
  if (at === end) return 0;
  // A number that begins with a zero goes on with no digit.
  if (load<u8>(at) === ZERO) at++;
  else at = behindDigits(at, end);
  if (at === 0 || at === end) return at;
  if (load<u8>(at) === DOT) {
    at = behindDigits(at + 1, end);
    if (at === 0 || at === end) return at;
  }
  if ((load<u8>(at) | 0x20) !== LOWER_E) return at;
  at++;
  if (at < end && (load<u8>(at) === PLUS || load<u8>(at) === HYPHEN)) at++;
  return behindDigits(at, end);
}

/** 0 where there is none. */
function behindDigits(at: usize, end: usize): usize {
  const from = at;
  while (at < end && isDigit(load<u8>(at))) at++;
  return at === from ? 0 : at;
}

/** @param at behind the quote */
function behindText(at: usize, end: usize): usize {
  const most = min(end, at + MOST_OF_TEXT);
  while (true) {
    at = endOfPlain(at, most);
    if (at === most) return 0;
    const c = load<u8>(at);
    if (c === QUOTE) return at + 1;
    if (c > 0x7f) {
      at = behindCharacters(at, most);
      if (at === 0) return 0;
      continue;
    }
    if (c !== BACKSLASH || at + 1 === most || unescaped(load<u8>(at + 1)) === 0) return 0;
    at += 2;
  }
}

/** Behind characters that are no ASCII; 0 where one is no UTF-8, or not whole. */
function behindCharacters(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) > 0x7f) {
    const size = characterSize(at, end);
    if (size === 0) return 0;
    at += size;
  }
  return at;
}

/** Where the bytes of a string end that stand for themselves: at a quote, a backslash, what is no ASCII, or the end. */
export function endOfPlain(at: usize, end: usize): usize {
  while (at + 16 <= end) {
    const stop = i8x16.bitmask(Bits.stopsIn(v128.load(at)));
    if (stop !== 0) return at + (ctz(stop) as usize);
    at += 16;
  }
  while (at < end) {
    const c: u32 = load<u8>(at);
    if (c === QUOTE || c === BACKSLASH || c < SPACE || c > 0x7f) break;
    at++;
  }
  return at;
}
