// The most that the module's memory may be is declared to the host; short of it, what is asked for must be there.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { instance } from './core.ts';

const MIB = 1 << 20;

test('the most is what the module declares to its host', () => {
  const config = JSON.parse(readFileSync(new URL('../../asconfig.json', import.meta.url), 'utf8')) as {
    options: { maximumMemory: number };
  };
  expect(instance().call('roomPages')).toBe(config.options.maximumMemory);
});

/** Takes blocks while there is said to be room for them; what is said must be so, or the allocator traps. */
function fill(core: ReturnType<typeof instance>, size: number): number[] {
  const blocks: number[] = [];
  while (core.call('roomFor', size) === 1) blocks.push(core.call('allocate', size));
  return blocks;
}

test.each([300 * MIB, 64 * MIB, 5 * MIB, 700_001])('blocks of %d bytes can be taken while there is room', (size) => {
  const core = instance();
  const blocks = fill(core, size);
  expect(blocks.length * size, 'nearly all of the memory is of use').toBeGreaterThan(600 * MIB);
  expect(new Set(blocks).size).toBe(blocks.length);
  // The reserve is for what is small, and nobody asks for that.
  for (let i = 0; i < 1000; i++) core.call('allocate', 3000);
  for (const block of blocks) core.call('release', block);
  expect(fill(core, size).length, 'what is given back can be taken again').toBeGreaterThanOrEqual(
    blocks.length * 0.99 - 1,
  );
});

test('with every second block given back there is room for what fits between two, and for no more', () => {
  const core = instance();
  const blocks = fill(core, 10 * MIB);
  blocks.forEach((block, i) => {
    if (i % 2 === 0) core.call('release', block);
  });
  expect(core.call('roomFor', 40 * MIB)).toBe(0);
  const between = fill(core, 2 * MIB);
  expect(between.length * 2).toBeGreaterThan(blocks.length / 2);
});

test('what wraps when it is computed is no small block', () => {
  const core = instance();
  core.call('arenaOpen', 256);
  for (const size of [0xffff_ffff, 0xffff_fff9, 0x8000_0000, 0x4000_0000]) {
    expect(() => core.call('arenaAllocate', size)).toThrow();
  }
});
