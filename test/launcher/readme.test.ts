// README.md is what a stranger goes by: its commands exist, its options are understood, its links lead somewhere.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseStart } from '../../scripts/start/options.ts';
import { clone } from './support.ts';

const readme = readFileSync(join(clone, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/^```sh\n(.*?)^```/gms)]
  .flatMap(([, block]) => (block ?? '').split('\n'))
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((line) => line !== '');

test('its commands are scripts of the package, or `sluice` with options that it has', () => {
  const { scripts } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { scripts: object };
  expect(commands.length).toBeGreaterThan(2);
  for (const command of commands) {
    const [program, name, ...rest] = command.split(/\s+/);
    if (program === 'npm') expect(scripts).toHaveProperty(name ?? '');
    else {
      expect([program, name, rest[0]]).toEqual(['npx', 'sluice', 'start']);
      expect(() => parseStart(rest.slice(1))).not.toThrow();
    }
  }
});

test('its client configuration is JSON for the address that `sluice start` takes by default', () => {
  const [, json] = /^```json\n(.*?)^```/ms.exec(readme) ?? [];
  const { mcpServers } = JSON.parse(json ?? '') as { mcpServers: { sluice: { url: string } } };
  const { listen } = parseStart([]);
  expect(mcpServers.sluice.url).toBe(`http://${listen.host}:${listen.port}/mcp`);
});

test('its links lead to files', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? '');
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((path) => !existsSync(join(clone, path)))).toEqual([]);
});
