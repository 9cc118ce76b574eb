import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();

const HOME = 0x9e3779b1;
/** Keys that have the same place at first, so that they push each other around. */
const neighbours = Array.from({ length: 1 << 16 }, (_, key) => key + 1)
  .filter((key) => ((Math.imul(key, HOME) >>> 7) & 63) >= 62)
  .slice(0, 40);

const key = fc.oneof(
  fc.constantFrom(...neighbours),
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 0xffffffff }),
);
const step = fc.record({
  kind: fc.constantFrom('set', 'set', 'take', 'get'),
  key,
  value: fc.integer({ min: 1, max: 1e9 }),
});

test('a table holds what a Map holds, whatever is set and taken', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const map = new Map<number, number>();
      const found: number[] = [];
      const wanted: number[] = [];
      core.call('tableOpen');
      for (const { kind, key, value } of steps) {
        if (kind === 'set') {
          core.call('tableSet', key, value);
          map.set(key, value);
        } else {
          found.push(core.call(kind === 'take' ? 'tableTake' : 'tableGet', key));
          wanted.push(map.get(key) ?? 0);
          if (kind === 'take') map.delete(key);
        }
        found.push(core.call('tableCount'));
        wanted.push(map.size);
      }
      expect(found).toEqual(wanted);
      expect([...map.keys()].map((key) => core.call('tableGet', key))).toEqual([...map.values()]);
    }),
    { numRuns: 300 },
  );
});

test('it grows, and can be emptied again', () => {
  core.call('tableOpen');
  const keys = Array.from({ length: 10_000 }, (_, i) => i + 1);
  for (const key of keys) core.call('tableSet', key, key * 2);
  expect(core.call('tableCount')).toBe(10_000);
  expect(keys.filter((key) => core.call('tableTake', key) !== key * 2)).toEqual([]);
  expect(keys.filter((key) => core.call('tableGet', key) !== 0)).toEqual([]);
  expect(core.call('tableCount')).toBe(0);
});

test('what is not there is 0', () => {
  core.call('tableOpen');
  expect(core.call('tableGet', 1)).toBe(0);
  expect(core.call('tableTake', 1)).toBe(0);
  expect(core.call('tableGet', 0)).toBe(0);
  expect(core.call('tableTake', 0)).toBe(0);
});

test('names that differ in one letter, wherever it stands, are spread over a table', () => {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz0123456789-_./:ABCDEFGHIJKLMNOPQRSTUVW');
  for (const size of [1, 4, 7, 8, 9, 16, 23, 40]) {
    for (let at = 0; at < size; at++) {
      const places = letters.map((letter) => {
        const name = Buffer.from('x'.repeat(at) + letter + 'x'.repeat(size - at - 1));
        return core.call('hash', core.put(name), name.length) & 127;
      });
      // At random, 64 names have 50 places of 128.
      expect(new Set(places).size, `${at} of ${size}`).toBeGreaterThan(35);
    }
  }
});
