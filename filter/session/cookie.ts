import { DELETE, EQUALS_SIGN, HYPHEN, SEMICOLON, SPACE, ZERO, isDigit } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { readPairs } from '../bytes/pairs';
import {
  Span,
  after,
  contains,
  equals,
  equalsIgnoringCase,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  trim,
  NONE,
} from '../bytes/span';

/** Bytes of name and value together, the sign between them included. Balancers need 20 to 200. */
export const MAX_COOKIE = 512;

const SET_COOKIE = literal('set-cookie');
const MAX_AGE = literal('max-age');
const EXPIRES = literal('expires');
/** The year of the date by which servers take a cookie away, `Thu, 01 Jan 1970 00:00:00 GMT` in one of its forms. */
const LONG_AGO = literal('1970');

/**
 * The cookie of that name that is to be sent once this response was seen, `NAME=value`; NONE: none. Of several that the
 * response sets the last holds (RFC 6265 §5.3). One that is no text of at most MAX_COOKIE bytes changes nothing.
 * @param headers packed pairs, or NONE
 * @param before the cookie until now, or NONE; returned as it is where the response changes nothing
 */
export function cookieAfter(headers: Span, name: Span, before: Span, arena: Arena): Span {
  let cookie = before;
  if (headers === NONE || length(name) === 0) return cookie;
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    if (!equals(pairs.name, SET_COOKIE)) continue;
    const pair = trim(head(pairs.value));
    const equalsSign = indexOf(pair, EQUALS_SIGN);
    if (equalsSign < 0 || !equals(first(pair, equalsSign as u32), name)) continue;
    if (equalsSign + 1 === length(pair) || isTakenAway(tail(pairs.value))) cookie = NONE;
    else if (isSendable(pair)) cookie = pair;
  }
  return cookie;
}

/** Up to the first semicolon. */
function head(text: Span): Span {
  const end = indexOf(text, SEMICOLON);
  return end < 0 ? text : first(text, end as u32);
}

/** Behind the first semicolon; NONE: there is none. */
function tail(text: Span): Span {
  const end = indexOf(text, SEMICOLON);
  return end < 0 ? NONE : after(text, (end as u32) + 1);
}

/**
 * Max-Age counts before Expires, and of several the last (RFC 6265 §5.3); one that is no number is none.
 * @param attributes what stands behind the value, or NONE
 */
function isTakenAway(attributes: Span): bool {
  let age = NONE;
  let isPast: bool = false;
  for (let rest = attributes; rest !== NONE; rest = tail(rest)) {
    const attribute = trim(head(rest));
    const equalsSign = indexOf(attribute, EQUALS_SIGN);
    if (equalsSign < 0) continue;
    const name = trim(first(attribute, equalsSign as u32));
    const value = trim(after(attribute, (equalsSign as u32) + 1));
    if (equalsIgnoringCase(name, MAX_AGE)) {
      if (isAge(value)) age = value;
    } else if (equalsIgnoringCase(name, EXPIRES)) isPast = contains(value, LONG_AGO);
  }
  return age === NONE ? isPast : isOver(age);
}

function isAge(value: Span): bool {
  let at = pointer(value);
  if (length(value) > 1 && load<u8>(at) === HYPHEN) at++;
  if (at === limit(value)) return false;
  for (; at < limit(value); at++) if (!isDigit(load<u8>(at))) return false;
  return true;
}

/** Whether an age in seconds is none, or less. */
function isOver(age: Span): bool {
  if (load<u8>(pointer(age)) === HYPHEN) return true;
  for (let at = pointer(age); at < limit(age); at++) if (load<u8>(at) !== ZERO) return false;
  return true;
}

function isSendable(pair: Span): bool {
  if (length(pair) > MAX_COOKIE) return false;
  for (let at = pointer(pair); at < limit(pair); at++) {
    const c = load<u8>(at);
    if (c < SPACE || c >= DELETE) return false;
  }
  return true;
}
