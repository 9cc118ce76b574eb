// `npm run bench:against -- OLD.wasm`: what a change costs. Each module runs in an Envoy of its own (in one, they would
// compete for its caches), and each round starts both anew, as one process of Envoy is some percent faster than the next.
// Within a round they are measured in turns; the ratio says what the noise of the machine, which both share, does not.
// `--only hold`, `pair`, `rest`, `list`, `cached` or `initialize`, more than once where wanted. A second module after the
// first stands in the place of the one that is built, to find between which two of several builds a cost came.
import { parseArgs } from 'node:util';
import { type BenchGateway, startGateway } from './gateway.ts';
import { measure, median } from './measure.ts';
import { start, startUpstream } from './processes.ts';
import { ratioOf } from './ratio.ts';
import { callOf, INITIALIZE, LIST, post, sessionAt } from './requests.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
  },
});
const [before, after] = positionals;
if (before === undefined) throw new Error('Name the module to compare with: npm run bench:against -- OLD.wasm');
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const call = callOf('s0_get_record_1', 1000);
interface Work {
  readonly title: string;
  readonly listener: 'sluice' | 'pair' | 'rest' | 'list' | 'cached';
  readonly body: string;
  readonly connections: number;
  readonly isInSession: boolean;
}

const WORK: Readonly<Record<string, Work>> = {
  hold: { title: 'tools/call, hold', listener: 'sluice', body: call, connections: 16, isInSession: true },
  pair: { title: 'tools/call, pair', listener: 'pair', body: call, connections: 16, isInSession: true },
  rest: {
    title: 'tools/call of REST',
    listener: 'rest',
    body: callOf('server-0_get_record_1', 1000),
    connections: 16,
    isInSession: true,
  },
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
const names = Object.keys(WORK).filter((name) => values.only?.includes(name) !== false);
const listeners = names.flatMap((name) => WORK[name]?.listener ?? []);
const measured = new Map(names.map((name) => [name, { before: [] as number[], now: [] as number[] }]));
try {
  for (let round = 0; round < rounds; round++) await runRound(round % 2 === 0);
} finally {
  generator.disconnect();
  upstream.child.disconnect();
}
process.stdout.write(`${rounds} rounds of 2 × ${seconds} s, 1 worker\n\n`);
process.stdout.write('CPU of Envoy                    before µs    now µs     ratio   95 % interval\n');
for (const [name, cpu] of measured) {
  const { ratio, low, high } = ratioOf(cpu.now, cpu.before);
  const cells = [cpu.before, cpu.now].map((all) => median(all).toFixed(1).padStart(10)).join('');
  const interval = `${low.toFixed(3)} … ${high.toFixed(3)}`;
  process.stdout.write(
    `${(WORK[name]?.title ?? '').padEnd(31)}${cells}${ratio.toFixed(3).padStart(10)}   ${interval}\n`,
  );
}

async function runRound(beforeFirst: boolean): Promise<void> {
  const gateways = {
    before: await startGateway(upstream.port, before, listeners),
    now: await startGateway(upstream.port, after, listeners),
  };
  try {
    for (const [name, all] of measured) {
      const work = WORK[name];
      if (work === undefined) continue;
      const sides = { before: await sideOf(gateways.before, work), now: await sideOf(gateways.now, work) };
      const cpu = { before: 0, now: 0 };
      const [first, second] = beforeFirst ? (['before', 'now'] as const) : (['now', 'before'] as const);
      for (const which of [first, second]) await load(sides[which], work, 1); // warms it up
      for (const which of [first, second, second, first]) cpu[which] += (await load(sides[which], work, seconds)) / 2;
      all.before.push(cpu.before);
      all.now.push(cpu.now);
    }
  } finally {
    await Promise.all([gateways.before.stop(), gateways.now.stop()]);
  }
}

/** @returns µs of Envoy for each request */
async function load({ pid, port, request }: Side, { connections }: Work, time: number): Promise<number> {
  return (await measure(pid, generator, port, request, time, connections)).cpu;
}

interface Side {
  readonly pid: number;
  readonly port: number;
  readonly request: string;
}

async function sideOf({ envoy, portOf }: BenchGateway, { listener, body, isInSession }: Work): Promise<Side> {
  const port = portOf(listener);
  return { pid: envoy.pid, port, request: post(body, isInSession ? await sessionAt(port) : {}) };
}
