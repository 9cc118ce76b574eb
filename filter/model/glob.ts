import { ASTERISK, QUESTION_MARK } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, between, length, limit, pointer } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/** `*` stands for any run of characters, the empty one too; `?` for one character; every other byte for itself. */
export const STAR: u8 = ASTERISK;
export const ANY: u8 = QUESTION_MARK;

/** No byte has this value. */
const NOTHING: u32 = 0x100;

/** Whether a pattern matches one name only: itself. */
export function isExact(pattern: Span): bool {
  return exactBytes(pattern) === length(pattern);
}

/** How many bytes stand before the first wildcard. */
export function exactBytes(pattern: Span): i32 {
  let at = pointer(pattern);
  while (at < limit(pattern) && load<u8>(at) !== STAR && load<u8>(at) !== ANY) at++;
  return (at - pointer(pattern)) as i32;
}

/** The same pattern with each run of wildcards in one form: what stands for one character first, then at most one star. */
export function simplified(pattern: Span, arena: Arena): Span {
  const writer = newWriter(arena, length(pattern) as usize);
  let hasStar = false;
  for (let at = pointer(pattern); at < limit(pattern); at++) {
    const byte = load<u8>(at);
    if (byte === STAR) hasStar = true;
    else {
      if (byte !== ANY && hasStar) {
        writer.byte(STAR);
        hasStar = false;
      }
      writer.byte(byte);
    }
  }
  return (hasStar ? writer.byte(STAR) : writer).written;
}

/**
 * Whether the pattern matches all of a text in UTF-8. What stands between two stars is put at the first place that fits
 * and never moved again, since a later star can take whatever a later place would have left: so a text of n bytes
 * against a pattern of m costs at most n × m steps, whoever wrote either (`*a*a*a*a*b` is no denial of service).
 */
export function matches(pattern: Span, text: Span): bool {
  return mayBegin(pattern, text) && endsAlike(pattern, text) && align(pattern, text, NOTHING);
}

/** Most names differ from most patterns in the first byte. */
function mayBegin(pattern: Span, text: Span): bool {
  if (length(pattern) === 0 || length(text) === 0) return true;
  const wanted = load<u8>(pointer(pattern));
  return wanted === load<u8>(pointer(text)) || wanted === STAR || wanted === ANY;
}

/**
 * Whether a text ends in what stands behind the last wildcard. Most names that a pattern such as `*_delete` does not match
 * are told by their last byte, where to put its stars would cost a look at each.
 */
function endsAlike(pattern: Span, text: Span): bool {
  let p = limit(pattern);
  let t = limit(text);
  while (p > pointer(pattern)) {
    const wanted = load<u8>(--p);
    if (wanted === STAR || wanted === ANY) return true;
    if (t === pointer(text) || load<u8>(--t) !== wanted) return false;
  }
  return true;
}

/**
 * Whether every text that the narrower pattern matches is matched by the wider: its wildcards are read as characters
 * that only a wildcard which is as wide can take. May say no where no one character tells them apart; never says yes
 * wrongly.
 */
export function covers(wider: Span, narrower: Span): bool {
  return align(wider, narrower, STAR);
}

/** @param spared a byte that `?` does not stand for */
function align(pattern: Span, text: Span, spared: u32): bool {
  const patternEnd = limit(pattern);
  const textEnd = limit(text);
  let p = pointer(pattern);
  let t = pointer(text);
  /** Behind the last star, and where that star ends for now. */
  let starP: usize = 0;
  let starT: usize = 0;
  while (p < patternEnd || t < textEnd) {
    const wanted: u32 = p < patternEnd ? load<u8>(p) : NOTHING;
    if (wanted === STAR) {
      if (++p === patternEnd) return true;
      starP = p;
      starT = t;
    } else if (t < textEnd && takes(wanted, load<u8>(t), spared)) {
      t = wanted === ANY ? behindCharacter(t, textEnd) : t + 1;
      p++;
    } else {
      if (starP === 0 || starT >= textEnd) return false;
      starT = behindCharacter(starT, textEnd);
      t = starT;
      p = starP;
    }
  }
  return true;
}

function takes(wanted: u32, found: u32, spared: u32): bool {
  return wanted === ANY ? found !== spared : found === wanted;
}

/** The address behind the character that begins here: its continuation bytes are 10xxxxxx (RFC 3629 §3). */
export function behindCharacter(at: usize, end: usize): usize {
  do at++;
  while (at < end && (load<u8>(at) & 0xc0) === 0x80);
  return at;
}

/** A part of a pattern that is a pattern itself. */
export function rest(pattern: Span, from: i32): Span {
  return between(pointer(pattern) + (from as usize), limit(pattern));
}
