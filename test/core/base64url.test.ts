import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const core = instance();

function encode(bytes: Uint8Array): string {
  const out = core.room(bytes.length * 2 + 8);
  const length = core.call('base64urlEncode', core.put(bytes), bytes.length, out.pointer);
  const text = Buffer.from(out.bytes(length)).toString('latin1');
  core.clear();
  return text;
}

/** undefined: refused. */
function decode(text: Uint8Array): Uint8Array | undefined {
  const room = Math.floor((text.length * 3) / 4);
  const out = core.room(room);
  const length = core.call('base64urlDecode', core.put(text), text.length, out.pointer);
  const bytes = out.bytes(length >= 0 ? length : room);
  core.clear();
  return length >= 0 ? bytes : undefined;
}

/** Node reads any spelling; the strict reading is that which it writes back. */
function decodeByNode(text: Uint8Array): Uint8Array | undefined {
  const spelling = Buffer.from(text).toString('latin1');
  const bytes = Buffer.from(spelling, 'base64url');
  return bytes.toString('base64url') === spelling ? new Uint8Array(bytes) : undefined;
}

function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

// RFC 4648 §10, without the padding
test.each([
  ['', ''],
  ['f', 'Zg'],
  ['fo', 'Zm8'],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg'],
  ['fooba', 'Zm9vYmE'],
  ['foobar', 'Zm9vYmFy'],
])('RFC 4648 §10: %j is %j', (bytes, text) => {
  expect(encode(ascii(bytes))).toBe(text);
  expect(decode(ascii(text))).toEqual(ascii(bytes));
});

test('equals Buffer for every length, and every byte at every place of a group', () => {
  for (let length = 0; length <= 300; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length * 11) & 255);
    const text = Buffer.from(bytes).toString('base64url');
    expect(core.call('base64urlEncodedLength', length)).toBe(text.length);
    expect(encode(bytes)).toBe(text);
    expect(decode(ascii(text))).toEqual(bytes);
  }
  for (let byte = 0; byte < 256; byte++) {
    const bytes = Uint8Array.of(byte, byte, byte);
    expect(encode(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
  }
});

test('decode(encode(x)) is x', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000, size: 'max' }), (bytes) => {
      const text = encode(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64url'));
      expect(decode(ascii(text))).toEqual(bytes);
    }),
  );
});

test('of the 65536 texts of two bytes, 256 decode: one for each byte', () => {
  const text = core.allocate(2);
  const out = core.allocate(1);
  const found: number[] = [];
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      core.memory.set([first, second], text);
      const length = core.call('base64urlDecode', text, 2, out);
      if (length < 0) continue;
      expect(length).toBe(1);
      found.push(core.memory[out] ?? -1);
    }
  }
  core.clear();
  expect(found.sort((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, i) => i));
});

test('of the 262144 texts of three letters, 65536 decode: one for each pair of bytes', () => {
  const letters = ascii(ALPHABET);
  const text = core.allocate(3);
  const out = core.allocate(2);
  const found = new Set<number>();
  let accepted = 0;
  for (const first of letters) {
    for (const second of letters) {
      for (const third of letters) {
        core.memory.set([first, second, third], text);
        if (core.call('base64urlDecode', text, 3, out) < 0) continue;
        accepted++;
        const [high = 0, low = 0] = core.get(out, 2);
        found.add(high * 256 + low);
      }
    }
  }
  core.clear();
  expect(accepted).toBe(65536);
  expect(found.size).toBe(65536);
});

test('a byte outside the alphabet is refused wherever it stands', () => {
  const good = ascii(Buffer.from(Uint8Array.from({ length: 14 }, (_, i) => i * 19)).toString('base64url'));
  expect(good.length % 4).toBe(3);
  for (let at = 0; at < good.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      if (ALPHABET.includes(String.fromCharCode(byte))) continue;
      const bad = good.slice();
      bad[at] = byte;
      expect(decode(bad)).toBeUndefined();
    }
  }
});

test.each([
  'A',
  'AAAAA',
  'Zg=',
  'Zg==',
  'Zm8=',
  'Zm9v=',
  'Zm9v====',
  'Zh',
  'Zm9',
  ' Zg',
  'Zg\n',
  'Z g',
  '+/+/',
  '=',
  '\0\0',
])('%j is refused', (text) => {
  expect(decode(ascii(text))).toBeUndefined();
});

test('what decodes is exactly what Buffer would have written', () => {
  const letter = fc.nat(63).map((bits) => ALPHABET.charAt(bits));
  const stranger = fc.constantFrom('=', '+', '/', ' ', '\n', '\0', '\x7f', '\xff');
  const text = fc.oneof(
    fc.string({ unit: letter, maxLength: 80 }),
    // Last letters with few bits set, so that right and wrong endings both come often.
    fc
      .tuple(fc.string({ unit: letter, maxLength: 40 }), fc.constantFrom('', 'A', 'Q', 'g', 'w', 'E', 'B'))
      .map((parts) => parts.join('')),
    fc.string({ unit: fc.oneof({ weight: 20, arbitrary: letter }, { weight: 1, arbitrary: stranger }), maxLength: 40 }),
  );
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(text.map(ascii), (text) => {
      const expected = decodeByNode(text);
      if (expected) accepted++;
      else refused++;
      expect(decode(text)).toEqual(expected);
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(300);
  expect(refused).toBeGreaterThan(300);
});

test('random bytes never trap', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (text) => {
      expect(decode(text)).toEqual(decodeByNode(text));
    }),
    { numRuns: 1000 },
  );
});

test('decodes in place', () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => 255 - i);
  const text = ascii(Buffer.from(bytes).toString('base64url'));
  const pointer = core.put(text);
  expect(core.call('base64urlDecode', pointer, text.length, pointer)).toBe(100);
  expect(core.get(pointer, 100)).toEqual(bytes);
  core.clear();
});

test('the encoded length does not overflow where the encoding itself would still fit', () => {
  for (const length of [0x20000000, 0x2aaaaaab, 1_610_612_733]) {
    expect(core.call('base64urlEncodedLength', length)).toBe(Math.ceil((length * 4) / 3));
  }
});
