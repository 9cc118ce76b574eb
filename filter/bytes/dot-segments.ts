import { BACKSLASH, DOT, LOWER_C, LOWER_E, LOWER_F, PERCENT, SLASH } from './ascii';
import { Span, limit, pointer } from './span';

/** Bytes of an escape such as `%2e`. */
const ESCAPE: usize = 3;

/**
 * Whether a part of a path is `.` or `..`: who resolves them asks for another resource (RFC 3986 §5.2.4). Dots and slashes
 * count as escapes, too, and a backslash as a slash, since there are readers to whom they are the same.
 */
export function hasDotSegment(path: Span): bool {
  let dots = 0;
  let isDots = true;
  const end = limit(path);
  for (let at = pointer(path); at < end;) {
    const slash = slashSize(at, end);
    if (slash > 0) {
      if (isDots && (dots === 1 || dots === 2)) return true;
      dots = 0;
      isDots = true;
      at += slash;
      continue;
    }
    const dot = dotSize(at, end);
    if (dot > 0) dots++;
    else isDots = false;
    at += max(dot, 1);
  }
  return isDots && (dots === 1 || dots === 2);
}

/** Bytes of the slash that stands here; 0: there is none. */
function slashSize(at: usize, end: usize): usize {
  const c = load<u8>(at);
  if (c === SLASH || c === BACKSLASH) return 1;
  return isEscape(at, end, 0x32, LOWER_F) || isEscape(at, end, 0x35, LOWER_C) ? ESCAPE : 0;
}

/** The same of a dot. */
function dotSize(at: usize, end: usize): usize {
  if (load<u8>(at) === DOT) return 1;
  return isEscape(at, end, 0x32, LOWER_E) ? ESCAPE : 0;
}

/** @param low the second digit, a letter in lower case */
function isEscape(at: usize, end: usize, high: u8, low: u8): bool {
  return at + ESCAPE <= end && load<u8>(at) === PERCENT && load<u8>(at, 1) === high && (load<u8>(at, 2) | 0x20) === low;
}
