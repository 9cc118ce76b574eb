import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluatePreconditions, ifRangeHolds } from '../../plugin-server/http/preconditions.ts';

const etag = '"5f53"';
const separator = fc.constantFrom(',', ', ', ' ,', ',\t', ', ,');
const foreignTag = fc
  .tuple(fc.constantFrom('', 'W/'), fc.stringMatching(/^[\x21\x23-\x7e]{0,8}$/))
  .map(([weakness, opaque]) => `${weakness}"${opaque}"`)
  .filter((tag) => !tag.endsWith(etag));
const foreignTags = fc.array(foreignTag, { maxLength: 4 });

test('if-none-match holds for any list without our tag', () => {
  fc.assert(
    fc.property(foreignTags, separator, (tags, comma) => {
      expect(evaluatePreconditions({ 'if-none-match': tags.join(comma) }, etag)).toBe('proceed');
      expect(evaluatePreconditions({ 'if-match': tags.join(comma) }, etag)).toBe('failed');
    }),
  );
});

test('our tag anywhere in a list, strong or weak, is not_modified; if-match wants it strong', () => {
  fc.assert(
    fc.property(foreignTags, foreignTags, separator, fc.boolean(), (before, after, comma, weak) => {
      const list = [...before, weak ? `W/${etag}` : etag, ...after].join(comma);
      expect(evaluatePreconditions({ 'if-none-match': list }, etag)).toBe('not_modified');
      expect(evaluatePreconditions({ 'if-match': list }, etag)).toBe(weak ? 'failed' : 'proceed');
    }),
  );
});

test('text of any kind decides on our tag only where it holds our tag', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(text.trim() !== '*' && !text.includes(etag));
      expect(evaluatePreconditions({ 'if-none-match': text }, etag)).toBe('proceed');
    }),
  );
});

test.each([
  ['no condition', {}, 'proceed'],
  ['any', { 'if-none-match': '*' }, 'not_modified'],
  ['any, padded', { 'if-none-match': ' * ' }, 'not_modified'],
  ['an unquoted tag', { 'if-none-match': '5f53' }, 'proceed'],
  ['an empty header', { 'if-none-match': '' }, 'proceed'],
  ['our tag after a malformed weakness', { 'if-none-match': 'w/"5f53"' }, 'not_modified'],
  ['if-match any', { 'if-match': '*' }, 'proceed'],
  ['if-match fails before if-none-match', { 'if-match': '"x"', 'if-none-match': '*' }, 'failed'],
  ['if-none-match after if-match', { 'if-match': '*', 'if-none-match': '*' }, 'not_modified'],
  [
    'dates',
    { 'if-modified-since': new Date().toUTCString(), 'if-unmodified-since': new Date(0).toUTCString() },
    'proceed',
  ],
])('%s', (_what, headers, expected) => {
  expect(evaluatePreconditions(headers, etag)).toBe(expected);
});

test.each([
  ['no header', undefined, true],
  ['our tag', etag, true],
  ['our tag, weak', `W/${etag}`, false],
  ['another tag', '"x"', false],
  ['a date', 'Wed, 21 Oct 2026 07:28:00 GMT', false],
  ['any, which if-range does not know', '*', false],
])('if-range with %s', (_what, header, expected) => {
  expect(ifRangeHolds(header, etag)).toBe(expected);
});
