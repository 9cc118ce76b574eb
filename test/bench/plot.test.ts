import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { faultsOfPicture } from '../docs/pages.ts';
import { plot, slope } from './plot.ts';

const line = { title: 'A line', x: 'x', y: 'y', points: [[1, 2], [1000, 2000]] } as const; // prettier-ignore

test('a plot is a picture for everybody, with a point for each figure', () => {
  const svg = plot([line, line, line]);
  expect(faultsOfPicture(svg)).toEqual([]);
  expect(svg.match(/<circle/g)).toHaveLength(6);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test('what grows as fast as what it depends on has the slope 1, and what does not grow 0', () => {
  expect(slope([1, 2], [1000, 2000])).toBeCloseTo(1);
  expect(slope([1, 7], [1000, 7])).toBe(0);
});

test('the plot of the docs is one of npm run bench:growth', () => {
  const svg = readFileSync(new URL('../../docs/growth.svg', import.meta.url), 'utf8');
  expect(faultsOfPicture(svg)).toEqual([]);
  expect(svg.match(/class="title"/g)).toHaveLength(5);
});
