// Every link of every page leads somewhere, to a file that is there in a fresh clone and to a heading of it; and tables are tables.
import { expect, test } from 'vitest';
import { templatesIn } from '../../scripts/configurations.ts';
import { anchorsOf, clone, exists, linksOf, pages, read } from './pages.ts';

/** What the build makes is not there where the page is read. */
const made = templatesIn(clone).map((path) => `envoy/${path}`);

test('there are pages, with links', () => {
  expect(pages()).toEqual(expect.arrayContaining(['README.md', 'docs/architecture.md', 'docs/running.md']));
  expect(linksOf('README.md').length).toBeGreaterThan(15);
  expect(linksOf('docs/running.md')).toContainEqual({ path: 'docs/host-modes.md', anchor: '' });
});

test.each(pages())('%s', (page) => {
  const links = linksOf(page);
  expect(links.filter(({ path }) => made.includes(path) || !exists(path))).toEqual([]);
  const anchored = links.filter(({ path, anchor }) => anchor !== '' && path.endsWith('.md'));
  expect(anchored.filter(({ path, anchor }) => !anchorsOf(path).includes(anchor))).toEqual([]);
});

test.each(pages())('the tables of %s have a head each: rows without one are shown as text', (page) => {
  const lines = read(page).split('\n');
  const first = (line: string, at: number): boolean => line.startsWith('|') && lines[at - 1]?.startsWith('|') !== true;
  expect(lines.filter((line, at) => first(line, at) && !/^\|[ :|-]+\|$/.test(lines[at + 1] ?? ''))).toEqual([]);
});
