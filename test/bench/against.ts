// `npm run bench:against -- OLD.wasm`: what a change costs. Each module runs in an Envoy of its own (in one, they would
// compete for its caches), and each round measures one right after the other, in turns; the ratio of the two says what
// the noise of the machine, which both share, does not.
// `--only hold`, `pair`, `list`, `cached` or `initialize`, more than once where wanted.
import { parseArgs } from 'node:util';
import { type BenchGateway, startGateway } from './gateway.ts';
import { measure, median } from './measure.ts';
import { start, startUpstream } from './processes.ts';
import { callOf, INITIALIZE, LIST, post, sessionAt } from './requests.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true },
  },
});
const [before] = positionals;
if (before === undefined) throw new Error('Name the module to compare with: npm run bench:against -- OLD.wasm');
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const call = callOf('s0_get_record_1', 1000);
interface Work {
  readonly title: string;
  readonly listener: 'sluice' | 'pair' | 'list' | 'cached';
  readonly body: string;
  readonly connections: number;
  readonly isInSession: boolean;
}

const WORK: Readonly<Record<string, Work>> = {
  hold: { title: 'tools/call, hold', listener: 'sluice', body: call, connections: 16, isInSession: true },
  pair: { title: 'tools/call, pair', listener: 'pair', body: call, connections: 16, isInSession: true },
  list: { title: 'tools/list, 10 × 100 tools', listener: 'list', body: LIST, connections: 2, isInSession: true },
  cached: { title: 'tools/list, cached', listener: 'cached', body: LIST, connections: 2, isInSession: true },
  initialize: {
    title: 'initialize, 10 servers',
    listener: 'list',
    body: INITIALIZE,
    connections: 2,
    isInSession: false,
  },
};

const upstream = await startUpstream();
const generator = start('load.ts');
const gateways = { before: await startGateway(upstream.port, before), now: await startGateway(upstream.port) };
try {
  process.stdout.write(`Envoy ${gateways.now.envoy.version}, 1 worker, ${rounds} rounds of ${seconds} s\n\n`);
  process.stdout.write('CPU of Envoy                    before µs    now µs     ratio   95 % interval\n');
  for (const [name, work] of Object.entries(WORK)) {
    if (values.only?.includes(name) === false) continue;
    const sides = { before: await sideOf(gateways.before, work), now: await sideOf(gateways.now, work) };
    for (let round = -1; round < rounds; round++) {
      for (const side of round % 2 === 0 ? [sides.before, sides.now] : [sides.now, sides.before]) {
        const time = round < 0 ? 1 : seconds; // the first round warms everything up
        const { cpu } = await measure(side.pid, generator, side.port, side.request, time, work.connections);
        if (round >= 0) side.cpu.push(cpu);
      }
    }
    const { ratio, low, high } = compare(sides.before.cpu, sides.now.cpu);
    const cells = [sides.before, sides.now].map(({ cpu }) => median(cpu).toFixed(1).padStart(10)).join('');
    const interval = `${low.toFixed(3)} … ${high.toFixed(3)}`;
    process.stdout.write(`${work.title.padEnd(31)}${cells}${ratio.toFixed(3).padStart(10)}   ${interval}\n`);
  }
} finally {
  await Promise.all([gateways.before.stop(), gateways.now.stop()]);
  generator.disconnect();
  upstream.child.disconnect();
}

interface Side {
  readonly pid: number;
  readonly port: number;
  readonly request: string;
  readonly cpu: number[];
}

async function sideOf({ envoy, portOf }: BenchGateway, { listener, body, isInSession }: Work): Promise<Side> {
  const port = portOf(listener);
  return { pid: envoy.pid, port, request: post(body, isInSession ? await sessionAt(port) : {}), cpu: [] };
}

/** The ratio of pairs: the mean of their logarithms, and where it is with 95 % (Student's t). */
function compare(before: readonly number[], now: readonly number[]): { ratio: number; low: number; high: number } {
  const logs = now.map((one, index) => Math.log(one / (before[index] ?? Number.NaN)));
  const mean = logs.reduce((sum, one) => sum + one, 0) / logs.length;
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (logs.length - 1);
  const margin = studentT(logs.length - 1) * Math.sqrt(variance / logs.length);
  return { ratio: Math.exp(mean), low: Math.exp(mean - margin), high: Math.exp(mean + margin) };
}

/** The two-sided 95 % quantile; within 0.01 from five degrees of freedom on (Abramowitz and Stegun, 26.7.5). */
function studentT(freedom: number): number {
  const z = 1.959964;
  const [first, second] = [(z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96];
  return z + first / freedom + second / freedom ** 2;
}
