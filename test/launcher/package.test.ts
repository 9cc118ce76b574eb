// What `npm pack` makes, installed where there is neither a clone nor a registry: docs/running.md, "Without a clone".
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { clone } from './support.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 300_000 });

let folder: string;
/** Of the package, where it is installed. */
const inPackage = (...path: string[]): string => join(folder, 'node_modules/sluice', ...path);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await npm(clone, 'pack', '--pack-destination', folder);
  const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  // An empty cache and no network: everything has to be in the archive.
  await npm(folder, 'install', '--offline', '--cache', join(folder, 'cache'), `./${archive}`);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function npm(cwd: string, ...args: string[]): Promise<void> {
  await promisify(execFile)('npm', [...args, '--no-audit', '--no-fund'], { cwd, maxBuffer: 16 << 20 });
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function sluice(...args: string[]): Promise<Ended> {
  return promisify(execFile)('node_modules/.bin/sluice', args, { cwd: folder, env: bareEnvironment }).then(
    (said) => ({ code: 0, ...said }),
    (error: unknown) => error as Ended,
  );
}

/** No variable of the test run, NODE_PATH among them, is of help to what was installed. */
const bareEnvironment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };

function running(...args: string[]): ChildProcess {
  const child = spawn('node_modules/.bin/sluice', args, {
    cwd: folder,
    env: bareEnvironment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'close');
  });
  return child;
}

async function firstEvent(child: ChildProcess): Promise<Record<string, unknown>> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    return JSON.parse(line) as Record<string, unknown>;
  throw new Error(`${child.spawnargs.join(' ')} ended without an event`);
}

describe('the package', () => {
  test('has compiled code and no sources, and neither compiler nor demo servers nor test tools', () => {
    for (const path of ['filter', 'cli', 'plugin-server/server.ts', 'test', 'scripts', 'dist/scripts'])
      expect(existsSync(inPackage(path)), path).toBe(false);
    const packages = readdirSync(inPackage('node_modules'));
    expect(packages).toContain('fastify');
    for (const name of [
      'assemblyscript',
      'binaryen',
      '@modelcontextprotocol',
      'tsx',
      'esbuild',
      'typescript',
      'vitest',
    ])
      expect(packages).not.toContain(name);
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['sluice']);
  });

  test('has each file that a page of it links to, sources aside', () => {
    const pages = ['README.md', ...readdirSync(inPackage('docs')).map((name) => join('docs', name))];
    for (const page of pages.filter((name) => name.endsWith('.md'))) {
      const links = [...readFileSync(inPackage(page), 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)];
      const paths = links.map(([, path = '']) => join(page, '..', path)).filter((path) => !path.startsWith('test/'));
      const missing = paths.filter((path) => !existsSync(inPackage(path)));
      expect(missing, page).toEqual([]);
    }
  });

  test('sluice --help', async () => {
    const { code, stdout } = await sluice('--help');
    expect(code).toBe(0);
    for (const name of ['start', 'serve', 'publish', 'rollback', 'check'])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'));
  });

  test('sluice --version is the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
    expect(await sluice('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  test('sluice check takes what it ships, and asks the module about it', async () => {
    const { code, stdout } = await sluice('check');
    expect(stdout).toMatch(/\n12 files checked: 2 warnings\n$/);
    expect(code).toBe(0);
    writeFileSync(join(folder, 'sluice.yaml'), 'servers: [{ name: a, url: http://127.0.0.1:1/mcp }]\nlog: loud\n');
    const bad = await sluice('check', 'sluice.yaml');
    expect(bad.stdout).toContain('log: must be one of trace');
    expect(bad.code).toBe(1);
  });

  test('sluice serve hands out the module that it came with', async () => {
    const ready = await firstEvent(running('serve', '--listen', '127.0.0.1:0', '--json'));
    expect(ready).toMatchObject({ event: 'ready' });
    const [{ url }] = ready['plugins'] as [{ url: string }];
    const served = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(Buffer.compare(served, readFileSync(inPackage('build/plugin.wasm')))).toBe(0);
  });

  test('sluice start runs the gateway for servers that are named', async () => {
    const ready = await firstEvent(
      running(
        ...['start', '--engine', 'embedded', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--json'],
        ...['--server', 'absent=http://127.0.0.1:1/mcp'],
      ),
    );
    expect(ready).toMatchObject({ event: 'ready', servers: [{ name: 'absent' }] });
    const answer = await fetch(String(ready['mcp']), { method: 'POST', body: 'not JSON' });
    expect(answer.headers.get('x-mcp-gateway')).toMatch(/^sluice\//);
    expect(ready['envoyConfig']).toBe(join(folder, '.sluice/envoy.yaml'));
  });

  test('sluice start without a server says that the demo servers are not there, and what to do', async () => {
    const { code, stderr } = await sluice('start');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^sluice start: the two demo MCP servers are not installed with this package: /);
    expect(stderr).toContain('--server NAME=URL');
    expect(stderr).toMatch(
      /npm install --no-save @modelcontextprotocol\/sdk@[\d.]+ @modelcontextprotocol\/server-every/,
    );
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
