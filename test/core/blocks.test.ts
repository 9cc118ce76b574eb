// Large blocks of memory that come again and again: a worker does not grow for them.
import { expect, test } from 'vitest';
import { instance } from './core.ts';

const MB = 1 << 20;

test('a large block that was given back is there for the same size, whatever was taken meanwhile', () => {
  const core = instance();
  const take = (size: number): number => core.call('blockTaken', size);
  const first = take(3.5 * MB);
  for (let time = 0; time < 20; time++) {
    take(1000); // stays, and may lie between two that are free
    core.call('blockGivenBack', first, 3.5 * MB);
    expect(take(3.5 * MB)).toBe(first);
  }
});

test.each([
  ['a smaller one than what is wanted', 3 * MB, 3.5 * MB],
  ['a much larger one', 4 * MB, 3 * MB],
  ['one that is not large', 100_000, 100_000],
  ['one that is too large to keep', 9 * MB, 3 * MB],
])('%s is lost to nobody', (_, one, other) => {
  const core = instance();
  for (let time = 0; time < 50; time++) {
    for (const size of [one, other]) core.call('blockGivenBack', core.call('blockTaken', size), size);
  }
  expect(core.call('pagesOfMemory') << 16).toBeLessThan(4 * Math.max(one, other, MB));
});

test('of several, the largest is kept, and only one', () => {
  const core = instance();
  const sizes = [1, 3, 2].map((each) => each * MB);
  const blocks = sizes.map((size) => core.call('blockTaken', size));
  for (const [index, block] of blocks.entries()) core.call('blockGivenBack', block, sizes[index] ?? 0);
  expect(core.call('blockTaken', 3 * MB)).toBe(blocks[1]);
});
