/** The characters of ASCII (RFC 20) that the gateway looks at or writes, by name. */
export const TAB: u8 = 0x09;
export const LINE_FEED: u8 = 0x0a;
export const CARRIAGE_RETURN: u8 = 0x0d;
export const SPACE: u8 = 0x20;
export const QUOTE: u8 = 0x22;
export const HASH: u8 = 0x23;
export const PERCENT: u8 = 0x25;
export const AMPERSAND: u8 = 0x26;
export const ASTERISK: u8 = 0x2a;
export const PLUS: u8 = 0x2b;
export const COMMA: u8 = 0x2c;
export const HYPHEN: u8 = 0x2d;
export const DOT: u8 = 0x2e;
export const SLASH: u8 = 0x2f;
export const ZERO: u8 = 0x30;
export const COLON: u8 = 0x3a;
export const SEMICOLON: u8 = 0x3b;
export const LESS_THAN: u8 = 0x3c;
export const EQUALS_SIGN: u8 = 0x3d;
export const GREATER_THAN: u8 = 0x3e;
export const QUESTION_MARK: u8 = 0x3f;
export const AT_SIGN: u8 = 0x40;
export const OPENING_BRACKET: u8 = 0x5b;
export const BACKSLASH: u8 = 0x5c;
export const CLOSING_BRACKET: u8 = 0x5d;
export const UNDERSCORE: u8 = 0x5f;
export const OPENING_BRACE: u8 = 0x7b;
export const CLOSING_BRACE: u8 = 0x7d;
export const TILDE: u8 = 0x7e;
export const DELETE: u8 = 0x7f;
export const UPPER_A: u8 = 0x41;
export const LOWER_A: u8 = 0x61;
export const LOWER_B: u8 = 0x62;
export const LOWER_C: u8 = 0x63;
export const LOWER_E: u8 = 0x65;
export const LOWER_F: u8 = 0x66;
export const LOWER_I: u8 = 0x69;
export const LOWER_K: u8 = 0x6b;
export const LOWER_M: u8 = 0x6d;
export const LOWER_N: u8 = 0x6e;
export const LOWER_O: u8 = 0x6f;
export const LOWER_P: u8 = 0x70;
export const LOWER_R: u8 = 0x72;
export const LOWER_S: u8 = 0x73;
export const LOWER_T: u8 = 0x74;
export const LOWER_U: u8 = 0x75;
export const LOWER_V: u8 = 0x76;
export const LOWER_X: u8 = 0x78;
export const LOWER_Z: u8 = 0x7a;

/** By how much the small letter is above the capital one. */
const CASE: u32 = 0x20;

/** Has ink: what may stand in a header or a path without changing its meaning (RFC 9110 §5.5). */
export function isVisible(c: u32): bool {
  return c > SPACE && c < DELETE;
}

export function isDigit(c: u32): bool {
  return c - ZERO < 10;
}

/** A letter of either case. */
export function isLetter(c: u32): bool {
  return (c | CASE) - LOWER_A < 26;
}

export function lowerCase(c: u32): u32 {
  return c - UPPER_A < 26 ? c | CASE : c;
}

/** What a hexadecimal digit of either case stands for; -1 where it is none. */
export function hexValue(c: u32): i32 {
  if (isDigit(c)) return c - ZERO;
  const letter = (c | CASE) - LOWER_A;
  return letter < 6 ? letter + 10 : -1;
}

/** The digit for 0 to 15, in lower case. */
export function hexDigit(value: u32): u8 {
  return (value < 10 ? ZERO + value : LOWER_A - 10 + value) as u8;
}

/** RFC 9110 §5.6.2, `tchar`. */
export function isTokenCharacter(c: u32): bool {
  if (isDigit(c) || isLetter(c)) return true;
  switch (c) {
    case 0x21:
    case HASH:
    case 0x24:
    case PERCENT:
    case AMPERSAND:
    case 0x27:
    case ASTERISK:
    case PLUS:
    case HYPHEN:
    case DOT:
    case 0x5e:
    case UNDERSCORE:
    case 0x60:
    case 0x7c:
    case TILDE:
      return true;
    default:
      return false;
  }
}
