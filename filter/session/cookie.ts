import { EQUALS_SIGN, SEMICOLON, SPACE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { readPairs } from '../bytes/pairs';
import { Span, after, equals, first, indexOf, length, limit, literal, pointer, trim, NONE } from '../bytes/span';

/** Bytes of name and value together, the sign between them included. Balancers need 20 to 200. */
export const MAX_COOKIE = 512;

const SET_COOKIE = literal('set-cookie');
const DELETE_CHARACTER: u8 = 0x7f;

/**
 * The cookie of that name that a response sets, as it is sent back: `NAME=value`. Of several the last holds (RFC 6265 §5.3).
 * NONE: there is none, it is empty, or no text of at most MAX_COOKIE bytes.
 * @param headers packed pairs, or NONE
 */
export function cookieIn(headers: Span, name: Span, arena: Arena): Span {
  let found: Span = NONE;
  if (headers === NONE || length(name) === 0) return found;
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    if (!equals(pairs.name, SET_COOKIE)) continue;
    const end = indexOf(pairs.value, SEMICOLON);
    const pair = trim(end < 0 ? pairs.value : first(pairs.value, end as u32));
    const equalsSign = indexOf(pair, EQUALS_SIGN);
    if (equalsSign < 0 || !equals(first(pair, equalsSign as u32), name)) continue;
    found = isSendable(pair, equalsSign as u32) ? pair : NONE;
  }
  return found;
}

function isSendable(pair: Span, equalsSign: u32): bool {
  if (length(pair) > MAX_COOKIE || length(after(pair, equalsSign + 1)) === 0) return false;
  for (let at = pointer(pair); at < limit(pair); at++) {
    const c = load<u8>(at);
    if (c < SPACE || c >= DELETE_CHARACTER) return false;
  }
  return true;
}
