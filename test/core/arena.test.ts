import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { instance } from './core.ts';

const BLOCK = 256;
const HEADER = 8;
const core = instance();

beforeEach(() => {
  core.call('arenaOpen', BLOCK);
});

test('allocations are aligned to 8, lie apart and keep what is written to them', () => {
  const round = fc.array(fc.nat(BLOCK + 50), { maxLength: 40 });
  fc.assert(
    fc.property(fc.array(round, { maxLength: 5 }), (rounds) => {
      for (const sizes of rounds) {
        const blocks = sizes.map((size, i) => ({ size, byte: i + 1, pointer: core.call('arenaAllocate', size) }));
        for (const { size, byte, pointer } of blocks) {
          expect(pointer % 8).toBe(0);
          core.memory.fill(byte, pointer, pointer + size);
        }
        for (const { size, byte, pointer } of blocks) {
          expect(core.get(pointer, size).every((found) => found === byte)).toBe(true);
        }
        core.call('arenaReset');
      }
    }),
    { numRuns: 100 },
  );
});

test('what is held is what was taken from the allocator', () => {
  expect(core.call('arenaHeld')).toBe(0);
  core.call('arenaAllocate', 1);
  expect(core.call('arenaHeld')).toBe(BLOCK);
  core.call('arenaAllocate', BLOCK - 16);
  expect(core.call('arenaHeld')).toBe(BLOCK);
  core.call('arenaAllocate', 1);
  expect(core.call('arenaHeld')).toBe(2 * BLOCK);
  core.call('arenaAllocate', 10_000);
  expect(core.call('arenaHeld')).toBe(2 * BLOCK + 10_000 + HEADER);
});

test('a reset keeps one ordinary block for the next round, and gives back the rest', () => {
  for (const size of [10_000, 100, 200, 10_000]) core.call('arenaAllocate', size);
  core.call('arenaReset');
  expect(core.call('arenaHeld')).toBe(BLOCK);
  const first = core.call('arenaAllocate', 8);
  core.call('arenaReset');
  expect(core.call('arenaAllocate', 8)).toBe(first);
  core.call('arenaAllocate', BLOCK - HEADER - 8);
  expect(core.call('arenaHeld')).toBe(BLOCK);
  core.call('arenaAllocate', 1);
  expect(core.call('arenaHeld')).toBe(2 * BLOCK);
});

test('a reset keeps nothing where all blocks are large', () => {
  core.call('arenaAllocate', 10_000);
  core.call('arenaReset');
  expect(core.call('arenaHeld')).toBe(0);
  core.call('arenaReset');
  expect(core.call('arenaHeld')).toBe(0);
});

test('what was allocated since a moment is given back, and what was there before stays', () => {
  const some = fc.array(fc.nat(3 * BLOCK), { maxLength: 20 });
  fc.assert(
    fc.property(some, some, some, (before, since, after) => {
      core.call('arenaReset');
      const filled = before.map((size, i) => fill(size, i + 1));
      const held = core.call('arenaHeld');
      core.call('arenaMark');
      for (const size of since) fill(size, 0xaa);
      core.call('arenaGiveBack');
      expect(core.call('arenaHeld')).toBe(held);
      const rest = after.map((size) => fill(size, 0xbb));
      for (const { pointer, size, byte } of [...filled, ...rest])
        expect(core.get(pointer, size).every((found) => found === byte)).toBe(true);
    }),
  );

  function fill(size: number, byte: number): { pointer: number; size: number; byte: number } {
    const pointer = core.call('arenaAllocate', size);
    core.memory.fill(byte, pointer, pointer + size);
    return { pointer, size, byte };
  }
});

test('rounds of work do not make the memory grow', () => {
  const fresh = instance();
  fresh.call('arenaOpen', BLOCK);
  const round = (): void => {
    for (const size of [100, 50_000, 200, 300]) fresh.call('arenaAllocate', size);
    fresh.call('arenaReset');
  };
  // The allocator looks for free blocks a size class up, so what the first round gave back may not do for the second.
  for (let i = 0; i < 3; i++) round();
  const before = fresh.memory.length;
  for (let i = 0; i < 1000; i++) round();
  expect(fresh.memory.length).toBe(before);
});

test('zeroed memory is zero where other memory was', () => {
  const used = core.call('arenaAllocate', 64);
  core.memory.fill(0xff, used, used + 64);
  core.call('arenaReset');
  expect(core.call('arenaZeroed', 64)).toBe(used);
  expect(core.get(used, 64)).toEqual(new Uint8Array(64));
});

test('a copy is the same bytes elsewhere', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const [pointer, length] = core.span(bytes);
  const copy = core.bytes('arenaCopy', pointer, length);
  core.memory.fill(0, pointer, pointer + length);
  expect(copy).toEqual(bytes);
  core.clear();
});

test('a copy of what is empty is empty, and a copy of nothing is nothing', () => {
  expect(core.bytes('arenaCopy', core.allocate(1), 0)).toEqual(new Uint8Array());
  expect(core.bytes('arenaCopy', 0, 0)).toBeUndefined();
  core.clear();
});
