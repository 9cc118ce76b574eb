import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();

function written(): Uint8Array {
  return core.bytes('writerWritten') ?? new Uint8Array();
}

function text(): string {
  return Buffer.from(written()).toString();
}

beforeEach(() => {
  core.call('writerOpen', 0);
});

test('what is written stands one behind the other, whatever was guessed of its size', () => {
  fc.assert(
    fc.property(fc.nat(64), fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }), (capacity, parts) => {
      core.call('writerOpen', capacity);
      for (const part of parts) {
        core.call('writerBytes', ...core.span(part));
        core.call('writerByte', 0x2c);
      }
      core.clear();
      expect(written()).toEqual(new Uint8Array(parts.flatMap((part) => [...part, 0x2c])));
    }),
    { numRuns: 200 },
  );
});

const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc
    .tuple(fc.nat(19), fc.integer({ min: -1, max: 1 }))
    .map(([power, more]) => BigInt.asUintN(64, 10n ** BigInt(power) + BigInt(more))),
);

test('decimals are those of BigInt', () => {
  fc.assert(
    fc.property(u64, (value) => {
      core.call('writerOpen', 0);
      core.call('writerDecimal', value);
      expect(text()).toBe(String(value));
    }),
    { numRuns: 500 },
  );
});

test('signed decimals are those of BigInt', () => {
  fc.assert(
    fc.property(u64, (bits) => {
      const value = BigInt.asIntN(64, bits);
      core.call('writerOpen', 0);
      core.call('writerSigned', value);
      expect(text()).toBe(String(value));
    }),
    { numRuns: 500 },
  );
});

test.each([0n, 9n, 10n, 2n ** 63n, 2n ** 64n - 1n])('%d in decimal', (value) => {
  core.call('writerDecimal', value);
  expect(text()).toBe(String(value));
});

test.each([0n, -1n, -(2n ** 63n), 2n ** 63n - 1n])('%d with its sign', (value) => {
  core.call('writerSigned', value);
  expect(text()).toBe(String(value));
});

test('numbers in binary are little endian', () => {
  core.call('writerU16', 0x0102);
  core.call('writerU32', 0x01020304);
  core.call('writerU64', 0x0102030405060708n);
  expect(written()).toEqual(Uint8Array.of(2, 1, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1));
});

test('what is truncated is written over', () => {
  core.call('writerBytes', ...core.span('abcdef'));
  core.call('writerTruncate', 2);
  expect(text()).toBe('ab');
  core.call('writerBytes', ...core.span('xy'));
  expect(text()).toBe('abxy');
  core.clear();
});
