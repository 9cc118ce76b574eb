import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance, type Core, type Room } from './core.ts';
import { hex, OTHER_KEY, SUNSCREEN, utf8 } from './rfc8439.ts';

const TAG_SIZE = 16;
const core = instance();

interface Message {
  key: Uint8Array;
  nonce: Uint8Array;
  aad: Uint8Array;
}

function seal({ key, nonce, aad }: Message, text: Uint8Array): Uint8Array {
  const out = core.room(text.length + TAG_SIZE);
  core.call(
    'aeadSeal',
    core.put(key),
    core.put(nonce),
    core.put(aad),
    aad.length,
    core.put(text),
    text.length,
    out.pointer,
  );
  const sealed = out.bytes();
  core.clear();
  return sealed;
}

function openInto(core: Core, { key, nonce, aad }: Message, sealed: Uint8Array, out: Room): boolean {
  return (
    core.call(
      'aeadOpen',
      core.put(key),
      core.put(nonce),
      core.put(aad),
      aad.length,
      core.put(sealed),
      sealed.length,
      out.pointer,
    ) === 1
  );
}

/** The text, or undefined for a forgery: then not a byte of the result was written. */
function open(message: Message, sealed: Uint8Array): Uint8Array | undefined {
  const out = core.room(sealed.length);
  const genuine = openInto(core, message, sealed, out);
  const text = out.bytes(genuine ? sealed.length - TAG_SIZE : 0);
  core.clear();
  return genuine ? text : undefined;
}

function sealByNode({ key, nonce, aad }: Message, text: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_SIZE });
  cipher.setAAD(aad, { plaintextLength: text.length });
  return new Uint8Array(Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]));
}

/** Bytes without a pattern, the same in every run. */
function arbitrary(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 0x9e3779b1 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const result = bytes.slice();
  result[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return result;
}

function indexOf(core: Core, bytes: Uint8Array): number {
  return Buffer.from(core.memory.buffer).indexOf(bytes);
}

const SAMPLE: Message = { key: arbitrary(32, 1), nonce: arbitrary(12, 2), aad: arbitrary(13, 3) };
const SAMPLE_TEXT = arbitrary(300, 4);

test('seals, RFC 8439 §2.8.2', () => {
  const message: Message = {
    key: Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i),
    nonce: hex('070000004041424344454647'),
    aad: hex('50515253c0c1c2c3c4c5c6c7'),
  };
  const sealed = hex(`d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6
                      3dbea45e8ca9671282fafb69da92728b 1a71de0a9e060b2905d6a5b67ecd3b36
                      92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
                      3ff4def08e4b7a9de576d26586cec64b 6116
                      1ae10b594f09e26a7e902ecbd0600691`);
  expect(seal(message, SUNSCREEN)).toEqual(sealed);
  expect(open(message, sealed)).toEqual(SUNSCREEN);
});

test('opens, RFC 8439 A.5', () => {
  const message: Message = {
    key: OTHER_KEY,
    nonce: hex('000000000102030405060708'),
    aad: hex('f33388860000000000004e91'),
  };
  const sealed = hex(`64a0861575861af460f062c79be643bd 5e805cfd345cf389f108670ac76c8cb2
                      4c6cfc18755d43eea09ee94e382d26b0 bdb7b73c321b0100d4f03b7f355894cf
                      332f830e710b97ce98c8a84abd0b9481 14ad176e008d33bd60f982b1ff37c855
                      9797a06ef4f0ef61c186324e2b350638 3606907b6a7c02b0f9f6157b53c867e4
                      b9166c767b804d46a59b5216cde7a4e9 9040c5a40433225ee282a1b0a06c523e
                      af4534d7f83fa1155b0047718cbc546a 0d072b04b3564eea1b422273f548271a
                      0bb2316053fa76991955ebd63159434e cebb4e466dae5a1073a6727627097a10
                      49e617d91d361094fa68f0ff77987130 305beaba2eda04df997b714d6c6f2c29
                      a6ad5cb4022b02709b
                      eead9d67890cbb22392336fea1851f38`);
  expect(open(message, sealed)).toEqual(
    utf8(
      'Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or obsoleted ' +
        'by other documents at any time. It is inappropriate to use Internet-Drafts as reference material or to cite ' +
        'them other than as /“work in progress./”',
    ),
  );
});

test('equals node:crypto for every length of text up to 400, of aad up to 40', () => {
  for (let length = 0; length <= 400; length++) {
    const message = { ...SAMPLE, aad: arbitrary(length % 41, length) };
    const text = arbitrary(length, length + 1);
    const sealed = seal(message, text);
    expect(sealed).toEqual(sealByNode(message, text));
    expect(open(message, sealed)).toEqual(text);
  }
});

test('equals node:crypto for any key, nonce, aad and text', () => {
  const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength, size: 'max' });
  const message = fc.record({ key: bytes(32, 32), nonce: bytes(12, 12), aad: bytes(0, 300) });
  fc.assert(
    fc.property(message, bytes(0, 5000), (message, text) => {
      const sealed = seal(message, text);
      expect(sealed).toEqual(sealByNode(message, text));
      expect(open(message, sealed)).toEqual(text);
    }),
    { numRuns: 100 },
  );
});

test('every flipped bit of key, nonce, aad, ciphertext and tag is refused', () => {
  const sealed = seal(SAMPLE, SAMPLE_TEXT);
  expect(open(SAMPLE, sealed)).toEqual(SAMPLE_TEXT);
  for (let bit = 0; bit < sealed.length * 8; bit++) expect(open(SAMPLE, flipped(sealed, bit))).toBeUndefined();
  for (const part of ['key', 'nonce', 'aad'] as const) {
    for (let bit = 0; bit < SAMPLE[part].length * 8; bit++) {
      expect(open({ ...SAMPLE, [part]: flipped(SAMPLE[part], bit) }, sealed)).toBeUndefined();
    }
  }
});

test('bytes moved between aad and ciphertext, or zeroes added to either, are refused', () => {
  const sealed = seal(SAMPLE, SAMPLE_TEXT);
  const ciphertext = sealed.subarray(0, -TAG_SIZE);
  const tag = sealed.subarray(-TAG_SIZE);
  const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  const zero = new Uint8Array(1);

  expect(open({ ...SAMPLE, aad: join(SAMPLE.aad, zero) }, sealed)).toBeUndefined();
  expect(open(SAMPLE, join(ciphertext, zero, tag))).toBeUndefined();
  const moved = { ...SAMPLE, aad: join(SAMPLE.aad, ciphertext.subarray(0, 16)) };
  expect(open(moved, join(ciphertext.subarray(16), tag))).toBeUndefined();
});

test('every truncation is refused', () => {
  const sealed = seal(SAMPLE, SAMPLE_TEXT);
  for (let length = 0; length < sealed.length; length++) {
    expect(open(SAMPLE, sealed.subarray(0, length))).toBeUndefined();
    expect(open(SAMPLE, sealed.subarray(sealed.length - length))).toBeUndefined();
  }
});

test.each([-0x80000000, -1, 0, 15])('a length of %i is refused without reading', (length) => {
  const beyond = core.memory.length;
  expect(core.call('aeadOpen', beyond, beyond, beyond, 0, beyond, length, beyond)).toBe(0);
});

test('seals and opens in place', () => {
  const memory = core.room(SAMPLE_TEXT.length + TAG_SIZE);
  core.memory.set(SAMPLE_TEXT, memory.pointer);
  const aad = [core.put(SAMPLE.aad), SAMPLE.aad.length] as const;
  const [key, nonce] = [core.put(SAMPLE.key), core.put(SAMPLE.nonce)];

  core.call('aeadSeal', key, nonce, ...aad, memory.pointer, SAMPLE_TEXT.length, memory.pointer);
  const sealed = memory.bytes();
  expect(sealed).toEqual(sealByNode(SAMPLE, SAMPLE_TEXT));

  core.memory[memory.pointer] = (sealed[0] ?? 0) ^ 1;
  expect(core.call('aeadOpen', key, nonce, ...aad, memory.pointer, sealed.length, memory.pointer)).toBe(0);
  expect(memory.bytes()).toEqual(flipped(sealed, 0));

  core.memory.set(sealed, memory.pointer);
  expect(core.call('aeadOpen', key, nonce, ...aad, memory.pointer, sealed.length, memory.pointer)).toBe(1);
  expect(memory.bytes()).toEqual(new Uint8Array([...SAMPLE_TEXT, ...sealed.subarray(-TAG_SIZE)]));
  core.clear();
});

test('opens over its own nonce', () => {
  const sealed = seal(SAMPLE, SAMPLE_TEXT);
  const packet = core.put(new Uint8Array([...SAMPLE.nonce, ...sealed]));
  const aad = core.put(SAMPLE.aad);
  expect(
    core.call('aeadOpen', core.put(SAMPLE.key), packet, aad, SAMPLE.aad.length, packet + 12, sealed.length, packet),
  ).toBe(1);
  expect(core.get(packet, SAMPLE_TEXT.length)).toEqual(SAMPLE_TEXT);
  core.clear();
});

/** §2.5.1: r is kept in this form. */
const CLAMP = hex('ffffff0ffcffff0ffcffff0ffcffff0f');

test('no key, one-time key, key stream or right tag of a forgery stays in memory', () => {
  const sealed = sealByNode(SAMPLE, SAMPLE_TEXT);
  const stream = sealed.subarray(0, SAMPLE_TEXT.length).map((byte, i) => byte ^ (SAMPLE_TEXT[i] ?? 0));
  const oneTimeKey = new Uint8Array(
    createCipheriv('chacha20', SAMPLE.key, Buffer.concat([Buffer.alloc(4), SAMPLE.nonce])).update(new Uint8Array(32)),
  );
  const secrets = {
    key: SAMPLE.key,
    r: oneTimeKey.subarray(0, 16).map((byte, i) => byte & (CLAMP[i] ?? 0)),
    s: oneTimeKey.subarray(16, 32),
    ...Object.fromEntries([0, 128, 192, 284].map((at) => [`key stream at ${at}`, stream.subarray(at, at + 16)])),
  };

  const fresh = instance();
  const key = fresh.put(SAMPLE.key);
  const nonce = fresh.put(SAMPLE.nonce);
  const aad = fresh.put(SAMPLE.aad);
  const text = fresh.put(SAMPLE_TEXT);
  const out = fresh.put(sealed);
  const leaks = () => Object.keys(secrets).filter((name) => indexOf(fresh, secrets[name as 'key']) >= 0);

  fresh.call('aeadSeal', key, nonce, aad, SAMPLE.aad.length, text, SAMPLE_TEXT.length, out);
  expect(leaks()).toEqual(['key']); // its own copy, which we put there
  fresh.memory.fill(0, key, key + 32);
  expect(leaks()).toEqual([]);

  fresh.memory.set(SAMPLE.key, key);
  expect(fresh.call('aeadOpen', key, nonce, aad, SAMPLE.aad.length, out, sealed.length, text)).toBe(1);
  fresh.memory.fill(0, key, key + 32);
  expect(leaks()).toEqual([]);

  fresh.memory.set(SAMPLE.key, key);
  fresh.memory.fill(0, out + SAMPLE_TEXT.length, out + sealed.length);
  expect(fresh.call('aeadOpen', key, nonce, aad, SAMPLE.aad.length, out, sealed.length, text)).toBe(0);
  expect(indexOf(fresh, sealed.subarray(-TAG_SIZE))).toBe(-1);
});
