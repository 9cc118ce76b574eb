import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();
const keys = [1, 2].map((id) => ({ id, bytes: new Uint8Array(32).fill(id) }));
const STATE = 0;
const TASK = 1;

interface Sealed {
  readonly kind: number;
  readonly audience: string;
  readonly server: bigint;
}

const sample: Sealed = { kind: STATE, audience: 'ada', server: 7n };

/** @param order of the keys: the first one seals */
function configure(...order: readonly number[]): void {
  core.call('sessionOpenRing');
  for (const index of order) {
    const key = keys[index];
    if (key !== undefined) core.call('sessionAddKey', key.id, core.put(key.bytes));
  }
  core.clear();
}

function seal(text: string | Uint8Array, { kind, audience, server }: Sealed = sample): string {
  const sealed = core.text('callerTextSeal', kind, ...core.span(audience), server, ...core.span(text));
  core.clear();
  return sealed ?? '';
}

function open(characters: string, { kind, audience, server }: Sealed = sample): Uint8Array | undefined {
  const text = core.bytes('callerTextOpen', kind, ...core.span(audience), server, ...core.span(characters));
  core.clear();
  return text;
}

beforeEach(() => {
  configure(0, 1);
});

test('any text comes back, under the same characters each time', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), (text) => {
      const characters = seal(text);
      expect(characters).toMatch(/^[\w-]+$/);
      expect(seal(text)).toBe(characters);
      expect(open(characters)).toEqual(text);
    }),
    { numRuns: 200 },
  );
});

test('it is good for its kind, its caller and its server alone', () => {
  const characters = seal('text');
  expect(open(characters, { ...sample, kind: TASK })).toBeUndefined();
  expect(open(characters, { ...sample, audience: 'bob' })).toBeUndefined();
  expect(open(characters, { ...sample, server: 8n })).toBeUndefined();
  expect(open(characters)).toBeDefined();
});

test('no character of it can be changed, left out or added', () => {
  const characters = seal('text');
  for (let at = 0; at < characters.length; at++) {
    const other = characters[at] === 'A' ? 'B' : 'A';
    expect(open(characters.slice(0, at) + other + characters.slice(at + 1))).toBeUndefined();
    expect(open(characters.slice(0, at) + characters.slice(at + 1))).toBeUndefined();
    expect(open(characters.slice(0, at) + other + characters.slice(at))).toBeUndefined();
  }
});

test('nothing that was not sealed opens, whatever it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (characters) => {
      expect(open(characters)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

test('an earlier key opens it for as long as it is configured', () => {
  const characters = seal('text');
  configure(1, 0);
  expect(open(characters)).toEqual(new TextEncoder().encode('text'));
  expect(seal('text')).not.toBe(characters);
  configure(1);
  expect(open(characters)).toBeUndefined();
});
