import { DELETE, SPACE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { readPairs } from '../bytes/pairs';
import { Span, equals, length, limit, pointer, NONE } from '../bytes/span';

/**
 * Whether a claim's bytes can be the text of a string. The host gives no type along: a list or an object comes with
 * lengths in binary, true and false as one byte, so what holds a control character is no name of anybody. See
 * `mayBeNumber` for the one type that can look like text.
 */
export function isSubject(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) {
    if (load<u8>(at) < SPACE || load<u8>(at) === DELETE) return false;
  }
  return length(text) > 0;
}

/** Whether a claim's bytes may be a double as well as text: two numbers can share one, so it names nobody. */
export function mayBeNumber(text: Span): bool {
  return length(text) === 8;
}

/** The subject in a header of an earlier filter, or NONE: of two values one may be the client's. */
export function subjectIn(headers: Span, name: Span, arena: Arena): Span {
  let found = NONE;
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    if (!equals(pairs.name, name)) continue;
    if (found !== NONE) return NONE;
    found = pairs.value;
  }
  return isSubject(found) ? found : NONE;
}
