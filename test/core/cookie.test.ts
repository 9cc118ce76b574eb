// The cookie of a balancer: what is sent of it after an answer that sets it, anew, or takes it away.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance, NONE } from './core.ts';

const core = instance();
const OTHER = 'other=1; Path=/';
const MOST = 512;

function cookieBehind(before: string | undefined, ...set: [string, string]): string | undefined {
  const known = before === undefined ? NONE : core.span(before);
  const cookie = core.text('cookieBehind', ...known, ...core.span(set[0]), ...core.span(set[1]));
  core.clear();
  return cookie;
}

test.each([
  ['LB=a; Path=/; HttpOnly', 'LB=a'],
  ['LB=a', 'LB=a'],
  ['LB=a;', 'LB=a'],
  ['LB=a=b', 'LB=a=b'],
  [' LB=a ; Max-Age=60', 'LB=a'],
  ['LB=a; Max-Age=x; Expires=Wed, 21 Oct 2099 07:28:00 GMT', 'LB=a'],
  ['LB=a; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'LB=a'],
  ['LB=a; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60', 'LB=a'],
  ['LB=a; Max-Age=0; Max-Age=60', 'LB=a'],
  ['LB=a; Max-Age=60; Max-Age=0', undefined],
  ['LB=a; Max-Age=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT', undefined],
  ['LB=a; Max-Age=-; Path=/', 'LB=a'],
  ['LB=a; Max-Age=-x; Path=/', 'LB=a'],
  ['LB=a; Max-Age', 'LB=a'],
  ['LB=a; Max-Age =0', undefined],
  ['LB=', undefined],
  ['LB=; Path=/', undefined],
  ['LB=a; Max-Age=0', undefined],
  ['LB=a; Path=/; max-age=-1', undefined],
  ['LB=a; MAX-AGE=00 ; Path=/', undefined],
  ['LB=a; Expires=Thu, 01 Jan 1970 00:00:00 GMT', undefined],
  ['LB=a; expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/', undefined],
  ['lb=a', 'LB=old'],
  ['LBX=a', 'LB=old'],
  ['LB', 'LB=old'],
  ['LB; LB=a', 'LB=old'],
  ['', 'LB=old'],
  ['LB=\u00e9', 'LB=old'],
  ['LB=a\tb', 'LB=old'],
  [`LB=${'x'.repeat(MOST - 3)}`, `LB=${'x'.repeat(MOST - 3)}`],
  [`LB=${'x'.repeat(MOST - 2)}`, 'LB=old'],
])('after %j it is %j', (set, cookie) => {
  expect(cookieBehind('LB=old', OTHER, set)).toBe(cookie);
  expect(cookieBehind(undefined, set, OTHER)).toBe(cookie === 'LB=old' ? undefined : cookie);
});

test('of several the last holds', () => {
  expect(cookieBehind('LB=old', 'LB=a', 'LB=b')).toBe('LB=b');
  expect(cookieBehind('LB=old', 'LB=a', 'LB=; Max-Age=0')).toBeUndefined();
  expect(cookieBehind('LB=old', 'LB=; Max-Age=0', 'LB=b')).toBe('LB=b');
});

test('whatever is set, what is sent is one cookie of that name', () => {
  const text = fc.string({ unit: 'binary-ascii', maxLength: 40 });
  const set = fc.oneof(
    text,
    text.map((value) => `LB=${value}`),
    fc.tuple(text, text).map(([value, age]) => `LB=${value}; Max-Age=${age}`),
  );
  fc.assert(
    fc.property(fc.option(fc.constant('LB=old'), { nil: undefined }), set, set, (before, first, second) => {
      const cookie = cookieBehind(before, first, second);
      if (cookie !== undefined) expect(cookie).toMatch(/^LB=[\x20-\x3a\x3c-\x7e]+$/);
    }),
  );
});
