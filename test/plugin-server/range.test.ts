import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRange } from '../../plugin-server/http/range.ts';

const size = fc.integer({ min: 1, max: 40 });
const position = fc.integer({ min: 0, max: 60 });

/** The bytes 0, 1, 2 … of a representation that a parsed range selects. */
function selected(header: string, length: number): number[] | string {
  const range = parseRange(header, length);
  const all = Array.from({ length }, (_, index) => index);
  return typeof range === 'string' ? range : all.slice(range.first, range.last + 1);
}

describe('a single range', () => {
  test('first-last selects the bytes from first to last that exist', () => {
    fc.assert(
      fc.property(size, position, position, (length, first, last) => {
        const wanted = Array.from({ length }, (_, index) => index).filter((index) => index >= first && index <= last);
        const expected = last < first ? 'whole' : wanted.length > 0 ? wanted : 'unsatisfiable';
        expect(selected(`bytes=${first}-${last}`, length)).toEqual(expected);
      }),
    );
  });

  test('first- selects all from first on', () => {
    fc.assert(
      fc.property(size, position, (length, first) => {
        expect(selected(`bytes=${first}-`, length)).toEqual(selected(`bytes=${first}-${length + first}`, length));
      }),
    );
  });

  test('-length selects the last bytes, at most all', () => {
    fc.assert(
      fc.property(size, position, (length, suffix) => {
        const wanted = Array.from({ length }, (_, index) => index).slice(-suffix || length);
        expect(selected(`bytes=-${suffix}`, length)).toEqual(wanted.length > 0 ? wanted : 'unsatisfiable');
      }),
    );
  });
});

test('whatever the range header is (RFC 9110 §14), the answer lies within the representation', () => {
  const pieces = fc.constantFrom(
    'bytes',
    'Bytes',
    '=',
    '-',
    ',',
    ' ',
    '\t',
    '0',
    '7',
    '99999999999999999999',
    'e',
    '+',
    '.',
  );
  const header = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 10 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(header, size, (text, length) => {
      const range = parseRange(text, length);
      if (typeof range === 'string') return ['whole', 'unsatisfiable'].includes(range);
      return range.first >= 0 && range.first <= range.last && range.last < length && Number.isInteger(range.last);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['no header', undefined, 'whole'],
  ['another unit', 'lines=0-1', 'whole'],
  ['no unit', '0-1', 'whole'],
  ['no set', 'bytes', 'whole'],
  ['an empty set', 'bytes=', 'whole'],
  ['two ranges', 'bytes=0-1,3-4', 'whole'],
  ['a lone dash', 'bytes=-', 'whole'],
  ['a sign', 'bytes=+1-2', 'whole'],
  ['a fraction', 'bytes=0.5-2', 'whole'],
  ['hex', 'bytes=0x1-2', 'whole'],
  ['two equals signs', 'bytes=0-1=', 'whole'],
  ['an inner space', 'bytes=0 -1', 'whole'],
  ['a unit in capitals', 'BYTES=0-1', { first: 0, last: 1 }],
  ['empty list elements', 'bytes= ,0-1 ,', { first: 0, last: 1 }],
  ['an end beyond 2^53', 'bytes=2-99999999999999999999', { first: 2, last: 9 }],
  ['a start beyond 2^53', 'bytes=99999999999999999999-', 'unsatisfiable'],
  ['a number too large for a double', `bytes=0-${'9'.repeat(400)}`, { first: 0, last: 9 }],
  ['the first byte after the end', 'bytes=10-', 'unsatisfiable'],
  ['a suffix of nothing', 'bytes=-0', 'unsatisfiable'],
])('%s', (_what, header, expected) => {
  expect(parseRange(header, 10)).toEqual(expected);
});
