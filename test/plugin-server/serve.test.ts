import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { loadArtifact } from '../../plugin-server/index.ts';
import type { Io } from '../../cli/io.ts';
import { serve } from '../../cli/serve/command.ts';
import { ownBuild } from '../../cli/serve/own-build.ts';
import { send } from './client.ts';
import { moduleWith } from './modules.ts';

let directory: string;
let data: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-serve-'));
  data = join(directory, 'data');
  await mkdir(join(data, 'sluice/1.0.0'), { recursive: true });
  await writeFile(join(data, 'sluice/1.0.0/plugin.wasm'), moduleWith('served'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Runs a command that ends by itself, and collects what it says. */
async function run(args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    interactive: false,
    env: {},
  };
  const code = await serve.run(args, io);
  return { code, out, err };
}

describe('a command that cannot be done', () => {
  test.each([
    ['an unknown option', ['--port', '80'], "Unknown option '--port'"],
    ['an argument', ['plugins'], 'Unexpected argument'],
    ['a port alone', ['--listen', '8801'], '--listen takes HOST:PORT'],
    ['a port out of range', ['--listen', '127.0.0.1:65536'], '--listen takes HOST:PORT'],
    ['a bare IPv6 address', ['--listen', '::1:8801'], '--listen takes HOST:PORT'],
    ['no value', ['--data'], "'--data <value>' argument missing"],
  ])('%s is wrong use', async (_what, args, message) => {
    const text = await run(args);
    expect(text).toMatchObject({ code: 2, out: '' });
    expect(text.err).toMatch(/^sluice serve: .*\n$/);
    expect(text.err).toContain(message);
    const json = await run(['--json', ...args]);
    expect(json).toMatchObject({ code: 2, err: '' });
    expect(JSON.parse(json.out)).toEqual({ event: 'error', message: expect.stringContaining(message) as string });
  });

  test('artifacts that cannot be served are found', async () => {
    await writeFile(join(data, 'sluice/1.0.0/plugin.wasm'), 'text');
    const { code, err } = await run(['--data', data, '--listen', '127.0.0.1:0']);
    expect(code).toBe(1);
    expect(err).toContain('sluice/1.0.0 is no WebAssembly module');
  });

  test('a directory without plugins is found', async () => {
    const { code, err } = await run(['--data', join(data, 'sluice/1.0.0')]);
    expect(code).toBe(1);
    expect(err).toContain('put one at <name>/<version>/plugin.wasm');
  });

  test('a directory that is not there is the environment', async () => {
    const { code, err } = await run(['--data', join(data, 'missing')]);
    expect(code).toBe(3);
    expect(err).toContain('(ENOENT)');
  });

  test('a port that is taken is the environment', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, out, err } = await run(['--data', data, '--listen', `127.0.0.1:${port}`, '--json']);
    other.close();
    expect(code).toBe(3);
    expect(err).toBe('');
    expect(JSON.parse(out)).toEqual({
      event: 'error',
      message: `127.0.0.1:${port} is taken by another process; stop it or listen on another port`,
    });
  });
});

test('--help tells the options', async () => {
  const { code, out } = await run(['--help']);
  expect(code).toBe(0);
  for (const option of ['--listen', '--data', '--json']) expect(out).toContain(option);
});

describe("the clone's own build", () => {
  test('is sluice, in the version of its package.json', async () => {
    await mkdir(join(directory, 'build'));
    await writeFile(join(directory, 'build/plugin.wasm'), moduleWith('own'));
    await writeFile(join(directory, 'package.json'), '{"version":"7.8.9"}');
    const { name, version, sha256 } = await ownBuild(directory);
    expect({ name, version, sha256 }).toEqual({
      name: 'sluice',
      version: '7.8.9',
      sha256: loadArtifact('x', '0.0.0', moduleWith('own')).sha256,
    });
  });

  test('is to be built where it is missing', async () => {
    await writeFile(join(directory, 'package.json'), '{"version":"7.8.9"}');
    await expect(ownBuild(directory)).rejects.toMatchObject({
      exitCode: 3,
      message: `${join(directory, 'build/plugin.wasm')} is not there: run "npm run build", or name plugins with --data DIR`,
    });
  });
});

describe('a running server', () => {
  let child: ChildProcess | undefined;

  afterEach(() => {
    child?.kill('SIGKILL');
  });

  /** Starts the command in a process of its own, as signals need one; `lines` is its stdout. */
  function start(...args: string[]): { process: ChildProcess; lines: AsyncIterator<string>; exit: Promise<unknown[]> } {
    const script = `
      import { serve } from './cli/serve/command.ts';
      import { processIo } from './cli/io.ts';
      process.exitCode = await serve.run(process.argv.slice(1), processIo);`;
    const all = ['--data', data, '--listen', '127.0.0.1:0', '--access-log', 'off', ...args];
    const process_ = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, '--', ...all], {
      cwd: new URL('../../', import.meta.url),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = process_;
    const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
    return { process: process_, lines, exit: once(process_, 'exit') };
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('says with --json where it serves what, until %s', async (signal) => {
    const { process, lines, exit } = start('--json');
    const ready = JSON.parse((await lines.next()).value as string) as { pluginServer: string };
    const { sha256, bytes } = loadArtifact('sluice', '1.0.0', moduleWith('served'));
    expect(ready).toEqual({
      event: 'ready',
      pluginServer: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      plugins: [
        {
          name: 'sluice',
          version: '1.0.0',
          size: bytes.length,
          sha256,
          url: `${ready.pluginServer}/plugins/sluice/1.0.0/plugin.wasm`,
        },
      ],
    });
    expect((await send(ready.pluginServer, '/plugins/sluice/1.0.0/plugin.wasm')).body).toEqual(bytes);
    process.kill(signal);
    expect(await lines.next()).toEqual({ done: false, value: '{"event":"stopped"}' });
    expect(await lines.next()).toMatchObject({ done: true });
    expect(await exit).toEqual([0, null]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('is stopped by %s while it starts', async (signal) => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const { process, lines, exit } = start('--json', '--nacos', `http://127.0.0.1:${port}`);
    await once(silent, 'connection');
    process.kill('SIGHUP');
    process.kill(signal);
    expect(await lines.next()).toEqual({ done: false, value: '{"event":"stopped"}' });
    expect(await exit).toEqual([0, null]);
  });

  test.each([
    ['0.0.0.0:0', /^http:\/\/(?!0\.0\.0\.0)[\d.]+:\d+$/],
    ['[::]:0', /^http:\/\/(?!\[::\])[[\]\da-f.:]+:\d+$/],
  ])('names an address where others find it when it listens on %s', async (listen, address) => {
    const { lines } = start('--json', '--listen', listen);
    const ready = JSON.parse((await lines.next()).value as string) as { pluginServer: string };
    expect(ready.pluginServer).toMatch(address);
    expect((await send(ready.pluginServer, '/healthz')).status).toBe(200);
  });

  test('says it to people too', async () => {
    const { process, lines, exit } = start();
    expect((await lines.next()).value).toMatch(
      /^plugin server ready on http:\/\/127\.0\.0\.1:\d+; stop it with Ctrl-C$/,
    );
    expect((await lines.next()).value).toContain('/plugins/sluice/1.0.0/plugin.wasm  66 bytes  sha256 ');
    process.kill('SIGINT');
    expect((await lines.next()).value).toBe('stopped');
    expect(await exit).toEqual([0, null]);
  });
});
