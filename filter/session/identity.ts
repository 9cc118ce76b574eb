import { Arena } from '../bytes/arena';
import { readPairs } from '../bytes/pairs';
import { Span, equals, length, limit, pointer, NONE } from '../bytes/span';

/**
 * Whether a claim's bytes are the text of a string. The host gives no type along: a number comes as eight bytes of a
 * double, a list or an object with lengths in binary, so what holds a control character is no name of anybody.
 */
export function isSubject(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) {
    if (load<u8>(at) < 0x20 || load<u8>(at) === 0x7f) return false;
  }
  return length(text) > 0;
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
