// examples/: configurations that a newcomer copies. Each is checked, and started on both engines with the demo servers that
// it is written for.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { type DemoName, demoServers, startDemo } from '../../envoy/demo/run.ts';
import { main } from '../../cli/main.ts';
import { start } from '../../cli/start/command.ts';
import type { ReadyEvent } from '../../cli/start/events.ts';
import { clone, envoyBinary, hasEnvoy, runSluice, temporaryFolder } from './support.ts';

vi.setConfig({ testTimeout: 90_000 });

const examples = readdirSync(join(clone, 'examples')).sort();
const textOf = (file: string): string => readFileSync(join(clone, file), 'utf8');

/** What `start` has to print of each, as numbers of tools: of its servers, then of its virtual servers. */
const tools: Readonly<Record<string, readonly [servers: readonly number[], virtualServers: readonly number[]]>> = {
  'credentials.yaml': [[12, 3], []],
  'passthrough.yaml': [[12, 3], []],
  'rest.yaml': [[2, 3], []],
  'two-servers.yaml': [[12, 3], []],
  'virtual-servers.yaml': [
    [7, 3],
    [7, 3],
  ],
  'whole.yaml': [[11, 3], [7]],
};

test('all of them are tried below', () => {
  expect(examples).toEqual(Object.keys(tools));
});

test.each(examples)('%s has nothing to be refused for', async (name) => {
  const said: string[] = [];
  const io = { out: (text: string) => void said.push(text), err: () => undefined, interactive: false, env: {} };
  expect(await main(['check', join(clone, 'examples', name)], io), said.join('')).toBe(0);
});

describe.each(['envoy', 'embedded'] as const)('--engine %s', (engine) => {
  it.skipIf(engine === 'envoy' && !hasEnvoy).each(examples)('starts %s', async (name) => {
    let text = textOf(`examples/${name}`);
    for (const demo of Object.keys(demoServers) as DemoName[]) {
      const running = await startDemo(demo, 0);
      onTestFinished(() => running.stop());
      text = text.replaceAll(`http://127.0.0.1:${demoServers[demo]}/mcp`, running.url);
    }
    const folder = temporaryFolder();
    const file = join(folder, name);
    writeFileSync(file, text);
    const key = Buffer.alloc(32, 1).toString('base64url');
    const env = { SLUICE_DATA_DIR: folder, NOTES_TOKEN: 'Bearer secret', SLUICE_KEY_1: key };
    const args = ['start', '--json', '--engine', engine, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const binary = engine === 'envoy' ? { ENVOY_PATH: envoyBinary() } : {};
    const ready = (await runSluice([...args, '--config', file], { ...env, ...binary }).next()) as ReadyEvent;
    expect(ready).toMatchObject({ event: 'ready' });
    expect(ready.servers.map(({ problem }) => problem)).toEqual([undefined, undefined]);
    const counted = [ready.servers.map((server) => server.tools.length), ready.virtualServers.map((one) => one.tools)];
    expect(counted).toEqual(tools[name]);
  });
});

test('their own command lines, and those of the pages, are ones that there are', () => {
  const pages = [
    'README.md',
    'docs/running.md',
    'docs/virtual-servers.md',
    ...examples.map((name) => `examples/${name}`),
  ];
  const commands = pages.flatMap((page) => [
    ...textOf(page).matchAll(/(?:npx sluice|npm) start (?:-- )?(--config examples\/[^`\n]*)/g),
  ]);
  expect(commands.length).toBeGreaterThanOrEqual(5);
  for (const [, args = ''] of commands) {
    const config = start.parse(args.trim().split(' '))?.config;
    expect(examples).toContain(config?.replace('examples/', ''));
  }
});

test('each is found from a page, and docs/virtual-servers.md shows its own as it is', () => {
  for (const name of examples) expect(textOf('docs/configuration.md')).toContain(`(../examples/${name})`);
  expect(textOf('docs/virtual-servers.md')).toContain(`\`\`\`yaml\n${textOf('examples/virtual-servers.yaml')}\`\`\``);
});
