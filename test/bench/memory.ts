// `npm run bench:memory`: what Sluice adds to the memory of an Envoy with two workers, beside no filter and beside a module
// that has the same callbacks and does next to nothing in them; and what a tool takes, for 100 servers with 100 tools each.
import { parseArgs } from 'node:util';
import { startAlone, type Weighed } from './gateway.ts';
import { median } from './measure.ts';
import { memoryOf, put, start, startUpstream } from './processes.ts';
import { callOf, LIST, post, sessionAt } from './requests.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, requests: { type: 'string', default: '20000' } },
});
const [rounds, requests] = [Number(values.rounds), Number(values.requests)];

/** Of Envoy. */
const workers = 2;
const connections = 16;
const [servers, toolsEach] = [100, 100];

const upstream = await startUpstream();
const generator = start('load.ts');
try {
  process.stdout.write(`Envoy with ${workers} workers, MiB: median of ${rounds} starts (least … most)\n\n`);
  for (const filter of ['none', 'exports', 'sluice'] as const) {
    const [rest, busy]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const { before, after } = await weigh(filter, 2, 1, (port) => callsAt(port, filter));
      rest.push(before);
      busy.push(after);
    }
    row(`${filter}, at rest`, rest);
    row(`${filter}, after ${requests} calls`, busy);
  }
  const [few, all]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    few.push((await weigh('sluice', servers, 1, listsAt)).after);
    all.push((await weigh('sluice', servers, toolsEach, listsAt)).after);
  }
  row(`sluice, lists of ${servers} servers with a tool each`, few);
  row(`sluice, lists of ${servers} servers with ${toolsEach} each`, all);
  const more = servers * (toolsEach - 1);
  row(
    'so a tool takes, KiB',
    all.map((with100, round) => ((with100 - (few[round] ?? 0)) * 1024) / more),
  );
} finally {
  generator.disconnect();
  upstream.child.disconnect();
}

/** Memory of a new Envoy before and after it has served. */
async function weigh(
  filter: Weighed,
  count: number,
  each: number,
  serve: (port: number) => Promise<void>,
): Promise<{ before: number; after: number }> {
  const gateway = await startAlone(upstream.port, filter, { count, each, workers });
  try {
    const before = memoryOf(gateway.envoy.pid);
    await serve(gateway.portOf(filter));
    return { before, after: memoryOf(gateway.envoy.pid) };
  } finally {
    await gateway.stop();
  }
}

async function callsAt(port: number, filter: Weighed): Promise<void> {
  const headers = filter === 'sluice' ? await sessionAt(port) : { 'x-mcp-servername': 'server-0' };
  const request = post(callOf(filter === 'sluice' ? 's0_get_record_1' : 'get_record_1', 1000), headers);
  await put(generator, { port, request, connections, seconds: Number.MAX_SAFE_INTEGER, requests });
}

/** One after another, as what many at once hold until it is sent is no part of it; over as many connections as reach both workers. */
async function listsAt(port: number): Promise<void> {
  const request = post(LIST, await sessionAt(port));
  for (let connection = 0; connection < connections; connection++)
    await put(generator, { port, request, connections: 1, seconds: Number.MAX_SAFE_INTEGER, requests: 2 });
}

function row(what: string, figures: readonly number[]): void {
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  process.stdout.write(
    `${what.padEnd(48)}${median(figures).toFixed(1).padStart(8)}  (${least.toFixed(1)} … ${most.toFixed(1)})\n`,
  );
}
