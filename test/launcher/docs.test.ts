// docs/running.md promises commands: each of them is run here, or its twin with free ports is.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { listTools } from './list-tools.ts';
import { start } from '../../cli/start/command.ts';
import { clone, describeWithEnvoy, envoyBinary, temporaryFolder } from './support.ts';

vi.setConfig({ testTimeout: 90_000 }); // npm and npx start slowly, on a machine that may be busy

const text = readFileSync(join(clone, 'docs/running.md'), 'utf8');

function blocks(): string[][] {
  return [...text.matchAll(/^```sh\n([^`]*)^```$/gm)].map(([, block = '']) => block.trim().split('\n'));
}

/** Runs a command line in the clone; everything that it started ends with the test. */
function shell(command: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn('sh', ['-c', command], {
    cwd: clone,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.pid === undefined) return;
    process.kill(-child.pid, 'SIGTERM');
    await once(child, 'close');
  });
  return child;
}

/** The first line that it says which matches; fails where it ends without. */
async function line(child: ChildProcess, wanted: RegExp): Promise<string> {
  for await (const said of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [match] = wanted.exec(said) ?? [];
    if (match !== undefined) {
      child.stdout?.resume();
      return match;
    }
  }
  throw new Error(`${child.spawnargs.join(' ')} ended without saying ${String(wanted)}`);
}

test('has the commands that are run below', () => {
  expect(blocks()).toEqual([
    ['npm start'],
    [
      'npm start -- --server weather=http://127.0.0.1:4001/mcp --server orders=https://orders.example.com/mcp',
      'npm start -- --config examples/two-servers.yaml',
    ],
    ['npm pack'], // these, and the next ones, are run in package.test.ts
    ['npm install ./sluice-0.1.0.tgz', 'npx sluice check', 'npx sluice serve'],
    [
      'npm run build',
      'npx sluice serve',
      'npx tsx envoy/demo/main.ts everything 3001',
      'npx tsx envoy/demo/main.ts notes 3002',
      'envoy -c envoy/envoy.yaml',
    ],
    ['npm test', 'npm test -- test/launcher'],
    // Minutes and more; test/soak and test/fuzz run the short form of each.
    ['npm run soak -- --minutes 60', 'npm run fuzz -- --target tokens --attempts 100000'],
  ]);
});

test('names options that exist', () => {
  for (const command of blocks()[1] ?? []) {
    expect(() => start.parse(command.replace('npm start -- ', '').split(' '))).not.toThrow();
  }
});

describeWithEnvoy('docs/running.md', () => {
  test('npm start', async () => {
    const env = { ENVOY_PATH: envoyBinary(), SLUICE_DATA_DIR: temporaryFolder() };
    const started = shell('npm start --silent -- --json --listen 127.0.0.1:0 --admin 127.0.0.1:0', env);
    const ready = JSON.parse(await line(started, /^\{.*/)) as { event: string; mcp: string; tools: number };
    expect(ready).toMatchObject({ event: 'ready' });
    expect(await listTools(ready.mcp)).toHaveLength(ready.tools);
  });

  test('npx sluice start --help', async () => {
    expect(await line(shell('npx sluice start --help'), /^usage: sluice start/)).toBeDefined();
  });

  test('Envoy by hand', async () => {
    const built = shell('npm run build --silent');
    expect(await line(built, /sha256 [0-9a-f]{64}/)).toBeDefined();
    const url = /http:\/\/127\.0\.0\.1:\d+/;
    const pluginServer = await line(shell('npx sluice serve --listen 127.0.0.1:0'), url);
    const everything = await line(shell('npx tsx envoy/demo/main.ts everything 0'), url);
    const notes = await line(shell('npx tsx envoy/demo/main.ts notes 0'), url);

    const ports: Record<string, string> = { 3001: everything, 3002: notes, 8801: pluginServer };
    const file = join(temporaryFolder(), 'envoy.yaml');
    const admin = join(temporaryFolder(), 'admin');
    const shipped = readFileSync(join(clone, 'envoy/envoy.yaml'), 'utf8');
    writeFileSync(
      file,
      shipped.replaceAll(/127\.0\.0\.1(:|, port_value: )(\d+)/g, (_, between: string, port: string) => {
        return `127.0.0.1${between}${ports[port] === undefined ? '0' : new URL(ports[port]).port}`;
      }),
    );
    const envoy = shell(`'${envoyBinary()}' -c '${file}' --disable-hot-restart --admin-address-path '${admin}' 2>&1`);
    await line(envoy, /all dependencies initialized. starting workers/);
    const listeners = await (await fetch(`http://${readFileSync(admin, 'utf8')}/listeners`)).text();
    const mcp = `http://${/127\.0\.0\.1:\d+/.exec(listeners)?.[0] ?? ''}/mcp`;
    const tools = await listTools(mcp);
    expect(tools).toContain('everything_echo');
    expect(tools).toContain('notes_add');
  });
});

describe('docs/running.md', () => {
  test('lists the exit codes that commands have', () => {
    const listed = [...text.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
    expect(listed).toEqual([0, 1, 2, 3]);
  });
});
