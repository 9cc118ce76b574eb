import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { hex, JABBERWOCKY, OTHER_KEY, SUBMISSION, utf8, ZERO_KEY } from './rfc8439.ts';

const core = instance();

function tag(key: Uint8Array, message: Uint8Array): Uint8Array {
  const out = core.room(16);
  core.call('poly1305Tag', core.put(key), core.put(message), message.length, out.pointer);
  const result = out.bytes();
  core.clear();
  return result;
}

const NOTHING = '00'.repeat(16);
const ALL_ONES = 'ff'.repeat(16);

test.each([
  {
    name: '§2.5.2',
    key: hex('85d6be7857556d337f4452fe42d506a8 0103808afb0db2fd4abff6af4149f51b'),
    message: utf8('Cryptographic Forum Research Group'),
    expected: 'a8061dc1305136c6c22b8baf0c0127a9',
  },
  { name: 'A.3 #1', key: ZERO_KEY, message: new Uint8Array(64), expected: NOTHING },
  {
    name: 'A.3 #2, r is 0',
    key: hex(NOTHING + '36e5f6b5c5e06070f0efca96227a863e'),
    message: SUBMISSION,
    expected: '36e5f6b5c5e06070f0efca96227a863e',
  },
  {
    name: 'A.3 #3, s is 0',
    key: hex('36e5f6b5c5e06070f0efca96227a863e' + NOTHING),
    message: SUBMISSION,
    expected: 'f3477e7cd95417af89a6b8794c310cf0',
  },
  { name: 'A.3 #4', key: OTHER_KEY, message: JABBERWOCKY, expected: '4541669a7eaaee61e708dc7cbcc5eb62' },
  {
    name: 'A.3 #5, the last reduction is needed',
    key: hex('02000000000000000000000000000000' + NOTHING),
    message: hex(ALL_ONES),
    expected: '03000000000000000000000000000000',
  },
  {
    name: 'A.3 #6, adding s overflows',
    key: hex('02000000000000000000000000000000' + ALL_ONES),
    message: hex('02000000000000000000000000000000'),
    expected: '03000000000000000000000000000000',
  },
  {
    name: 'A.3 #7, a limb of ones takes a carry',
    key: hex('01000000000000000000000000000000' + NOTHING),
    message: hex(ALL_ONES + 'f0ffffffffffffffffffffffffffffff' + '11000000000000000000000000000000'),
    expected: '05000000000000000000000000000000',
  },
  {
    name: 'A.3 #8, the sum is 2^130-5',
    key: hex('01000000000000000000000000000000' + NOTHING),
    message: hex(ALL_ONES + 'fbfefefefefefefefefefefefefefefe' + '01'.repeat(16)),
    expected: NOTHING,
  },
  {
    name: 'A.3 #9, the sum is 2^130-6',
    key: hex('02000000000000000000000000000000' + NOTHING),
    message: hex('fdffffffffffffffffffffffffffffff'),
    expected: 'faffffffffffffffffffffffffffffff',
  },
  {
    name: 'A.3 #10, 131 bits on the way',
    key: hex('01000000000000000400000000000000' + NOTHING),
    message: hex(`e33594d7505e43b90000000000000000 3394d7505e4379cd0100000000000000
                  00000000000000000000000000000000 01000000000000000000000000000000`),
    expected: '14000000000000005500000000000000',
  },
  {
    name: 'A.3 #11, 131 bits at the end',
    key: hex('01000000000000000400000000000000' + NOTHING),
    message: hex(`e33594d7505e43b90000000000000000 3394d7505e4379cd0100000000000000
                  00000000000000000000000000000000`),
    expected: '13000000000000000000000000000000',
  },
])('RFC 8439 $name', ({ key, message, expected }) => {
  expect(tag(key, message)).toEqual(hex(expected));
});

const P = (1n << 130n) - 5n;

function number(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** §2.5.1, word for word. */
function byDefinition(key: Uint8Array, message: Uint8Array): bigint {
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let a = 0n;
  for (let i = 0; i < message.length; i += 16) {
    a = ((a + number(Uint8Array.of(...message.subarray(i, i + 16), 1))) * r) % P;
  }
  return (a + number(key.subarray(16))) & ((1n << 128n) - 1n);
}

test('equals the definition where carries are long: bytes of all zeroes and all ones', () => {
  const extreme = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(0x00, 0xff) },
    { weight: 1, arbitrary: fc.constantFrom(0x01, 0x03, 0xfb, 0xfc, 0xfe) },
    { weight: 1, arbitrary: fc.nat(255) },
  );
  const bytes = (minLength: number, maxLength: number) =>
    fc.array(extreme, { minLength, maxLength, size: 'max' }).map((values) => Uint8Array.from(values));
  fc.assert(
    fc.property(bytes(32, 32), bytes(0, 200), (key, message) => {
      expect(number(tag(key, message))).toBe(byDefinition(key, message));
    }),
    { numRuns: 2000 },
  );
});
