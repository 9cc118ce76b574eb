// `npm run bench`: what Sluice costs on a real Envoy, beside the same route without a filter and with one that does
// nothing. Prints a table; nothing depends on the times. `--requests 1000000` makes the look at memory a long one.
import type { ChildProcess } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type BenchGateway, startGateway } from './gateway.ts';
import { measureModule } from './module.ts';
import { CONNECTIONS, measure, median, type Measured } from './measure.ts';
import { memoryOf, put, start, startUpstream } from './processes.ts';
import { callOf, LIST, modernCallOf, post, sessionAt } from './requests.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
  },
});
const requests = Number(values.requests);
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const upstream = await startUpstream();
const generator = start('load.ts');
const gateway = await startGateway(upstream.port);
try {
  process.stdout.write(`Envoy ${gateway.envoy.version}, 1 worker, ${CONNECTIONS} connections\n`);
  await compareCalls(gateway, generator);
  await compareEras(gateway, generator);
  await measureLists(gateway, generator);
  showModule();
  await watchMemory(gateway, generator);
} finally {
  await gateway.stop();
  generator.disconnect();
  upstream.child.disconnect();
}

async function compareCalls({ envoy, portOf }: BenchGateway, load: ChildProcess): Promise<void> {
  const request = async (name: 'sluice' | 'pair' | 'rest') =>
    post(callOf(name === 'rest' ? 'server-0_get_record_1' : 's0_get_record_1', 1000), await sessionAt(portOf(name)));
  // Without Sluice the client says itself which server it wants; the upstream sees the same request.
  const plain = { 'x-mcp-servername': 'server-0', 'mcp-session-id': '1868a90c-7f63-4b13-9f4b-2f4cbc4cc1f2' };
  const ways = [
    { name: 'none', request: post(callOf('get_record_1', 1000), plain) },
    { name: 'noop', request: post(callOf('get_record_1', 1000), plain) },
    { name: 'sluice', request: await request('sluice') },
    { name: 'pair', request: await request('pair') },
    { name: 'rest', request: await request('rest') },
  ] as const;
  const measured = new Map<string, Measured[]>(ways.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const { name, request } of round % 2 === 0 ? ways : ways.toReversed()) {
      const one = await measure(envoy.pid, load, portOf(name), request, round < 0 ? 1 : seconds);
      if (round >= 0) measured.get(name)?.push(one); // the first round warms everything up
    }
  }
  title('tools/call of 1 KB', ['calls/s', 'p50 ms', 'p99 ms', 'CPU µs', 'over none']);
  const none = measured.get('none') ?? [];
  for (const { name } of ways) {
    const all = measured.get(name) ?? [];
    const over = median(all.map(({ cpu }, index) => cpu - (none[index]?.cpu ?? 0)));
    const of = (pick: (one: Measured) => number): number => median(all.map(pick));
    row(name, [of((m) => m.calls / m.seconds), of((m) => m.p50), of((m) => m.p99), of((m) => m.cpu), over]);
  }
}

async function compareEras({ envoy, portOf }: BenchGateway, load: ChildProcess): Promise<void> {
  const inSession = post(callOf('s0_get_record_1', 1000), await sessionAt(portOf('sluice')));
  const byItself = modernCallOf('s0_get_record_1', 1000);
  const ways = [
    { name: 'sluice', request: inSession, label: 'in a session' },
    { name: 'modern', request: byItself, label: '2026-07-28' },
    { name: 'shared', request: byItself, label: '2026-07-28, shared session' },
    { name: 'alone', request: byItself, label: '2026-07-28, a session each' },
  ] as const;
  const measured = new Map<string, Measured[]>(ways.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const { name, request } of round % 2 === 0 ? ways : ways.toReversed()) {
      const one = await measure(envoy.pid, load, portOf(name), request, round < 0 ? 1 : seconds);
      if (round >= 0) measured.get(name)?.push(one);
    }
  }
  title('tools/call of 1 KB, two eras', ['calls/s', 'p50 ms', 'p99 ms', 'CPU µs', 'ratio']);
  const first = measured.get('sluice') ?? [];
  for (const { name, label } of ways) {
    const all = measured.get(name) ?? [];
    const ratio = median(all.map(({ cpu }, index) => cpu / (first[index]?.cpu ?? cpu)));
    const of = (pick: (one: Measured) => number): number => median(all.map(pick));
    row(label, [of((m) => m.calls / m.seconds), of((m) => m.p50), of((m) => m.p99), of((m) => m.cpu), ratio]);
  }
}

async function measureLists({ envoy, portOf }: BenchGateway, load: ChildProcess): Promise<void> {
  title('tools/list, 10 servers × 100 tools', ['lists/s', 'p50 ms', 'p99 ms', 'CPU ms']);
  for (const name of ['list', 'cached'] as const) {
    const request = post(LIST, await sessionAt(portOf(name)));
    const all: Measured[] = [];
    for (let round = -1; round < rounds; round++) {
      const one = await measure(envoy.pid, load, portOf(name), request, 1, 2);
      if (round >= 0) all.push(one);
    }
    const of = (pick: (one: Measured) => number): number => median(all.map(pick));
    const label = name === 'list' ? 'from the servers' : 'from the cache';
    row(label, [of((m) => m.calls / m.seconds), of((m) => m.p50), of((m) => m.p99), of((m) => m.cpu / 1000)]);
  }
}

function showModule(): void {
  title('inside the module', ['µs', 'host calls']);
  for (const { what, microseconds, hostCalls } of measureModule()) row(what, [microseconds, hostCalls]);
}

async function watchMemory({ envoy, portOf }: BenchGateway, load: ChildProcess): Promise<void> {
  title(`memory over ${requests} tools/call`, ['RSS MiB']);
  const request = post(callOf('s0_get_record_1', 1000), await sessionAt(portOf('sluice')));
  const steps = 5;
  for (let step = 0; step <= steps; step++) {
    row(String(Math.round((requests * step) / steps)), [memoryOf(envoy.pid)]);
    if (step === steps) break;
    const job = { port: portOf('sluice'), request, connections: CONNECTIONS, seconds: 3600 };
    await put(load, { ...job, requests: Math.round(requests / steps) });
  }
}

function title(text: string, columns: readonly string[]): void {
  process.stdout.write(`\n${text.padEnd(36)}${columns.map((column) => column.padStart(12)).join('')}\n`);
}

function row(name: string, figures: readonly number[]): void {
  const cells = figures.map((figure) => figure.toFixed(figure >= 1000 ? 0 : figure >= 100 ? 1 : 2).padStart(12));
  process.stdout.write(`${name.padEnd(36)}${cells.join('')}\n`);
}
