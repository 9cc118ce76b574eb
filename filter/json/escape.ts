export function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

/** -1 where it is none. */
export function hexDigit(c: u32): i32 {
  if (isDigit(c)) return c - 0x30;
  c |= 0x20;
  return c - 0x61 < 6 ? c - 0x61 + 10 : -1;
}

/** What `\` and this byte stand for, or 0 (RFC 8259 §7; `u` is not among them). */
export function unescaped(c: u32): u32 {
  switch (c) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return c;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return 0;
  }
}
