// CONTRIBUTING.md sends people to files and tests that there are, and SECURITY.md claims nothing without a test.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clone, codeIn, exists, linksOf, read, table } from './pages.ts';

describe('CONTRIBUTING.md', () => {
  const page = 'CONTRIBUTING.md';
  const changes = table(page, 'change');

  test('says of each kind of change where it goes', () => {
    const kinds = changes.map(([kind]) => kind).join('\n');
    for (const kind of [
      'method',
      'noun',
      'kind of server',
      'configuration member',
      'error',
      'metric',
      'rule',
      'command',
    ])
      expect(kinds).toContain(kind);
    expect(kinds).toContain('route of the plugin server');
  });

  test('with files and tests that exist', () => {
    const folders = readdirSync(clone);
    const paths = codeIn(read(page)).filter((code) => code.includes('/') && folders.includes(code.split('/')[0] ?? ''));
    expect(paths.length).toBeGreaterThan(2 * changes.length);
    expect(paths.filter((path) => !exists(path))).toEqual([]);
    for (const [kind, , first = ''] of changes)
      expect([kind, first]).toEqual([kind, expect.stringMatching(/\.test\.ts$/)]);
  });

  test('with scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: object };
    const commands = [...read(page).matchAll(/^npm (?:run )?([\w:]+)/gm)].map(([, name = '']) => name);
    expect(commands.length).toBeGreaterThan(4);
    for (const name of commands) expect(scripts).toHaveProperty([name]);
  });
});

test('SECURITY.md links to a test for each guard', () => {
  const tests = linksOf('SECURITY.md').filter(({ path }) => path.startsWith(join('test', '/')));
  const guards = table('SECURITY.md', 'guard');
  expect(guards.length).toBeGreaterThan(10);
  expect(guards.filter(([, shown = '']) => !shown.includes('](test/'))).toEqual([]);
  expect(tests.length).toBeGreaterThanOrEqual(guards.length);
});
