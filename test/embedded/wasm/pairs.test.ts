import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodePairs, encodePairs, type Pair } from '../../../envoy/embedded/wasm/pairs.ts';

const two: Pair[] = [
  [':path', '/é'],
  ['empty', ''],
];
const encoded = Buffer.from(
  '02000000' + '05000000' + '02000000' + '05000000' + '00000000' + '3a7061746800' + '2fe900' + '656d70747900' + '00',
  'hex',
);

test('the layout is that of the ABI', () => {
  expect(Buffer.from(encodePairs(two.flat())).toString('hex')).toBe(encoded.toString('hex'));
  expect(decodePairs(encoded)).toEqual(two);
});

test('no pairs are no bytes, and four bytes from a module', () => {
  expect(encodePairs([])).toHaveLength(0);
  expect(decodePairs(new Uint8Array(4))).toEqual([]);
});

test('latin1 survives the way there and back', () => {
  const latin1 = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  fc.assert(
    fc.property(fc.array(fc.tuple(latin1, latin1), { maxLength: 30 }), (pairs) => {
      expect(decodePairs(encodePairs(pairs.flat()))).toEqual(pairs);
    }),
  );
});

test('what is cut or has something behind it is no pairs', () => {
  for (let length = 0; length < encoded.length; length++) expect(decodePairs(encoded.subarray(0, length))).toEqual([]);
  expect(decodePairs(Buffer.concat([encoded, Buffer.alloc(1)]))).toEqual([]);
});

test('any bytes are read', () => {
  const counted = fc.tuple(fc.nat(6), fc.uint8Array({ maxLength: 80 })).map(([count, rest]) => {
    return Buffer.from([count, 0, 0, 0, ...rest]);
  });
  fc.assert(
    fc.property(fc.oneof(counted, fc.uint8Array({ maxLength: 80 })), (bytes) => {
      const pairs = decodePairs(bytes);
      if (pairs.length > 0) expect(Buffer.from(encodePairs(pairs.flat())).equals(bytes)).toBe(true);
    }),
  );
});

test.each([
  ['1024 pairs', 1024, 0, 1024],
  ['1025 pairs', 1025, 0, 0],
  ['1 MiB', 1, 1024 * 1024 - 14, 1],
  ['1 MiB and a byte', 1, 1024 * 1024 - 13, 0],
])('%s from a module', (_, count, length, read) => {
  const pairs = Array.from({ length: count }, (): Pair => ['', 'x'.repeat(length)]);
  expect(decodePairs(encodePairs(pairs.flat()))).toHaveLength(read);
});
