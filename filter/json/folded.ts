import { LOWER_K, LOWER_S, lowerCase } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, between, length, limit, pointer } from '../bytes/span';
import { characterSize } from './text';

/** Stands for every character beyond ASCII but the two that fold into it; no name in UTF-8 has this byte alone. */
const WIDE: u8 = 0x80;
/** U+017F and U+212A, the characters beyond ASCII that Unicode's simple case folding maps into it; lowest byte first. */
const LONG_S: u32 = 0xbfc5;
const KELVIN: u32 = 0xaa84e2;

/**
 * A member's name as lax readers of JSON may take it, so that names which one of them could confuse have one form: cut
 * at NUL (C strings) and without regard to case (Go's encoding/json and others: CVE-2026-27896). Beyond ASCII all
 * characters are alike here: that calls two names alike too often, and never too seldom.
 */
export function folded(name: Span, arena: Arena): Span {
  const out = arena.allocate(length(name) as usize);
  let to = out;
  for (let at = pointer(name), end = limit(name); at < end;) {
    const c: u32 = load<u8>(at);
    if (c === 0) break;
    if (c < 0x80) {
      store<u8>(to++, lowerCase(c) as u8);
      at++;
      continue;
    }
    const size = max(characterSize(at, end), 1);
    const isLongS = size === 2 && (load<u16>(at) as u32) === LONG_S;
    const isKelvin = size === 3 && ((load<u16>(at) as u32) | ((load<u8>(at, 2) as u32) << 16)) === KELVIN;
    store<u8>(to++, isLongS ? LOWER_S : isKelvin ? LOWER_K : WIDE);
    at += size;
  }
  return between(out, to);
}
