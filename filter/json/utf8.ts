/**
 * UTF-8 (RFC 3629 §4) by looking up pairs of bytes: J. Keiser, D. Lemire, "Validating UTF-8 In Less Than One Instruction
 * Per Byte" (2021). Each bit below is a way in which two bytes in a row can be wrong; three tables tell by the halves of the
 * bytes in which ways they may be, and they are wrong where all three agree.
 */
/** A lead, then no continuation. */
const TOO_SHORT: u8 = 1 << 0;
/** ASCII, then a continuation. */
const TOO_LONG: u8 = 1 << 1;
const OVERLONG_3: u8 = 1 << 2;
const TOO_LARGE: u8 = 1 << 3;
const SURROGATE: u8 = 1 << 4;
const OVERLONG_2: u8 = 1 << 5;
const OVERLONG_4: u8 = 1 << 6;
/** Above U+13FFFF, its second byte 0x80 to 0x8f. */
const MUCH_TOO_LARGE: u8 = 1 << 6;
/** Two continuations; right where the lead of three or four bytes stands before. */
const CONTINUATIONS: u8 = 1 << 7;
/** What the lower half of the first byte does not tell. */
const ANY: u8 = TOO_SHORT | TOO_LONG | CONTINUATIONS;
const LARGE: u8 = ANY | TOO_LARGE | MUCH_TOO_LARGE;
const LEAD_4: u8 = TOO_SHORT | TOO_LARGE | MUCH_TOO_LARGE | OVERLONG_4;
const SECOND: u8 = TOO_LONG | OVERLONG_2 | CONTINUATIONS;
/** Taken off a byte, without going below zero, this leaves the highest bit in a lead of three bytes or more alone. */
const BEFORE_LEAD_3: u8 = 0xe0 - 0x80;
const BEFORE_LEAD_4: u8 = 0xf0 - 0x80;

class Pairs {
  /** Zero where the bytes of `block` and the three before them, the last of `before`, belong to right characters. */
  @inline
  static faults(before: v128, block: v128): v128 {
    const half = i8x16.splat(0x0f);
    const first = v128.shuffle<u8>(before, block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    const second = v128.shuffle<u8>(before, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    const third = v128.shuffle<u8>(before, block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
    // prettier-ignore
    const byUpperOfFirst = i8x16.swizzle(
      i8x16(
        TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
        CONTINUATIONS, CONTINUATIONS, CONTINUATIONS, CONTINUATIONS,
        TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, LEAD_4,
      ),
      v128.and(i16x8.shr_u(first, 4), half),
    );
    // prettier-ignore
    const byLowerOfFirst = i8x16.swizzle(
      i8x16(
        ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4, ANY | OVERLONG_2, ANY, ANY, ANY | TOO_LARGE, LARGE, LARGE, LARGE,
        LARGE, LARGE, LARGE, LARGE, LARGE, LARGE | SURROGATE, LARGE, LARGE,
      ),
      v128.and(first, half),
    );
    // prettier-ignore
    const byUpperOfSecond = i8x16.swizzle(
      i8x16(
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
        SECOND | OVERLONG_3 | MUCH_TOO_LARGE | OVERLONG_4, SECOND | OVERLONG_3 | TOO_LARGE,
        SECOND | SURROGATE | TOO_LARGE, SECOND | SURROGATE | TOO_LARGE,
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
      ),
      v128.and(i16x8.shr_u(block, 4), half),
    );
    const wrong = v128.and(v128.and(byUpperOfFirst, byLowerOfFirst), byUpperOfSecond);
    // 0x80 where a lead of three bytes stands two before, or one of four bytes three before: a second continuation is due.
    const due = v128.or(
      i8x16.sub_sat_u(second, i8x16.splat(BEFORE_LEAD_3)),
      i8x16.sub_sat_u(third, i8x16.splat(BEFORE_LEAD_4)),
    );
    return v128.xor(v128.and(due, i8x16.splat(CONTINUATIONS)), wrong);
  }
}

/** Whether 64 bytes are UTF-8, from the beginning of a character on; the last one may be unfinished. */
export function isUtf8(at: usize): bool {
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const c = v128.load(at, 32);
  const d = v128.load(at, 48);
  const all = v128.or(
    v128.or(Pairs.faults(i8x16.splat(0), a), Pairs.faults(a, b)),
    v128.or(Pairs.faults(b, c), Pairs.faults(c, d)),
  );
  return !v128.any_true(all);
}

/** How many of 64 bytes of UTF-8 are whole characters. */
export function wholeCharacters(at: usize): i32 {
  if (load<u8>(at, 63) >= 0xc0) return 63;
  if (load<u8>(at, 62) >= 0xe0) return 62;
  return load<u8>(at, 61) >= 0xf0 ? 61 : 64;
}
