import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSING_BRACE,
  COLON,
  COMMA,
  DOT,
  HYPHEN,
  LINE_FEED,
  LOWER_A,
  LOWER_E,
  LOWER_U,
  OPENING_BRACE,
  PLUS,
  QUOTE,
  SPACE,
  TAB,
  ZERO,
} from '../bytes/ascii';

/** Bytes that are looked at at once. */
export const BLOCK: usize = 64;

const EVERY_SECOND: u64 = 0xaaaaaaaaaaaaaaaa;
const CASE_BIT: u8 = 0x20;

/**
 * Questions to 64 bytes, asked of all of them at once. The bytes are four vectors, `a` the first 16 of them. The answer is
 * a mask: bit n is what is true of byte n.
 * Static methods, as only these can be inlined.
 */
export class Bits {
  /** The highest bits of the bytes. */
  @inline
  static highBits(a: v128, b: v128, c: v128, d: v128): u64 {
    const first = (i8x16.bitmask(a) as u32) | ((i8x16.bitmask(b) as u32) << 16);
    const second = (i8x16.bitmask(c) as u32) | ((i8x16.bitmask(d) as u32) << 16);
    return (first as u64) | ((second as u64) << 32);
  }

  @inline
  private static equalTo(byte: u8, a: v128, b: v128, c: v128, d: v128): u64 {
    const all = i8x16.splat(byte);
    return Bits.highBits(i8x16.eq(a, all), i8x16.eq(b, all), i8x16.eq(c, all), i8x16.eq(d, all));
  }

  /** As equalTo, of the byte and of the one that is the same but for 0x20: capital letters, `[` for `{`, `]` for `}`. */
  @inline
  private static equalInCase(byte: u8, a: v128, b: v128, c: v128, d: v128): u64 {
    const bit = i8x16.splat(CASE_BIT);
    return Bits.equalTo(byte, v128.or(a, bit), v128.or(b, bit), v128.or(c, bit), v128.or(d, bit));
  }

  /** Those from `least` on, `count` of them. */
  @inline
  private static within(least: u8, count: u8, a: v128, b: v128, c: v128, d: v128): u64 {
    const from = i8x16.splat(least);
    const most = i8x16.splat(count);
    return Bits.highBits(
      i8x16.lt_u(i8x16.sub(a, from), most),
      i8x16.lt_u(i8x16.sub(b, from), most),
      i8x16.lt_u(i8x16.sub(c, from), most),
      i8x16.lt_u(i8x16.sub(d, from), most),
    );
  }

  @inline
  static quotesIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(QUOTE, a, b, c, d);
  }
  @inline
  static backslashesIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(BACKSLASH, a, b, c, d);
  }
  @inline
  static opensIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalInCase(OPENING_BRACE, a, b, c, d);
  }
  @inline
  static closesIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalInCase(CLOSING_BRACE, a, b, c, d);
  }
  @inline
  static commasIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(COMMA, a, b, c, d);
  }
  @inline
  static colonsIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(COLON, a, b, c, d);
  }
  @inline
  static blanksIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(SPACE, a, b, c, d);
  }
  @inline
  static zerosIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(ZERO, a, b, c, d);
  }
  @inline
  static minusesIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(HYPHEN, a, b, c, d);
  }
  @inline
  static plusesIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(PLUS, a, b, c, d);
  }
  @inline
  static dotsIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(DOT, a, b, c, d);
  }
  @inline
  static exponentsIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalInCase(LOWER_E, a, b, c, d);
  }
  @inline
  static unitsIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.equalTo(LOWER_U, a, b, c, d);
  }
  @inline
  static digitsIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.within(ZERO, 10, a, b, c, d);
  }

  /** Line ends and tabulators. */
  @inline
  static breaksIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return (
      Bits.equalTo(LINE_FEED, a, b, c, d) | Bits.equalTo(CARRIAGE_RETURN, a, b, c, d) | Bits.equalTo(TAB, a, b, c, d)
    );
  }

  /** The bytes of a vector which do not stand for themselves in a string: quotes, backslashes, control characters, no ASCII. */
  @inline
  static stopsIn(block: v128): v128 {
    const marks = v128.or(i8x16.eq(block, i8x16.splat(QUOTE)), i8x16.eq(block, i8x16.splat(BACKSLASH)));
    // Signed: bytes from 0x80 on are negative, so one comparison finds them and the control characters.
    return v128.or(marks, i8x16.lt_s(block, i8x16.splat(SPACE)));
  }

  /** As stopsIn, without what is no ASCII. */
  @inline
  static marksIn(block: v128): v128 {
    const marks = v128.or(i8x16.eq(block, i8x16.splat(QUOTE)), i8x16.eq(block, i8x16.splat(BACKSLASH)));
    return v128.or(marks, i8x16.lt_u(block, i8x16.splat(SPACE)));
  }

  /** Bytes below 0x20, and those from 0x80 on: a signed comparison finds both. */
  @inline
  static unprintableIn(a: v128, b: v128, c: v128, d: v128): u64 {
    const space = i8x16.splat(SPACE);
    return Bits.highBits(i8x16.lt_s(a, space), i8x16.lt_s(b, space), i8x16.lt_s(c, space), i8x16.lt_s(d, space));
  }

  @inline
  static hexDigitsIn(a: v128, b: v128, c: v128, d: v128): u64 {
    const bit = i8x16.splat(CASE_BIT);
    return (
      Bits.digitsIn(a, b, c, d) |
      Bits.within(LOWER_A, 6, v128.or(a, bit), v128.or(b, bit), v128.or(c, bit), v128.or(d, bit))
    );
  }

  /** What may follow a backslash: `"\/bfnrtu`, found by the upper and the lower half of the byte. */
  @inline
  private static isEscapable(block: v128): v128 {
    // A bit for each upper half that has such letters: 2x, 5x, 6x, 7x.
    const uppers = i8x16(0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    const lowers = i8x16(0, 0, 1 | 4 | 8, 0, 8, 8, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1);
    const half = i8x16.splat(0x0f);
    const upper = i8x16.swizzle(uppers, v128.and(i16x8.shr_u(block, 4), half));
    const lower = i8x16.swizzle(lowers, v128.and(block, half));
    return i8x16.ne(v128.and(upper, lower), i8x16.splat(0));
  }

  @inline
  static escapablesIn(a: v128, b: v128, c: v128, d: v128): u64 {
    return Bits.highBits(Bits.isEscapable(a), Bits.isEscapable(b), Bits.isEscapable(c), Bits.isEscapable(d));
  }

  /** What stands behind a backslash that is itself not escaped; the byte before the block is none. */
  @inline
  static escapedBy(backslashes: u64): u64 {
    // A run of backslashes that begins at an even place ends the subtraction at an odd one, and the other way round (the way
    // of simdjson).
    return (((backslashes << 1) | EVERY_SECOND) - backslashes) ^ EVERY_SECOND ^ backslashes;
  }

  /** Bit n: whether an odd number of bits is set from 0 up to n. */
  @inline
  static parityUpTo(mask: u64): u64 {
    mask ^= mask << 1;
    mask ^= mask << 2;
    mask ^= mask << 4;
    mask ^= mask << 8;
    mask ^= mask << 16;
    return mask ^ (mask << 32);
  }

  /** Moves each mark that stands at the beginning of a run behind the run; others stay. What leaves the block is lost. */
  @inline
  static behind(marks: u64, runs: u64): u64 {
    return (marks + runs) & ~runs;
  }

  /** The bits below this one, of 64. */
  @inline
  static below(bit: i32): u64 {
    return bit === 64 ? ~0 : ((1 as u64) << bit) - 1;
  }
}
