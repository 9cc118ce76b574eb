import { EQUALS_SIGN } from './ascii';
import { Arena } from './arena';
import { Span, length, pointer, span, NONE } from './span';

/**
 * base64 and base64url (RFC 4648 §4, §5). Decoding is strict, so that bytes have exactly one spelling (§3.5, §12): a
 * session must not have several names.
 *
 *     three bytes     │ aaaaaabb │ bbbbcccc │ ccdddddd │
 *     four characters │ 00aaaaaa │ 00bbbbbb │ 00cccccc │ 00dddddd │
 */
const URL = changetype<usize>('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const STANDARD = changetype<usize>('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/** What each of the 256 bytes stands for as a character of an alphabet, or INVALID. */
const URL_VALUES = memory.data(256);
const STANDARD_VALUES = memory.data(256);

/** The two bits that no value has. */
const INVALID: u32 = 0xc0;

memory.fill(URL_VALUES, INVALID as u8, 256);
memory.fill(STANDARD_VALUES, INVALID as u8, 256);
for (let bits: u32 = 0; bits < 64; bits++) {
  store<u8>(URL_VALUES + (letter(URL, bits) as usize), bits as u8);
  store<u8>(STANDARD_VALUES + (letter(STANDARD, bits) as usize), bits as u8);
}

/** In base64 with padding. */
export function standardText(bytes: Span, arena: Arena): Span {
  const count = length(bytes);
  const padded = ((count + 2) / 3) * 4;
  const out = arena.allocate(padded as usize);
  const written = encode(pointer(bytes), count, out, STANDARD);
  memory.fill(out + (written as usize), EQUALS_SIGN, (padded - written) as usize);
  return span(out, padded as u32);
}

/** What base64 with padding stands for, or NONE. */
export function bytesOfStandard(text: Span, arena: Arena): Span {
  let count = length(text);
  if (count % 4 !== 0) return NONE;
  for (
    let padding = 0;
    padding < 2 && count > 0 && load<u8>(pointer(text) + (count as usize) - 1) === EQUALS_SIGN;
    padding++
  ) {
    count--;
  }
  const out = arena.allocate(count as usize);
  const written = decode(pointer(text), count, out, STANDARD_VALUES);
  return written < 0 ? NONE : span(out, written as u32);
}

export function encodedLength(length: i32): i32 {
  // Not `length * 4 / 3`, which overflows.
  const rest = length % 3;
  return (length / 3) * 4 + (rest === 0 ? 0 : rest + 1);
}

/** Returns `encodedLength(length)`, the characters written to `out`, without padding; base64url unless said otherwise. */
export function encode(bytes: usize, length: i32, out: usize, alphabet: usize = URL): i32 {
  const rest = (length as usize) % 3;
  const from = out;
  for (const end = bytes + (length as usize) - rest; bytes < end; bytes += 3, out += 4) {
    const group = ((load<u8>(bytes) as u32) << 16) | ((load<u8>(bytes, 1) as u32) << 8) | (load<u8>(bytes, 2) as u32);
    store<u32>(
      out,
      letter(alphabet, group >> 18) |
        (letter(alphabet, group >> 12) << 8) |
        (letter(alphabet, group >> 6) << 16) |
        (letter(alphabet, group) << 24),
    );
  }
  if (rest === 1) {
    const group = (load<u8>(bytes) as u32) << 4;
    store<u16>(out, (letter(alphabet, group >> 6) | (letter(alphabet, group) << 8)) as u16);
    out += 2;
  } else if (rest === 2) {
    const group = ((load<u8>(bytes) as u32) << 10) | ((load<u8>(bytes, 1) as u32) << 2);
    store<u16>(out, (letter(alphabet, group >> 12) | (letter(alphabet, group >> 6) << 8)) as u16);
    store<u8>(out, letter(alphabet, group) as u8, 2);
    out += 3;
  }
  return (out - from) as i32;
}

/**
 * Returns the bytes written to `out`, which may be `text`: or -1, and then what `out` holds means nothing, for a
 * character outside the alphabet (padding too), a length that no bytes have, or set bits behind the last byte.
 */
export function decode(text: usize, length: i32, out: usize, values: usize = URL_VALUES): i32 {
  const rest = (length as usize) & 3;
  const from = out;
  // Gathered over the whole text: one branch at the end.
  let seen: u32 = 0;
  for (const end = text + (length as usize) - rest; text < end; text += 4, out += 3) {
    const a = value(values, text);
    const b = value(values, text + 1);
    const c = value(values, text + 2);
    const d = value(values, text + 3);
    seen |= a | b | c | d;
    const group = (a << 18) | (b << 12) | (c << 6) | d;
    store<u8>(out, (group >> 16) as u8);
    store<u8>(out, (group >> 8) as u8, 1);
    store<u8>(out, group as u8, 2);
  }
  if (rest === 1) return -1;
  if (rest > 1) {
    const a = value(values, text);
    const b = value(values, text + 1);
    const c = rest === 3 ? value(values, text + 2) : 0;
    seen |= a | b | c;
    const group = (a << 12) | (b << 6) | c;
    if ((group & (rest === 3 ? 0x3 : 0x3ff)) !== 0) return -1;
    store<u8>(out++, (group >> 10) as u8);
    if (rest === 3) store<u8>(out++, (group >> 2) as u8);
  }
  return (seen & INVALID) === 0 ? ((out - from) as i32) : -1;
}

/** The character for the six low bits; a string constant has two bytes for each. */
function letter(alphabet: usize, bits: u32): u32 {
  return load<u8>(alphabet + (((bits & 0x3f) as usize) << 1)) as u32;
}

function value(values: usize, at: usize): u32 {
  return load<u8>(values + (load<u8>(at) as usize)) as u32;
}
