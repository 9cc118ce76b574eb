import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parse } from 'yaml';
import type { StartEvent } from '../../scripts/start/events.ts';
import {
  type Sluice,
  envoyBinary,
  hasEnvoy,
  isAlive,
  isListening,
  processTree,
  runSluice,
  temporaryFolder,
} from './support.ts';

vi.setConfig({ testTimeout: 90_000 }); // each test starts two or more programs, on a machine that may be busy

type Ready = StartEvent & { event: 'ready' };

type Start = (args: readonly string[], env?: Readonly<Record<string, string>>) => Sluice & { data: string };

const startOn =
  (engine: 'envoy' | 'embedded'): Start =>
  (args, env = {}) => {
    const data = temporaryFolder();
    const flags = ['--engine', engine, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const named = { SLUICE_DATA_DIR: data, ...(engine === 'envoy' ? { ENVOY_PATH: envoyBinary() } : {}) };
    return { ...runSluice(['start', '--json', ...flags, ...args], { ...named, ...env }), data };
  };

const titles = { envoy: /^envoy 1\.\d+\.\d+$/, embedded: /^embedded \(as envoy 1\.\d+\.\d+\)$/ };

async function ready(sluice: Sluice): Promise<Ready> {
  const event = await sluice.next();
  expect(event).toMatchObject({ event: 'ready' });
  return event as Ready;
}

async function expectNothingLeft({ mcp, admin, pluginServer, servers }: Ready, pids: readonly number[]): Promise<void> {
  await vi.waitFor(() => {
    expect(pids.filter(isAlive)).toEqual([]);
  }, 5_000);
  for (const url of [mcp, admin, pluginServer, ...servers.map((server) => server.url)]) {
    expect(await isListening(url), url).toBe(false);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.each(['envoy', 'embedded'] as const)('sluice start --engine %s', (engine) => {
  const start = startOn(engine);
  const test = it.skipIf(engine === 'envoy' && !hasEnvoy);

  test('serves the tools of two demo servers until SIGTERM, and leaves nothing behind', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    expect(event.engine).toMatch(titles[engine]);
    expect(event.servers.map(({ name }) => name)).toEqual(['everything', 'notes']);
    expect(event.tools).toBe(event.servers.flatMap(({ tools }) => tools).length);

    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(event.mcp)));
    const note = await client.callTool({ name: 'notes_add', arguments: { title: 'one', text: 'kept' } });
    expect(note.structuredContent).toEqual({ id: 1, title: 'one', text: 'kept' });
    const echo = await client.callTool({ name: 'everything_echo', arguments: { message: 'hello' } });
    expect(echo.content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    await client.close();

    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    expect(pids).toContain(event.pid);
    sluice.signal('SIGTERM');
    expect(await sluice.next()).toEqual({ event: 'stopped' });
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    await expectNothingLeft(event, pids);
    for (const line of sluice.said.out.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(sluice.said.err).toBe('');
  });

  test('keeps its session key for its owner alone, and out of every configuration', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    const file = join(sluice.data, 'session-key');
    const key = readFileSync(file, 'utf8').trim();
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(event.envoyConfig, 'utf8')).not.toContain(key);
    const dump = await (await fetch(`${event.admin}/config_dump`)).text();
    expect(dump).toContain('SLUICE_KEY_1');
    expect(dump).not.toContain(key);
  });

  test('takes its servers down with it when it is killed', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    sluice.signal('SIGKILL');
    await expectNothingLeft(event, pids);
  });

  const processOfItsOwn = engine === 'envoy' ? test : () => undefined; // the embedded engine is in this one
  processOfItsOwn('ends when Envoy ends, and says so', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    process.kill(event.pid, 'SIGKILL');
    expect(await sluice.next()).toMatchObject({
      event: 'error',
      message: expect.stringContaining('SIGKILL') as string,
    });
    expect((await sluice.exited).code).toBe(3);
    await expectNothingLeft(event, pids);
  });

  test('ends when a demo server ends, and says which', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    const tree = processTree(sluice.pid);
    const pids = tree.map(({ pid }) => pid);
    const [demo] = tree.filter(({ command }) => command.includes('demo/main.ts everything'));
    process.kill(demo?.pid ?? NaN, 'SIGKILL');
    const message = expect.stringMatching(/demo server everything ended/) as string;
    expect(await sluice.next()).toMatchObject({ event: 'error', message });
    expect((await sluice.exited).code).toBe(3);
    await expectNothingLeft(event, pids);
  });

  test('stops in order when a Ctrl-C comes twice at once, as from a terminal and from npm', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    sluice.signal('SIGINT');
    sluice.signal('SIGINT');
    expect((await sluice.exited).code).toBe(0);
    await expectNothingLeft(event, pids);
  });

  test('stops while it is still starting', async () => {
    const sluice = start([]);
    const tree = await vi.waitFor(() => {
      const processes = processTree(sluice.pid);
      expect(processes.some(({ command }) => command.includes('demo/main.ts'))).toBe(true);
      return processes;
    }, 20_000);
    const pids = tree.map(({ pid }) => pid);
    sluice.signal('SIGINT');
    expect((await sluice.exited).code).toBe(0);
    await vi.waitFor(() => {
      expect(pids.filter(isAlive)).toEqual([]);
    }, 5_000);
  });

  test('federates the servers of the command line under the prefixes that it gives', async () => {
    const demos = await ready(start([]));
    const url = demos.servers[1]?.url ?? '';
    const event = await ready(start(['--server', `mine=${url}`, '--server', `b=${url}`, '--prefix', 'b=second.']));
    expect(event.servers).toMatchObject([
      { name: 'mine', url, tools: ['mine_add', 'mine_search', 'mine_remove'] },
      { name: 'b', url, tools: ['second.add', 'second.search', 'second.remove'] },
    ]);
  });

  test('runs a configuration with url instead of cluster, at its own endpoint, by name and by address', async () => {
    const demos = await ready(start([]));
    const url = demos.servers[1]?.url ?? '';
    const config = join(temporaryFolder(), 'sluice.yaml');
    writeFileSync(
      config,
      `endpoint: /tools
sessions: { keys: [{ id: 7, env: MY_KEY }], ttl: 1h }
servers:
  - { name: by-address, url: '${url}' }
  - { name: by-name, url: '${url.replace('127.0.0.1', 'localhost')}', prefix: 'n.' }
`,
    );
    const event = await ready(start(['--config', config], { MY_KEY: Buffer.alloc(32, 1).toString('base64url') }));
    expect(new URL(event.mcp).pathname).toBe('/tools');
    expect(event.servers.map(({ tools }) => tools[0])).toEqual(['by-address_add', 'n.add']);
    const derived = JSON.stringify(parse(readFileSync(event.envoyConfig, 'utf8')));
    expect(derived).toContain('"host_env_keys":["MY_KEY"]');
  });

  test('shows a server that is down, and serves the others', async () => {
    const demos = await ready(start([]));
    const down = `http://127.0.0.1:${await freePort()}/mcp`;
    const up = demos.servers[1]?.url ?? '';
    const event = await ready(start(['--server', `down=${down}`, '--server', `up=${up}`]));
    expect(event.servers.map(({ tools }) => tools.length)).toEqual([0, 3]);
  });

  test('says which port is taken, in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    onTestFinished(() => void taken.close());
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const sluice = start(['--listen', address]);
    const message = `${address} is in use: stop what listens there, or choose another address with --listen HOST:PORT`;
    expect(await sluice.next()).toEqual({ event: 'error', message });
    expect((await sluice.exited).code).toBe(3);
    const plain = runSluice(['start', '--listen', address]);
    expect((await plain.exited).code).toBe(3);
    expect(plain.said).toEqual({ out: '', err: `sluice start: ${message}\n` });
  });

  test("tells a bad configuration in the module's own words", async () => {
    const config = join(temporaryFolder(), 'sluice.yaml');
    writeFileSync(
      config,
      "limits: { heldbody: 1Mi }\nservers: [{ name: a, url: 'http://127.0.0.1:1/mcp', prefx: a }]\n",
    );
    const sluice = start(['--config', config]);
    const event = await sluice.next();
    expect(event).toMatchObject({ event: 'error', message: 'the plugin configuration was refused' });
    const details = (event as { details?: string[] }).details?.join('\n');
    expect(details).toMatch(/limits\.heldbody.*heldBody/);
    expect(details).toMatch(/servers\[0\]\.prefx.*prefix/);
    expect((await sluice.exited).code).toBe(1);
  });

  test('names every environment variable that the configuration asks for and nobody set', async () => {
    const config = join(temporaryFolder(), 'sluice.json');
    const credentials = { type: 'header', header: 'authorization', env: 'SLUICE_TEST_UNSET_TOKEN' };
    const sessions = { keys: [{ id: 1, env: 'SLUICE_TEST_UNSET_KEY' }] };
    const servers = [{ name: 'a', url: 'http://127.0.0.1:1/mcp', credentials }];
    writeFileSync(config, JSON.stringify({ sessions, servers }));
    const sluice = start(['--config', config]);
    const message = expect.stringMatching(/SLUICE_TEST_UNSET_KEY, SLUICE_TEST_UNSET_TOKEN$/) as string;
    expect(await sluice.next()).toMatchObject({ event: 'error', message });
    expect((await sluice.exited).code).toBe(3);
  });
});
