// `npm run bench:growth`: how the cost of a gateway grows with its servers, tools, sessions and bodies, on a real Envoy with
// one worker. Writes docs/growth.svg and prints the figures and their slopes. What counts is CPU of Envoy; no time is held
// against anything.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { obtainEnvoy } from '../../envoy/engine/obtain.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import type { RunningEngine } from '../../envoy/engine/running.ts';
import { type GatewayServer, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { build } from '../../scripts/build.ts';
import { measure, median } from './measure.ts';
import { type Series, plot, slope } from './plot.ts';
import { memoryOf, start, startUpstream } from './processes.ts';
import { LIST, callOf, post, sessionAt } from './requests.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '1' } },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const loopback = { host: '127.0.0.1', port: 0 };
const folder = fileURLToPath(new URL('../../.envoy', import.meta.url));
const { path: binary } = await obtainEnvoy({ env: process.env, folder, mode: 'hold', progress: () => undefined });
const { file } = (await build()).plugin;
const upstream = await startUpstream();
const generator = start('load.ts');

interface Running {
  readonly envoy: RunningEngine;
  readonly port: number;
}

try {
  const all = [await ofServers(), await ofTools(), ...(await ofSessions()), await ofBodies()];
  writeFileSync(fileURLToPath(new URL('../../docs/growth.svg', import.meta.url)), plot(all));
  for (const { title, x, y, points } of all) {
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) continue;
    process.stdout.write(`\n${title}: slope ${slope(first, last).toFixed(2)}\n`);
    for (const [at, cost] of points)
      process.stdout.write(`  ${String(at).padStart(12)} ${x}: ${cost.toFixed(1)} ${y}\n`);
  }
} finally {
  generator.disconnect();
  upstream.child.disconnect();
}

function progress(what: string): void {
  process.stderr.write(`${what}\n`);
}

async function ofServers(): Promise<Series> {
  const points: [number, number][] = [];
  for (const count of [1, 3, 10, 30, 100]) {
    const cost = await within(servers(count, '/mcp'), async (running) => costOf(running, await callAt(running, 1000)));
    points.push([count, cost]);
    progress(`${count} servers: ${cost}`);
  }
  return { title: 'A call, by servers', x: 'servers', y: 'CPU, µs', points };
}

async function ofTools(): Promise<Series> {
  const points: [number, number][] = [];
  for (const count of [10, 100, 1000, 10_000]) {
    const cost = await within(servers(1, `/tools-${count}`), async (running) =>
      costOf(running, post(LIST, await sessionAt(running.port)), 2),
    );
    points.push([count, cost]);
    progress(`${count} tools: ${cost}`);
  }
  return { title: 'A list from the cache, by tools', x: 'tools', y: 'CPU, µs', points };
}

/** What a call costs while so many sessions are open, and what of Envoy is in memory then. */
async function ofSessions(): Promise<Series[]> {
  const [costs, memory]: [[number, number][], [number, number][]] = [[], []];
  await within(servers(2, '/mcp'), async (running) => {
    const call = await callAt(running, 1000);
    const atOnce = 25;
    let open = 1;
    for (const count of [1, 10, 100, 1000, 10_000]) {
      for (; open < count; open += atOnce)
        await Promise.all(Array.from({ length: atOnce }, () => sessionAt(running.port)));
      costs.push([count, await costOf(running, call)]);
      memory.push([count, memoryOf(running.envoy.pid)]);
      progress(`${count} sessions`);
    }
  });
  return [
    { title: 'A call, by open sessions', x: 'sessions', y: 'CPU, µs', points: costs },
    { title: 'Memory of Envoy, by open sessions', x: 'sessions', y: 'MiB', points: memory },
  ];
}

async function ofBodies(): Promise<Series> {
  const points: [number, number][] = [];
  await within(servers(1, '/mcp'), async (running) => {
    for (const size of [1e3, 1e4, 1e5, 1e6, 1e7, 1e8]) {
      points.push([size, await costOf(running, await callAt(running, size), size > 1e6 ? 1 : 16)]);
      progress(`${size} bytes`);
    }
  });
  return { title: 'A call, by bytes of its body', x: 'bytes', y: 'CPU, µs', points };
}

/** CPU of Envoy for a request, µs: the median of some rounds behind one that warms everything up. */
async function costOf({ envoy, port }: Running, request: string, connections = 16): Promise<number> {
  const costs: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const { cpu } = await measure(envoy.pid, generator, port, request, seconds, connections);
    if (round >= 0) costs.push(cpu);
  }
  return median(costs);
}

async function callAt({ port }: Running, size: number): Promise<string> {
  return post(callOf('s0_get_record_1', size), await sessionAt(port));
}

function servers(count: number, path: string): GatewayServer[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `server-${index}`,
    url: `http://127.0.0.1:${upstream.port}${path}`,
    prefix: `s${index}_`,
    listCache: { ttl: '1h', scope: 'shared' },
  }));
}

async function within<T>(of: GatewayServer[], use: (running: Running) => Promise<T>): Promise<T> {
  const config = gatewayBootstrap({
    listen: loopback,
    admin: loopback,
    pluginServerUrl: 'http://127.0.0.1:1',
    servers: of,
    plugin: { hostMode: 'hold' },
  });
  const manager = config.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  for (const { typed_config } of manager.http_filters as unknown as { typed_config: { config?: WithCode } }[])
    if (typed_config.config !== undefined) typed_config.config.vm_config.code = { local: { filename: file } };
  const envoy = await startEnvoy({ binary, config, concurrency: 1, logLevel: 'error' });
  try {
    return await use({ envoy, port: Number(envoy.listeners.get('mcp')?.split(':').at(-1)) });
  } finally {
    await envoy.stop();
  }
}

interface WithCode {
  readonly vm_config: { code: object };
}
