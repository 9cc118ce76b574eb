import { expect, test } from 'vitest';
import { passesRules } from '../../cli/start/rules.ts';

test.each([
  [undefined, 'x', true],
  [{ allow: [] }, 'x', false],
  [{ allow: ['get_*'] }, 'get_', true],
  [{ allow: ['get_*'] }, 'set', false],
  [{ allow: ['*a*b?'] }, 'xaabbc', true],
  [{ allow: ['*a*b?'] }, 'xaabb', true],
  [{ allow: ['*a*b?'] }, 'xaab', false],
  [{ allow: ['?'] }, '😀', true],
  [{ allow: ['a.c'] }, 'abc', false],
  [{ deny: ['*_delete'] }, 'a_delete', false],
  [{ allow: ['*'], deny: ['x'] }, 'x', false],
  [{ allow: ['*'], deny: ['x'] }, 'y', true],
])('%j, %s: %s', (rules, tool, passes) => {
  expect(passesRules(rules, tool)).toBe(passes);
});

test('a pattern with many wildcards is as quick as its length allows', () => {
  expect(passesRules({ allow: [`${'*a'.repeat(2_000)}b`] }, 'a'.repeat(5_000))).toBe(false);
});
