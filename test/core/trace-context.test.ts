import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';

function isTraceparent(text: string): boolean {
  const is = core.call('traceIsParent', ...core.span(text)) === 1;
  core.clear();
  return is;
}

function listOf(text: string): string | undefined {
  const list = core.text('traceListOf', ...core.span(text));
  core.clear();
  return list;
}

test.each([`00-${trace}-${parent}-01`, `00-${trace}-${parent}-00`, `cc-${trace}-${parent}-01-what-comes-later`])(
  '%s says a trace',
  (text) => {
    expect(isTraceparent(text)).toBe(true);
  },
);

test.each([
  '',
  `00-${trace}-${parent}`,
  `00-${trace}-${parent}-01-more`,
  `cc-${trace}-${parent}-01.more`,
  `cc-${trace}-${parent}-01-\r\nx: y`,
  `ff-${trace}-${parent}-01`,
  `00-${'0'.repeat(32)}-${parent}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace.toUpperCase()}-${parent}-01`,
  `00-${trace}_${parent}-01`,
  `00-${trace}-${parent}-0g`,
  ` 00-${trace}-${parent}-01`,
])('%j says none', (text) => {
  expect(isTraceparent(text)).toBe(false);
});

test('whatever else W3C Trace Context does not have says none', () => {
  const specified = /^(?!ff)(?:00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2})$/;
  const near = fc
    .tuple(fc.nat(54), fc.constantFrom('0', '1', 'a', 'f', 'g', 'A', '-', ' ', '\n'))
    .map(([at, put]) => {
      const text = `00-${trace}-${parent}-01`;
      return text.slice(0, at) + put + text.slice(at + 1);
    })
    // A version of the future may go on where this one ends.
    .filter((text) => text.startsWith('00'));
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      expect(isTraceparent(text)).toBe(specified.test(text));
    }),
  );
});

test('a list goes into a header as it is, but for space around it, or not at all', () => {
  expect(listOf(' rojo=00f067aa0ba902b7,congo="t\\61" \t')).toBe('rojo=00f067aa0ba902b7,congo="t\\61"');
  expect(listOf('a=b'.padEnd(8192, 'c'))).toHaveLength(8192);
  for (const text of ['', '  ', 'a=b\r\nx: y', 'a=\u0000', 'a=é', 'a=b'.padEnd(8193, 'c')]) {
    expect(listOf(text)).toBeUndefined();
  }
});
