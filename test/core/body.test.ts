// What is kept of a request's body, how far it is read, and what of its end waits.
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();
const small = 64 << 10;

beforeEach(() => {
  core.call('bodyOpen');
});

function take(part: Uint8Array, isShownOnce: boolean): void {
  core.call('bodyTake', ...core.span(part), isShownOnce);
  core.clear();
}

function kept(): Uint8Array {
  return core.bytes('bodyKept') ?? new Uint8Array();
}

const parts = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc.integer({ min: small - 1, max: small + 1 }).map((size) => new Uint8Array(size).fill(size)),
  ),
  { minLength: 1, maxLength: 8 },
);

describe('the copy of a body', () => {
  test('has all parts, in order, where each is shown once', () => {
    fc.assert(
      fc.property(parts, (all) => {
        core.call('bodyOpen');
        for (const part of all) take(part, true);
        expect(Buffer.from(kept()).equals(Buffer.concat(all))).toBe(true);
        expect(core.call('bodyIsWhole')).toBe(1);
      }),
      { numRuns: 100 },
    );
  });

  test('has the first part and no other where the host shows all of it each time', () => {
    take(Buffer.from('first'), false);
    expect(core.call('bodyIsWhole')).toBe(1);
    take(Buffer.from('second'), false);
    expect(Buffer.from(kept()).toString()).toBe('first');
    expect(core.call('bodyIsWhole')).toBe(0);
    expect(core.call('bodyRead')).toBe(11);
  });

  test('has no first part that costs more to keep than to read again', () => {
    take(new Uint8Array(small + 1), false);
    expect(kept()).toHaveLength(0);
  });

  test('is given back where it outgrew the arena, and stays where it did not', () => {
    take(Buffer.from('first'), true);
    core.call('bodyRelease');
    expect(Buffer.from(kept()).toString()).toBe('first');
    take(Buffer.from('second'), true);
    core.call('bodyRelease');
    expect(kept()).toHaveLength(0);
  });
});

describe('the end of a body that is sent on', () => {
  /** Hands the chunks on, and says what has passed before the last one, and in all. */
  function pass(chunks: readonly string[], mayEndInTrailers = false): { early: string; all: string } {
    let all = '';
    let early = '';
    let isClosed = false;
    chunks.forEach((chunk, index) => {
      const last = index === chunks.length - 1;
      const at = isClosed ? 0 : chunk.indexOf('}');
      early = all;
      if (at < 0) all += chunk;
      else {
        isClosed = true;
        all += core.text('closingPass', ...core.span(Buffer.from(chunk)), at, last, mayEndInTrailers) ?? '';
      }
    });
    return { early, all };
  }

  test.each([
    ['in one chunk', ['{"a":1}'], ''],
    ['with white space behind it', ['{"a":1} ', ' ', ' '], '{"a":1'],
    ['alone in its chunk', ['{"a":1', '}', ''], '{"a":1'],
  ])('waits for the last chunk: %s', (_, chunks, early) => {
    expect(pass(chunks)).toEqual({ early, all: chunks.join('') });
    expect(core.call('closingKeepsBack')).toBe(0);
  });

  test('passes at once where trailers may end the request', () => {
    expect(pass(['{"a":1} ', ' ', ''], true)).toEqual({ early: '{"a":1}  ', all: '{"a":1}  ' });
  });

  test('loses nothing, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 5 }), fc.nat(20), (cuts, spaces) => {
        core.call('bodyOpen');
        const text = `{"a":1${'}'.padEnd(1 + spaces)}`;
        const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
        const chunks = at.slice(1).map((end, index) => text.slice(at[index], end));
        const { early, all } = pass(chunks);
        expect(all).toBe(text);
        expect(early).not.toContain('}');
      }),
    );
  });

  test('is followed by no more than 4 KiB of white space, in one chunk or in many', () => {
    expect(core.call('closingMayFollow', 4096)).toBe(1);
    expect(core.call('closingMayFollow', 0)).toBe(1);
    expect(core.call('closingMayFollow', 1)).toBe(0);
  });
});

test.each([
  { held: small - 1, heldBody: 1 << 20, endsInTrailers: false, isLarge: false },
  { held: small, heldBody: 1 << 20, endsInTrailers: false, isLarge: true },
  { held: 1000, heldBody: 1000, endsInTrailers: false, isLarge: true },
  { held: 1 << 20, heldBody: 1 << 20, endsInTrailers: true, isLarge: false },
  { held: (1 << 20) + 1, heldBody: 1 << 20, endsInTrailers: true, isLarge: true },
])('%o', ({ held, heldBody, endsInTrailers, isLarge }) => {
  expect(core.call('bodyIsLarge', held, heldBody, endsInTrailers)).toBe(Number(isLarge));
});

test.each([
  { received: 100, from: 0, drainBytes: 100, awaitsId: false, isDrained: false },
  { received: 101, from: 0, drainBytes: 100, awaitsId: false, isDrained: true },
  { received: 101, from: 50, drainBytes: 100, awaitsId: false, isDrained: true },
  { received: 150, from: 50, drainBytes: 100, awaitsId: true, isDrained: false },
  { received: 151, from: 50, drainBytes: 100, awaitsId: true, isDrained: true },
])('%o', ({ received, from, drainBytes, awaitsId, isDrained }) => {
  expect(core.call('bodyIsDrained', received, from, drainBytes, awaitsId)).toBe(Number(isDrained));
});
