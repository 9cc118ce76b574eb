import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ProbeListener, probeBootstrap } from './bootstrap.ts';
import type { Case, ProbeRequest, Setup } from './cases.ts';
import { PIECES, send } from './client.ts';
import { describeOutcome } from './describe.ts';
import type { ProbeEngine } from './engine.ts';
import {
  type Expectation,
  arrivalsIn,
  callbacksBeforeCall,
  endsCut,
  expectationOf,
  nothingExpected,
  separator,
  waitsForEver,
} from './expectation.ts';
import type { ShapeName } from './shapes.ts';
import { type Traces, traces } from './trace.ts';
import { workerTurns } from './turn.ts';
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

/** For what is expected to come, in ms: on a machine that is busy it comes late. */
const PATIENCE = 20_000;
/** For what may come or not, where no expectation says. */
const SHORT = 500;

/**
 * Starts an engine with a listener for each setup of these cases.
 * @param guided whether what the cases expect tells what to wait for; not where it is written anew
 */
export async function startRun(engine: ProbeEngine, cases: readonly Case[], guided = true): Promise<Run> {
  const listeners = listenersFor(cases);
  let context: Context | undefined;
  const upstreams = await startUpstreams({
    passed: async (name, parts) => {
      if (context !== undefined) await seenByFilter(context, name, /^a response-body size=[1-9]/, parts);
    },
    turned: () => context?.turns() ?? Promise.resolve(),
    beforeCall: async (name, delay) => {
      const count = callbacksBeforeCall(context?.expectations.get(name) ?? nothingExpected, delay);
      await context?.traces.sees(name, isCallback, count, PATIENCE);
    },
  });
  try {
    const setups = [...listeners.values(), { name: 'turn', setup: { filters: [] } }];
    const running = await engine.start(probeBootstrap(module, setups, upstreams.ports));
    const probed = traces(() => running.log());
    const turns = workerTurns(running.listeners.get('turn') ?? '');
    const own = (context = { upstreams, traces: probed, turns, guided, expectations: new Map() });
    return {
      of: async (given) => {
        const listener = listeners.get(keyOf(given))?.name ?? '';
        const address = running.listeners.get(listener);
        if (address === undefined) throw new Error(`${engine.name} has no listener ${listener}`);
        return runCase(own, address, given);
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
  /** Resolves when the worker has dealt with what it was sent. */
  readonly turns: () => Promise<void>;
  readonly guided: boolean;
  /** By the names of the requests. */
  readonly expectations: Map<string, Expectation>;
}

function isCallback(line: string): boolean {
  return !line.startsWith('  ');
}

/**
 * Waits until so many lines of the trace are like this. Where fewer are expected, the others will not come: then until the
 * worker has done all that it has to do.
 */
async function seenByFilter(context: Context, name: string, like: RegExp, count: number): Promise<void> {
  const enough = (lines: readonly string[]): boolean => lines.filter((line) => like.test(line)).length >= count;
  const seen = (): boolean => enough(context.traces.of(name));
  const { trace } = context.expectations.get(name) ?? nothingExpected;
  if (trace !== undefined && enough(trace.split('\n'))) await until(seen, PATIENCE);
  else await Promise.all([context.turns(), until(seen, trace === undefined ? SHORT : 0)]);
}

async function runCase(context: Context, address: string, given: Case): Promise<ReadonlyMap<ShapeName, Seen>> {
  const all = new Map<ShapeName, Seen[]>();
  const running: Promise<void>[] = [];
  for (const [at, request] of given.requests.entries()) {
    const sent = request.shapes.map(async (shape) => {
      const name = `${nameOf(given)}.${at}.${shape}`;
      const seen = all.get(shape) ?? [];
      all.set(shape, seen);
      context.expectations.set(name, context.guided ? expectationOf(given, at, shape) : nothingExpected);
      seen[at] = await runRequest(context, address, given, request, shape, name);
    });
    running.push(...sent);
    if (!request.together) await Promise.all(running);
    else await context.traces.sees(`${nameOf(given)}.${at}.${request.shapes[0] ?? ''}`, () => true, 2, PATIENCE);
  }
  return new Map([...all].map(([shape, seen]) => [shape, joined(seen)]));
}

function joined(seen: readonly Seen[]): Seen {
  const texts = (kind: keyof Seen): string => seen.map((each) => each[kind]).join(separator);
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
  const expected = context.expectations.get(name) ?? nothingExpected;
  // Line ends do not fit into a header; an empty script is none, and the plugin configuration's counts.
  const headers = {
    host: 'probe.example',
    ...request.headers,
    'x-case': name,
    ...(script === '' ? {} : { 'x-probe': script.replaceAll('\n', '\t') }),
  };
  const seen = (parts: number): Promise<void> => {
    if (request.pace === 'upstream') {
      const size = Math.floor((parts * request.body.length) / PIECES);
      return until(() => upstreams.of(name).some((arrival) => arrival.size >= size), PATIENCE);
    }
    if (parts === 0) return seenByFilter(context, name, /^a headers end=/, 1);
    return seenByFilter(context, name, /^a body size=[1-9]/, parts);
  };
  const patience = waitsForEver(expected) ? 3_000 : PATIENCE;
  const received = await send(address, request, shape, headers, { seen, patience, cut: endsCut(expected) });
  if (expected.trace === undefined) await settled(traced, name);
  else await until(() => inLines(traced.of(name)) === expected.trace, PATIENCE);
  await sleep(request.settle);
  const count = arrivalsIn(expected);
  const complete = (): boolean => {
    const arrivals = upstreams.of(name);
    return arrivals.length >= count && arrivals.every(({ state }) => state !== 'arriving');
  };
  await until(complete, expected.outcome === undefined ? SHORT : PATIENCE);
  return { outcome: describeOutcome(received, upstreams.of(name), request), trace: inLines(traced.of(name)) };
}

async function until(holds: () => boolean, patience: number): Promise<void> {
  const deadline = Date.now() + patience;
  while (!holds() && Date.now() < deadline) await sleep(5);
}

const MANY = 4;

/** Each line once, behind how often it came: VMs on several threads speak in no order. */
function counted(text: string): string {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [...counts].map(([line, count]) => `${count < MANY ? count : 'many'} × ${line}`).join('\n');
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
  const all = (): boolean => filters('delete') > 0 && filters('delete') >= Math.max(filters('headers'), filters('log'));
  await until(all, SHORT);
}
