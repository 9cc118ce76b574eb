// `npm run bench:embedded -- OLD`: what a change of the embedded engine costs; OLD is the folder of another clone, whose
// engine runs beside this one's, with the same module and configuration. Each is a process of its own, they are measured
// in turns, and the ratio says what the noise of the machine, which both share, does not. Without OLD: this one alone.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { embeddedBootstrap } from './gateway.ts';
import { CONNECTIONS, median } from './measure.ts';
import { cpuOf, put, start, startUpstream } from './processes.ts';
import { ratioOf } from './ratio.ts';
import { callOf, post, sessionAt } from './requests.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '15' }, calls: { type: 'string', default: '2000' } },
});
const rounds = Number(values.rounds);
const calls = Number(values.calls);
/** Until V8 has compiled all that runs often. */
const warmingCalls = 12_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const upstream = await startUpstream();
const generator = start('load.ts');
const config = await embeddedBootstrap(upstream.port);
const own = await startSide('now', fileURLToPath(new URL('../..', import.meta.url)));
const [clone] = positionals;
const old = clone === undefined ? undefined : await startSide('before', clone);
const sides = old === undefined ? [own] : [old, own];
try {
  for (const side of sides) await costOf(side, warmingCalls);
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) side.cpu.push(await costOf(side, calls));
  }
} finally {
  for (const { child } of sides) child.disconnect();
  generator.disconnect();
  upstream.child.disconnect();
  await Promise.all(sides.map(({ exited }) => exited));
  rmSync(folder, { recursive: true });
}
process.stdout.write(`tools/call of 1 KB, ${CONNECTIONS} connections, ${rounds} rounds of ${calls} calls\n`);
for (const { name, cpu } of sides) process.stdout.write(`${name.padEnd(8)}${median(cpu).toFixed(1).padStart(8)} µs\n`);
if (old !== undefined) {
  const { ratio, low, high } = ratioOf(old.cpu, own.cpu);
  const interval = `${low.toFixed(2)} … ${high.toFixed(2)}`;
  process.stdout.write(`calls for each second of CPU: ${ratio.toFixed(2)} times as many (95 %: ${interval})\n`);
}

interface Side {
  readonly name: string;
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly port: number;
  readonly request: string;
  /** µs for each call, by round. */
  readonly cpu: number[];
}

async function startSide(name: string, clone: string): Promise<Side> {
  const engine = await compile(name, clone);
  const child = fork(fileURLToPath(new URL('embedded-gateway.mjs', import.meta.url)), [engine], { execArgv: [] });
  child.send({ config, logLevel: 'error', logFile: join(folder, `${name}.log`) });
  const [port] = (await once(child, 'message')) as [number];
  const exited = once(child, 'exit');
  return { name, child, exited, port, request: post(callOf('s0_get_record_1', 1000), await sessionAt(port)), cpu: [] };
}

/** As the package has it: tsx, which runs a clone, names functions whenever they are made, and that takes time. */
async function compile(name: string, clone: string): Promise<string> {
  const outfile = join(folder, `${name}.cjs`);
  await build({
    entryPoints: [join(clone, 'envoy/embedded/index.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
  });
  return outfile;
}

/** @returns µs of CPU for each call */
async function costOf({ child: { pid = 0 }, port, request }: Side, requests: number): Promise<number> {
  const before = cpuOf(pid);
  await put(generator, { port, request, connections: CONNECTIONS, seconds: 3600, requests });
  return (cpuOf(pid) - before) / requests;
}
