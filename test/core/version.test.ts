import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { instance } from './core.ts';

test('the module has the version of the package', () => {
  const core = instance();
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { name, version } = JSON.parse(text) as { name: string; version: string };
  expect(core.text('versionProduct')).toBe(`${name}/${version}`);
  expect(JSON.parse(core.text('versionInfo') ?? '')).toEqual({ name, version });
});
