import { DELETE, isDigit, isLetter, lowerCase, LOWER_S } from '../bytes/ascii';
import { Span, limit, pointer } from '../bytes/span';

const FNV_OFFSET: u64 = 0xcbf29ce484222325;
const FNV_PRIME: u64 = 0x100000001b3;
/** Bytes of a word whose "s" at the end may be that of a plural. */
const SHORTEST_PLURAL: usize = 4;

/** By byte: as a word has it, without regard to case; 0: it is of no word. */
const LETTERS = memory.data(256);
for (let c: u32 = 0; c < 256; c++) {
  if (isLetter(c) || isDigit(c) || c > (DELETE as u32)) store<u8>(LETTERS + (c as usize), lowerCase(c) as u8);
}

/**
 * The words of a text, each as a hash: runs of letters and digits without regard to case, where `camelCase` is two words,
 * an "s" at the end is left out, and every character of the scripts that write no spaces is a word of its own.
 */
@unmanaged
export class Words {
  /** A hash of the word that `next` has found. */
  hash: u64;
  private at: usize;
  private end: usize;

  begin(text: Span): void {
    this.at = pointer(text);
    this.end = limit(text);
  }

  next(): bool {
    let at = this.at;
    const end = this.end;
    while (at < end && letterAt(at) === 0) at++;
    if (at >= end) return false;
    if (isUnspaced(load<u8>(at))) return this.takeCharacter(at);
    const from = at;
    let hash = FNV_OFFSET;
    let before = hash;
    let isLower = false;
    for (; at < end; at++) {
      const c: u32 = load<u8>(at);
      const letter: u32 = load<u8>(LETTERS + (c as usize));
      if (letter === 0 || isUnspaced(c)) break;
      const isCapital = letter !== c;
      if (isCapital && at > from && (isLower || beginsWord(at + 1, end))) break;
      isLower = !isCapital;
      before = hash;
      hash = (hash ^ (letter as u64)) * FNV_PRIME;
    }
    this.at = at;
    const isPlural = at - from >= SHORTEST_PLURAL && letterAt(at - 1) === LOWER_S && letterAt(at - 2) !== LOWER_S;
    this.hash = isPlural ? before : hash;
    return true;
  }

  private takeCharacter(at: usize): bool {
    const end = min(at + 3, this.end);
    let hash = FNV_OFFSET;
    for (; at < end; at++) hash = (hash ^ (load<u8>(at) as u64)) * FNV_PRIME;
    this.at = at;
    this.hash = hash;
    return true;
  }
}

function letterAt(at: usize): u8 {
  return load<u8>(LETTERS + (load<u8>(at) as usize));
}

/** Whether a capital, with others before it, begins a word: `Status` in `HTTPStatus`, but not the end of `APIs`. */
function beginsWord(behind: usize, end: usize): bool {
  if (behind >= end || !isSmall(load<u8>(behind))) return false;
  return load<u8>(behind) !== LOWER_S || (behind + 1 < end && isSmall(load<u8>(behind + 1)));
}

function isSmall(c: u32): bool {
  return isLetter(c) && lowerCase(c) === c;
}

/** The first byte of a character from U+3000 to U+DFFF: kana, Han, Hangul. */
function isUnspaced(c: u32): bool {
  return c - 0xe3 <= 0xed - 0xe3;
}
