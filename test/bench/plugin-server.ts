// `npm run bench:plugin-server`: how fast `sluice serve` starts with a full store and hands its modules out. Needs `wrk`
// on the PATH, and Linux. Prints tables; nothing depends on the times, an answer that is an error ends it.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { ArtifactStore, loadArtifact } from '../../plugin-server/index.ts';
import { DiskStore } from '../../plugin-server/store/disk.ts';
import { cpuOf, memoryOf } from './processes.ts';

const { values } = parseArgs({
  options: {
    versions: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
  },
});
const versions = Number(values.versions);
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const clone = fileURLToPath(new URL('../..', import.meta.url));
const shipped = readFileSync(join(clone, 'build/plugin.wasm'));
const moduleSize = 500_000;

interface Serving {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  /** From the start of the process until `/plugins` was answered, in ms. */
  readonly ready: number;
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const loaded = mkdtempSync(join(tmpdir(), 'sluice-bench-bundle-'));
try {
  await measureFirstAnswer();
  await fill(folder);
  await measureStart();
  await measureDownloads();
} finally {
  rmSync(folder, { recursive: true });
  rmSync(loaded, { recursive: true });
}

/** How soon a bundle answers, with nothing but its own module, or with a gateway as well. */
async function measureFirstAnswer(): Promise<void> {
  const file = join(loaded, 'bundle.tar');
  const sluice = join(clone, 'bin/sluice.mjs');
  await promisify(execFile)(process.execPath, [sluice, 'bundle', '--out', file]);
  await promisify(execFile)(process.execPath, [sluice, 'load', file, '--into', join(loaded, 'sluice')]);
  const gateway = join(loaded, 'gateways/edge');
  mkdirSync(gateway, { recursive: true });
  writeFileSync(join(gateway, 'sluice.yaml'), 'servers: [{ name: notes, url: "http://127.0.0.1:3002/mcp" }]\n');
  const live = ['--gateways', dirname(gateway), '--state', join(loaded, 'state')];
  title('start of a loaded bundle', ['first answer ms', 'CPU ms', 'MiB']);
  for (const [name, args] of [['its own module', []] as const, ['and a gateway', live] as const]) {
    for (let round = 0; round < rounds; round++) {
      const server = await serve([join(loaded, 'sluice/sluice')], args);
      row(`${name}, round ${round + 1}`, [server.ready, cpuOf(server.pid) / 1000, memoryOf(server.pid)]);
      await stop(server);
    }
  }
}

/** The shipped module, and behind it a custom section that makes each of them another one of the same size. */
async function fill(data: string): Promise<void> {
  const store = new ArtifactStore([], new DiskStore(data));
  for (let index = 0; index < versions; index++) {
    const content = Buffer.concat([Buffer.from('\x01x'), randomBytes(moduleSize - shipped.length - 6)]);
    const length = [content.length & 0x7f, (content.length >> 7) & 0x7f, content.length >> 14];
    const section = Buffer.from([0, (length[0] ?? 0) | 0x80, (length[1] ?? 0) | 0x80, length[2] ?? 0]);
    const module = Buffer.concat([shipped, section, content]);
    await store.publish(loadArtifact(`plugin-${index % 100}`, `1.0.${index}`, module));
  }
  await store.publish(loadArtifact('sluice', '1.0.0', shipped));
}

async function measureStart(): Promise<void> {
  title(`start with ${versions} modules of ${moduleSize / 1000} KB`, ['store ms', 'store CPU ms', 'process ms']);
  for (let round = 0; round < rounds; round++) {
    const { wall, cpu } = await openingTime();
    const server = await serveFilled();
    await stop(server);
    row(`round ${round + 1}`, [wall, cpu, server.ready]);
  }
}

/** Of the store alone, in a process that has loaded the code. */
async function openingTime(): Promise<{ wall: number; cpu: number }> {
  const script = `
    const { openStore } = await import('./plugin-server/index.ts');
    const [before, began] = [process.cpuUsage(), performance.now()];
    const { store } = await openStore(process.argv[1], { log: console });
    const wall = performance.now() - began;
    const { user, system } = process.cpuUsage(before);
    if (store.count < ${versions}) throw new Error('it has ' + store.count + ' versions');
    console.log(JSON.stringify({ wall, cpu: (user + system) / 1000 }));
    process.exit();`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script, '--', folder];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: clone });
  return JSON.parse(stdout) as { wall: number; cpu: number };
}

async function measureDownloads(): Promise<void> {
  const server = await serveFilled();
  const large = `${server.url}/plugins/plugin-0/1.0.0/plugin.wasm`;
  const small = `${server.url}/plugins/sluice/1.0.0/plugin.wasm`;
  title('downloads', ['requests/s', 'GB/s', 'CPU µs', 'p99 ms']);
  for (let round = 0; round < rounds; round++) {
    await measure(server, `${moduleSize / 1000} KB, 64 clients`, large, 64, seconds);
    await measure(server, `${Math.round(shipped.length / 1000)} KB, 64 clients`, small, 64, seconds);
  }
  await measure(server, `${Math.round(shipped.length / 1000)} KB, 512 clients`, small, 512, Math.max(seconds, 10));
  process.stdout.write(`memory of the server: ${memoryOf(server.pid).toFixed(0)} MiB\n`);
  await stop(server);
}

async function measure(server: Serving, name: string, url: string, clients: number, time: number): Promise<void> {
  const before = cpuOf(server.pid);
  const args = ['-t1', `-c${clients}`, `-d${time}s`, '--timeout', '30s', '--latency', url];
  const { stdout } = await promisify(execFile)('wrk', args);
  const cpu = cpuOf(server.pid) - before;
  const failure = /(?:Socket errors|Non-2xx).*/.exec(stdout)?.[0];
  if (failure !== undefined) throw new Error(`${name}: ${failure}`);
  const [, requests = '', elapsed = ''] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? [];
  const [, latency = '', unit = ''] = /99% +([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const perSecond = Number(requests) / Number(elapsed);
  const size = url.includes('plugin-0') ? moduleSize : shipped.length;
  const p99 = Number(latency) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's'];
  row(`${name}: ${requests} requests`, [perSecond, (perSecond * size) / 1e9, cpu / Number(requests), p99]);
}

function serveFilled(): Promise<Serving> {
  return serve([process.execPath, join(clone, 'bin/sluice.mjs')], ['--data', folder]);
}

async function serve([program = '', ...sluice]: readonly string[], options: readonly string[]): Promise<Serving> {
  const began = performance.now();
  const args = [...sluice, 'serve', ...options, '--listen', '127.0.0.1:0', '--json', '--access-log', 'off'];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { pluginServer: url } = JSON.parse(line) as { pluginServer: string };
  const { status } = await fetch(`${url}/plugins`);
  if (status !== 200) throw new Error(`/plugins: ${status}`);
  return { child, pid: child.pid ?? 0, url, ready: performance.now() - began };
}

async function stop({ child }: Serving): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function title(text: string, columns: readonly string[]): void {
  process.stdout.write(`\n${text.padEnd(40)}${columns.map((column) => column.padStart(14)).join('')}\n`);
}

function row(name: string, figures: readonly number[]): void {
  process.stdout.write(
    `${name.padEnd(40)}${figures.map((figure) => figure.toFixed(figure < 10 ? 2 : 0).padStart(14)).join('')}\n`,
  );
}
