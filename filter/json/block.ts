import { LOWER_F } from '../bytes/ascii';
import { BLOCK, Bits } from './bits';
import { keepLevels, levelsAt } from './levels';
import { State } from './state';
import { FALSE_TAIL, MAX_DEPTH, NULL, TRUE } from './token';
import { isUtf8, wholeCharacters } from './utf8';

/**
 * Passes over JSON 64 bytes at a time, where nothing is reported. It passes what `Scanner.step` would pass without a report
 * or a fault, and never ends inside of an escape, a character, a number or a word; it passes nothing of a block
 * with a fault, and stops before what is longer than a block or reported: these are left to `step`.
 */

/** What was passed: bits 0 to 6 how many bytes, 8 to 15 the state, 16 whether a string that is open is a key, 24 to 30 where it opened in the block (64: before it), 32 and up the depth. */
export type Passed = u64;

export const NOTHING: Passed = 0;

const NO_PLACE: i32 = BLOCK as i32;

export function passedBytes(passed: Passed): usize {
  return (passed & 0x7f) as usize;
}

export function stateOf(passed: Passed): State {
  return ((passed >> 8) & 0xff) as State;
}

export function isInKey(passed: Passed): bool {
  return ((passed >> 16) & 1) !== 0;
}

/** Whether the string that is open was opened in the block. */
export function opensString(passed: Passed): bool {
  return ((passed >> 24) as i32 & 0x7f) !== NO_PLACE;
}

export function openedAt(passed: Passed): usize {
  return ((passed >> 24) & 0x7f) as usize;
}

export function depthOf(passed: Passed): i32 {
  return (passed >> 32) as i32;
}

function passedTo(count: i32, state: i32, inKey: bool, opened: i32, depth: i32): Passed {
  return (
    (count as u64) | ((state as u64) << 8) | ((inKey as u64) << 16) | ((opened as u64) << 24) | ((depth as u64) << 32)
  );
}

/** From what states a block can be passed: those between tokens, and inside a string. */
export function canPass(state: i32): bool {
  return state <= State.AfterValue || state === State.InString;
}

/** Passes over the inside of a string up to a block that has a quote, a backslash, or a byte which no string may have there. */
export function passPlain(at: usize, end: usize): usize {
  while (at + BLOCK <= end) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    if (!v128.any_true(v128.or(v128.or(Bits.stopsIn(a), Bits.stopsIn(b)), v128.or(Bits.stopsIn(c), Bits.stopsIn(d))))) {
      at += BLOCK;
      continue;
    }
    if (i8x16.bitmask(v128.or(v128.or(a, b), v128.or(c, d))) === 0) break;
    if (
      v128.any_true(v128.or(v128.or(Bits.marksIn(a), Bits.marksIn(b)), v128.or(Bits.marksIn(c), Bits.marksIn(d)))) ||
      !isUtf8(at)
    )
      break;
    at += wholeCharacters(at) as usize;
  }
  return at;
}

/**
 * Passes over the inside of a string, at most up to its closing quote.
 * @param at 64 bytes
 * @returns how many bytes
 */
export function passText(at: usize): usize {
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const c = v128.load(at, 32);
  const d = v128.load(at, 48);
  const backslashes = Bits.backslashesIn(a, b, c, d);
  const unprintable = Bits.unprintableIn(a, b, c, d);
  const others = Bits.highBits(a, b, c, d);
  const escaped = Bits.escapedBy(backslashes);
  const quotes = Bits.quotesIn(a, b, c, d) & ~escaped;
  const count = min(ctz(quotes) as i32, Text.wholeText(at, a, b, c, d, backslashes, escaped, others));
  return (unprintable & ~others & Bits.below(count)) !== 0 ? 0 : (count as usize);
}

/**
 * Passes over tokens.
 * @param at 64 bytes
 * @param state one that `canPass`
 * @param inKey in a string: whether it is a key
 * @param depth containers open
 * @param floor as many stay open: what closes more is not passed
 * @param stack a bit for each open container, 1 = object, with 8 bytes behind it; in it are the containers that stay open
 */
export function passTokens(at: usize, state: i32, inKey: bool, depth: i32, floor: i32, stack: usize): Passed {
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const c = v128.load(at, 32);
  const d = v128.load(at, 48);
  const isInside = state === State.InString;
  let quotes = Bits.quotesIn(a, b, c, d);
  const backslashes = Bits.backslashesIn(a, b, c, d);
  const unprintable = Bits.unprintableIn(a, b, c, d);
  const escaped = Bits.escapedBy(backslashes);
  quotes &= ~escaped;
  // From the opening quote on up to the last byte before the closing one.
  const strings = Bits.parityUpTo(quotes) ^ (isInside ? ~0 : 0);
  const others = Bits.highBits(a, b, c, d);
  const controls = unprintable & ~others;
  if ((controls & strings) !== 0 || (others & ~strings) !== 0) return NOTHING;
  let count: i32 = BLOCK as i32;
  if ((backslashes | others) !== 0) count = Text.wholeText(at, a, b, c, d, backslashes, escaped, others);
  if (isInside && quotes === 0) return count === 0 ? NOTHING : passedTo(count, state, inKey, NO_PLACE, depth);
  const opened = quotes & strings;
  const closed = quotes & ~strings;

  const outside = ~(strings | closed);
  let blanks = Bits.blanksIn(a, b, c, d) & outside;
  if (controls !== 0) blanks |= Bits.breaksIn(a, b, c, d) & outside;
  const opens = Bits.opensIn(a, b, c, d) & outside;
  const closes = Bits.closesIn(a, b, c, d) & outside;
  const commas = Bits.commasIn(a, b, c, d) & outside;
  const colons = Bits.colonsIn(a, b, c, d) & outside;
  // Numbers, words, and what is neither.
  let scalars = outside & ~(blanks | opens | closes | commas | colons);
  // One that reaches the end of the block may go on behind it.
  count = min(count, (BLOCK as i32) - (clz(~scalars) as i32));
  if (count === 0) return NOTHING;

  let level = depth;
  let lowest = depth;
  let levels = levelsAt(stack, depth);
  // Which bytes stand in an object; of an opening bracket, what it opens.
  let objects: u64 = ((levels as i64) >> 63) as u64;
  let brackets = (opens | closes) & Bits.below(count);
  if (brackets !== 0) {
    let changes: u64 = 0;
    let isObject = levels >> 63;
    do {
      const place = ctz(brackets);
      const bracket: u32 = load<u8>(at + (place as usize));
      const ofObject = (bracket >> 5) & 1;
      if ((bracket & 2) !== 0) {
        if (level === MAX_DEPTH) {
          count = place as i32;
          break;
        }
        levels = (levels >> 1) | ((ofObject as u64) << 63);
        level++;
      } else {
        if (level <= floor || (ofObject as u64) !== isObject) {
          count = place as i32;
          break;
        }
        levels <<= 1;
        level--;
        lowest = min(lowest, level);
      }
      changes |= ((levels >> 63) ^ isObject) << place;
      isObject = levels >> 63;
      brackets &= brackets - 1;
    } while (brackets !== 0);
    if (count === 0) return NOTHING;
    objects ^= Bits.parityUpTo(changes);
  }

  const passed = Bits.below(count);
  scalars &= passed;
  const starts = scalars & ~(scalars << 1);
  if (scalars !== 0 && !areScalars(at, a, b, c, d, scalars, starts)) return NOTHING;

  // Each token has to be one that may follow the one before it, and the first one that may follow what came before.
  const values = opened | starts | opens;
  const ending = commas | closes;
  const inObjects = (commas | opens) & objects;
  const first = isInside ? 0 : Bits.behind(1, blanks);
  let keys = Bits.behind(inObjects << 1, blanks) & opened;
  if (state === State.KeyOrEnd || state === State.NextKey) keys |= first & opened;
  let keyEnds = Bits.behind(keys, strings) & closed;
  if (isInside && inKey) keyEnds |= quotes & (0 - quotes);
  const valueEnds = closes | (scalars & ~(scalars >> 1)) | (closed & ~keyEnds);
  const wrong =
    (Bits.behind((colons | (commas & ~objects)) << 1, blanks) & ~values) |
    (Bits.behind((commas & objects) << 1, blanks) & ~opened) |
    (Bits.behind(valueEnds << 1, blanks) & ~ending) |
    (Bits.behind(keyEnds << 1, blanks) & ~colons) |
    (Bits.behind((opens & objects) << 1, blanks) & ~(opened | closes)) |
    (Bits.behind((opens & ~objects) << 1, blanks) & ~(values | closes)) |
    (first & ~mayBegin(state, opened, values, closes, colons, ending));
  if ((wrong & passed) !== 0) return NOTHING;
  if (level > lowest && !keepLevels(stack, lowest, level, levels)) return NOTHING;

  if (((strings >> ((count - 1) as u64)) & 1) !== 0) {
    const here = opened & passed;
    if (here === 0) return passedTo(count, State.InString, inKey, NO_PLACE, level);
    const place = 63 - (clz(here) as i32);
    return passedTo(count, State.InString, ((keys >> (place as u64)) & 1) !== 0, place, level);
  }
  const ends = (valueEnds | keyEnds | opens | commas | colons) & passed;
  if (ends === 0) return passedTo(count, state, inKey, NO_PLACE, level);
  const last = (1 as u64) << (63 - clz(ends));
  const inObject = (last & objects) !== 0;
  let next: i32 = State.AfterValue;
  if ((last & colons) !== 0) next = State.Value;
  else if ((last & keyEnds) !== 0) next = State.Colon;
  else if ((last & commas) !== 0) next = inObject ? State.NextKey : State.Value;
  else if ((last & opens) !== 0) next = inObject ? State.KeyOrEnd : State.ElementOrEnd;
  return passedTo(count, next, false, NO_PLACE, level);
}

/** What may be the first token of a block. */
function mayBegin(state: i32, opened: u64, values: u64, closes: u64, colons: u64, ending: u64): u64 {
  switch (state) {
    case State.Value:
      return values;
    case State.ElementOrEnd:
      return values | closes;
    case State.KeyOrEnd:
      return opened | closes;
    case State.NextKey:
      return opened;
    case State.Colon:
      return colons;
    default:
      return ending;
  }
}

/** Static, as only such a method can be inlined. */
class Text {
  /** How many bytes from the first one on are not part of an unfinished escape or character; 0 where one is wrong. */
  @inline
  static wholeText(at: usize, a: v128, b: v128, c: v128, d: v128, backslashes: u64, escaped: u64, others: u64): i32 {
    let count = BLOCK as i32;
    if (backslashes !== 0) {
      if ((escaped & ~Bits.escapablesIn(a, b, c, d)) !== 0) return 0;
      if ((backslashes & ~escaped) >> 63 !== 0) count = 63;
      const units = escaped & Bits.unitsIn(a, b, c, d);
      if (units !== 0) {
        // A `\u` in the last four bytes has some of its digits behind the block.
        const late = units & ~Bits.below(60);
        if (late !== 0) count = min(count, (ctz(late) as i32) - 1);
        const whole = units & Bits.below(60);
        const digits = (whole << 1) | (whole << 2) | (whole << 3) | (whole << 4);
        if ((digits & ~Bits.hexDigitsIn(a, b, c, d)) !== 0) return 0;
      }
    }
    if (others !== 0) {
      if (!isUtf8(at)) return 0;
      count = min(count, wholeCharacters(at));
    }
    return count;
  }
}

/**
 * Whether these are numbers and words (RFC 8259 §3, §6).
 * @param scalars runs of bytes, none of which reaches the end of the block
 * @param starts the first byte of each
 */
function areScalars(at: usize, a: v128, b: v128, c: v128, d: v128, scalars: u64, starts: u64): bool {
  const digits = Bits.digitsIn(a, b, c, d) & scalars;
  const zeros = Bits.zerosIn(a, b, c, d);
  if (digits === scalars) return (((starts & zeros) << 1) & digits) === 0;
  const minuses = Bits.minusesIn(a, b, c, d);
  let numbers = scalars;
  for (let words = starts & ~digits & ~minuses; words !== 0; words &= words - 1) {
    const place = ctz(words);
    const size = ctz(~(scalars >> place));
    if (!isWord(at + (place as usize), size as i32)) return false;
    numbers &= ~(Bits.below(size as i32) << place);
  }
  return areNumbers(a, b, c, d, numbers, starts & numbers, digits, zeros, minuses);
}

/** Whether this is `true`, `false` or `null`; reads no byte behind it. */
function isWord(at: usize, size: i32): bool {
  if (size === 4) return load<u32>(at) === TRUE || load<u32>(at) === NULL;
  return size === 5 && load<u8>(at) === LOWER_F && load<u32>(at, 1) === FALSE_TAIL;
}

/** Follows all numbers of a block through the grammar at once, with a mark in each. */
function areNumbers(
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  numbers: u64,
  starts: u64,
  digits: u64,
  zeros: u64,
  minuses: u64,
): bool {
  const first = (starts & ~minuses) | ((starts & minuses) << 1);
  if ((first & ~digits) !== 0 || (((first & zeros) << 1) & digits) !== 0) return false;
  let ends = Bits.behind(first, digits);
  if ((ends & numbers) === 0) return true;

  const dots = ends & Bits.dotsIn(a, b, c, d);
  const fractions = dots << 1;
  if ((fractions & ~digits) !== 0) return false;
  ends = (ends & ~dots) | Bits.behind(fractions, digits);
  if ((ends & numbers) === 0) return true;

  const exponents = ends & Bits.exponentsIn(a, b, c, d);
  const afterE = exponents << 1;
  const signs = afterE & (minuses | Bits.plusesIn(a, b, c, d));
  const powers = (afterE & ~signs) | (signs << 1);
  if ((powers & ~digits) !== 0) return false;
  ends = (ends & ~exponents) | Bits.behind(powers, digits);
  return (ends & numbers) === 0;
}
