// Tables in the shared store: whose an entry is, and what becomes of those who meet in a slot.
import { beforeEach, expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();
let ring = 0;
beforeEach(() => core.call('useSlots', ++ring));

const put = (choices: number, owner: number): number => core.call('slotsPut', choices, BigInt(owner));
const get = (choices: number, owner: number): bigint | undefined => {
  const entry = core.bytes('slotsGet', choices, BigInt(owner));
  return entry && new DataView(entry.buffer).getBigUint64(0, true);
};
const owners = Array.from({ length: 100 }, (_, i) => i + 1);
const lost = (choices: number): number[] => owners.filter((owner) => get(choices, owner) === undefined);

test.each([1, 2])('an entry is its owner’s, and who wrote last has it, of %d slots', (choices) => {
  for (const owner of owners) {
    expect(get(choices, owner)).toBeUndefined();
    for (let times = 0; times < 2; times++) {
      put(choices, owner);
      expect(get(choices, owner)).toBe(BigInt(owner));
    }
  }
  for (const owner of owners) expect([undefined, BigInt(owner)]).toContain(get(choices, owner));
});

test('owners that meet in a slot take it from each other for ever', () => {
  for (const owner of owners) put(1, owner);
  for (let round = 0; round < 3; round++) {
    expect(lost(1).length).toBeGreaterThan(0);
    for (const owner of lost(1)) put(1, owner);
  }
});

test('owners that have the choice of two find one each', () => {
  for (const owner of owners) put(2, owner);
  for (let round = 0; round < 3; round++) for (const owner of lost(2)) put(2, owner);
  expect(lost(2)).toEqual([]);
});

test('gateways have slots of their own', () => {
  put(2, 1);
  core.call('useSlots', ++ring);
  expect(get(2, 1)).toBeUndefined();
});
