import {
  BACKSLASH,
  CARRIAGE_RETURN,
  LINE_FEED,
  LOWER_B,
  LOWER_F,
  LOWER_N,
  LOWER_R,
  LOWER_T,
  QUOTE,
  SLASH,
  TAB,
} from '../bytes/ascii';

/** What `\` and this byte stand for, or 0 (RFC 8259 §7; `u` is not among them). */
export function unescaped(c: u32): u32 {
  switch (c) {
    case QUOTE:
    case BACKSLASH:
    case SLASH:
      return c;
    case LOWER_B:
      return 0x08;
    case LOWER_F:
      return 0x0c;
    case LOWER_N:
      return LINE_FEED;
    case LOWER_R:
      return CARRIAGE_RETURN;
    case LOWER_T:
      return TAB;
    default:
      return 0;
  }
}
