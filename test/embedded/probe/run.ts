import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ProbeListener, probeBootstrap } from './bootstrap.ts';
import type { Case, ProbeRequest, Setup } from './cases.ts';
import { PIECES, send } from './client.ts';
import { describeOutcome } from './describe.ts';
import type { ProbeEngine } from './engine.ts';
import type { ShapeName } from './shapes.ts';
import { type Traces, traces } from './trace.ts';
import { type Upstreams, startUpstreams } from './upstream.ts';

const module = fileURLToPath(new URL('../../../build/probe.wasm', import.meta.url));

/** What happened to the requests of a case in one shape, one text for all of them. */
interface Seen {
  readonly outcome: string;
  readonly trace: string;
}

export interface Run {
  /** By shape, in the order of the case. */
  of(given: Case): Promise<ReadonlyMap<ShapeName, Seen>>;
  /** What the roots of the case said, whose scripts are in the plugin configuration. */
  rootTrace(given: Case): string;
  /** Lines of /stats/prometheus that name this. */
  metrics(part: string): Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

/** Starts an engine with a listener for each setup of these cases. */
export async function startRun(engine: ProbeEngine, cases: readonly Case[]): Promise<Run> {
  const listeners = listenersFor(cases);
  let seen: Traces | undefined;
  const upstreams = await startUpstreams((name, parts) =>
    Promise.resolve(seen?.sees(name, (line) => /^a response-body size=[1-9]/.test(line), parts, 250)),
  );
  try {
    const running = await engine.start(probeBootstrap(module, [...listeners.values()], upstreams.ports));
    const probed = (seen = traces(() => running.log()));
    const context = { upstreams, traces: probed };
    return {
      of: async (given) => {
        const listener = listeners.get(keyOf(given))?.name ?? '';
        const address = running.listeners.get(listener);
        if (address === undefined) throw new Error(`${engine.name} has no listener ${listener}`);
        return runCase(context, address, given);
      },
      rootTrace: (given) => counted(inLines(probed.of(nameOf(given)))),
      metrics: async (part) => {
        const text = await (await fetch(`${running.adminUrl}/stats/prometheus`)).text();
        return text
          .split('\n')
          .filter((line) => line.includes(part))
          .join('\n');
      },
      log: () => running.log(),
      stop: async () => {
        await running.stop();
        await upstreams.stop();
      },
    };
  } catch (error) {
    await upstreams.stop();
    throw error;
  }
}

function keyOf({ setup }: Case): string {
  return JSON.stringify(setup);
}

/** Of one length: names are headers, and properties tell the size of those. */
function nameOf({ file, title }: Case): string {
  return createHash('sha256').update(`${file} ${title}`).digest('hex').slice(0, 8);
}

function listenersFor(cases: readonly Case[]): Map<string, ProbeListener> {
  const listeners = new Map<string, ProbeListener>();
  for (const given of cases) {
    const key = keyOf(given);
    if (listeners.has(key)) continue;
    listeners.set(key, { name: `l${listeners.size}`, setup: named(given) });
  }
  return listeners;
}

/** Scripts of roots begin with the name of their trace. */
function named(given: Case): Setup {
  const filters = given.setup.filters.map((filter) =>
    filter.script === undefined ? filter : { ...filter, script: `${nameOf(given)}\n${filter.script}` },
  );
  return { ...given.setup, filters };
}

interface Context {
  readonly upstreams: Upstreams;
  readonly traces: Traces;
}

async function runCase(context: Context, address: string, given: Case): Promise<ReadonlyMap<ShapeName, Seen>> {
  const all = new Map<ShapeName, Seen[]>();
  const running: Promise<void>[] = [];
  for (const [at, request] of given.requests.entries()) {
    const sent = request.shapes.map(async (shape) => {
      const name = `${nameOf(given)}.${at}.${shape}`;
      const seen = all.get(shape) ?? [];
      all.set(shape, seen);
      seen[at] = await runRequest(context, address, given, request, shape, name);
    });
    running.push(...sent);
    if (!request.together) await Promise.all(running);
    else await context.traces.sees(`${nameOf(given)}.${at}.${request.shapes[0] ?? ''}`, () => true, 2, 1_000);
  }
  return new Map([...all].map(([shape, seen]) => [shape, joined(seen)]));
}

function joined(seen: readonly Seen[]): Seen {
  const texts = (kind: keyof Seen): string => seen.map((each) => each[kind]).join('\n---\n');
  return { outcome: texts('outcome'), trace: texts('trace') };
}

async function runRequest(
  context: Context,
  address: string,
  { script }: Case,
  request: ProbeRequest,
  shape: ShapeName,
  name: string,
): Promise<Seen> {
  const { upstreams, traces: traced } = context;
  // Line ends do not fit into a header; an empty script is none, and the plugin configuration's counts.
  const headers = {
    host: 'probe.example',
    ...request.headers,
    'x-case': name,
    ...(script === '' ? {} : { 'x-probe': script.replaceAll('\n', '\t') }),
  };
  const seen = (parts: number): Promise<unknown> => {
    if (request.pace === 'upstream') return arrived(upstreams, name, (parts * request.body.length) / PIECES);
    if (parts === 0) return traced.sees(name, (line) => line.startsWith('a headers end='), 1, 1_000);
    return traced.sees(name, (line) => /^a body size=[1-9]/.test(line), parts, 250);
  };
  const received = await send(address, request, shape, headers, { seen });
  await settled(traced, name);
  await sleep(request.settle);
  const arrivals = upstreams.of(name);
  const deadline = Date.now() + 300;
  while (arrivals.some(({ state }) => state === 'arriving') && Date.now() < deadline) await sleep(5);
  return { outcome: describeOutcome(received, arrivals, request), trace: inLines(traced.of(name)) };
}

const MANY = 4;

/** Each line once, behind how often it came: VMs on several threads speak in no order. */
function counted(text: string): string {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [...counts].map(([line, count]) => `${count < MANY ? count : 'many'} × ${line}`).join('\n');
}

/** Waits until an upstream has so many bytes of a request. */
async function arrived(upstreams: Upstreams, name: string, size: number): Promise<void> {
  const deadline = Date.now() + 500;
  while (!upstreams.of(name).some((arrival) => arrival.size >= Math.floor(size)) && Date.now() < deadline)
    await sleep(2);
}

/** A line for each callback, what it did behind it. */
function inLines(said: readonly string[]): string {
  const lines: string[] = [];
  for (const each of said) {
    const callback = lines.at(-1);
    if (!each.startsWith('  ') || callback === undefined) lines.push(each);
    else lines[lines.length - 1] = `${callback}${callback.includes(': ') ? ';' : ':'} ${each.trimStart()}`;
  }
  return lines.join('\n');
}

/** Waits until every filter of the stream is destroyed; one of a dead VM never is. */
async function settled(traced: Traces, name: string): Promise<void> {
  const filters = (callback: string): number =>
    new Set(
      traced
        .of(name)
        .filter((line) => line.split(' ')[1] === callback)
        .map((line) => line.split(' ')[0]),
    ).size;
  const deadline = Date.now() + 500;
  while (filters('delete') === 0 || filters('delete') < Math.max(filters('headers'), filters('log'))) {
    if (Date.now() > deadline) return;
    await sleep(5);
  }
}
