import { scratch } from '../../../filter/bytes/arena';
import { newHeaderList } from '../../../filter/bytes/pairs';
import { Span, literal, span, NONE } from '../../../filter/bytes/span';
import { cookieAfter } from '../../../filter/session/cookie';

const SET_COOKIE = literal('set-cookie');
const NAME = literal('LB');

/** What is sent of the cookie `LB` behind two `set-cookie` headers, or NONE. @param beforeCount 0: there was none */
export function cookieBehind(
  before: usize,
  beforeCount: u32,
  first: usize,
  firstCount: u32,
  second: usize,
  secondCount: u32,
): Span {
  scratch.reset();
  const headers = newHeaderList(scratch)
    .add(SET_COOKIE, span(first, firstCount))
    .add(SET_COOKIE, span(second, secondCount));
  return cookieAfter(headers.packed(), NAME, beforeCount === 0 ? NONE : span(before, beforeCount), scratch);
}
