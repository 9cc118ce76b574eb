// Clients use a real Envoy while everything around it fails: what is wrong with any answer, and what is left at the end.
import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { callMessage, openSession } from '../e2e/clients/session.ts';
import { statsOf, suspicious, vmFailures } from '../e2e/soundness.ts';
import { until } from '../e2e/until.ts';
import { folders, liveBootstrap, startLive, startLiveEnvoy } from '../live/support.ts';
import { type Served, type Tally, addWrong, newTally, runCaller } from './callers.ts';
import { Configuration, type World, cluster, faults, keyNames } from './faults.ts';
import { History } from './history.ts';
import { type Memory, memoryOf } from './memory.ts';
import { runReader } from './readers.ts';
import { startToolServer } from './tool-server.ts';

export interface Soaking {
  /** The Envoy to run. */
  readonly binary: string;
  /** It goes on for so long, and at least until each fault was done that often. */
  readonly seconds: number;
  readonly rounds: number;
  /** Clients that call, and how long each of them rests between two requests on average, ms. */
  readonly callers: number;
  readonly rest: number;
  /** Clients that read event streams, all the time one each. */
  readonly streams: number;
  readonly streamSeconds: number;
  /** Between two events of a stream, ms. */
  readonly eventPause: number;
  /** Between two faults, ms. */
  readonly faultPause: number;
  /** Told what goes on, a line each. */
  readonly progress?: (line: string) => void;
}

export interface Soaked {
  readonly tally: Tally;
  /** Name of a fault → how often it was done. */
  readonly faults: ReadonlyMap<string, number>;
  /** One a second. */
  readonly memory: readonly Memory[];
  /** How long clients and servers, which are one process, stood still at most: s. Longer than a timeout, and they are late. */
  readonly longestPause: number;
}

/** @returns what was seen; what must not be is in `tally.wrong` */
export async function soak(soaking: Soaking): Promise<Soaked> {
  const { progress = () => undefined } = soaking;
  const ends: (() => void | Promise<void>)[] = [];
  const later = (end: () => void | Promise<void>): void => void ends.push(end);
  const tally = newTally();
  const memory: Memory[] = [];
  const pauses = monitorEventLoopDelay({ resolution: 100 });
  pauses.enable();
  const done = new Map(Object.keys(faults).map((name) => [name, 0]));
  try {
    const world = await makeWorld(soaking, later);
    const configuration = new Configuration(world);
    configuration.write();
    const bootstrap = liveBootstrap(world.pluginServer.port, { id: 'n1', cluster });
    const keys = Object.values(keyNames).map((name) => [name, randomBytes(32).toString('base64url')]);
    const env = Object.fromEntries(keys) as Record<string, string>;
    const envoy = await startLiveEnvoy(soaking.binary, bootstrap, env, undefined, later);
    await configuration.settled();

    const { mortal, forgetful, steady, passing, history, sessionTtl } = world;
    const servers = [mortal, forgetful, steady].map(({ name }) => name);
    const served: Served = {
      mcp: envoy.mcp,
      servers,
      passing: passing.name,
      sessionTtl: sessionTtl * 1000,
      history,
    };
    let stopped = false;
    const more = (): boolean => !stopped;
    const rest = (): number => Math.random() * 2 * soaking.rest;
    const callers = Array.from({ length: soaking.callers }, (_, index) =>
      runCaller(`caller-${index}`, served, tally, more, rest),
    );
    const events = Math.ceil((soaking.streamSeconds * 1000) / soaking.eventPause);
    const reading = { mcp: envoy.mcp, server: steady.name, events, pause: soaking.eventPause, leaving: 0.05 };
    const readers = Array.from({ length: soaking.streams }, (_, index) =>
      runReader(`reader-${index}`, reading, tally, more),
    );
    const sampling = sample(envoy.running.pid, memory, more);
    await doFaults(soaking, world, configuration, done, progress).catch((error: unknown) => {
      addWrong(tally, String(error));
    });
    stopped = true;
    progress('the last requests end');
    await Promise.all([...callers, ...readers, sampling]);
    await look();

    async function look(): Promise<void> {
      const { adminUrl } = envoy.running;
      await noted('no request is held', async () => {
        const stats = await statsOf(adminUrl);
        return stats.get('http.mcp.downstream_rq_active') === 0;
      });
      await noted('no stream is left at the server', () => steady.openStreams === 0);
      for (const [name, value] of vmFailures(await statsOf(adminUrl))) addWrong(tally, `${name} is ${value}`);
      for (const line of suspicious(envoy.running.log())) addWrong(tally, line);
      for (const server of [mortal, forgetful, steady, passing]) for (const line of server.mixed) addWrong(tally, line);
      // And all is as it was: it serves whoever comes now.
      const session = await openSession(envoy.mcp, { headers: { 'x-user': 'last' } });
      for (const server of servers) {
        const body = callMessage(`"${server}_echo"`, '{"caller":"last","text":""}');
        const answer = await session.post(body);
        if (!answer.text.includes(`"server":"${server}"`)) addWrong(tally, `the last call: ${answer.text}`);
      }
    }
  } finally {
    for (const end of ends.toReversed()) await end();
  }
  return { tally, faults: done, memory, longestPause: pauses.max / 1e9 };

  async function noted(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    await until(what, holds).catch((error: unknown) => {
      addWrong(tally, String(error));
    });
  }
}

async function makeWorld(soaking: Soaking, later: (end: () => Promise<void> | void) => void): Promise<World> {
  const where = folders(later);
  const start = async (name: string): ReturnType<typeof startToolServer> => {
    const server = await startToolServer(name);
    later(() => server.stop());
    return server;
  };
  const [mortal, forgetful, steady, passing] = await Promise.all([
    start('mortal'),
    start('forgetful'),
    start('steady'),
    start('passing'),
  ]);
  const world: World = {
    folders: where,
    history: new History(),
    mortal,
    forgetful,
    steady,
    passing,
    sessionTtl: Math.max(Math.ceil(soaking.seconds / 10), 5),
    pluginServer: await startLive(where, {}, () => undefined),
  };
  later(() => world.pluginServer.close());
  return world;
}

async function doFaults(
  { seconds, rounds, faultPause }: Soaking,
  world: World,
  configuration: Configuration,
  done: Map<string, number>,
  progress: (line: string) => void,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < rounds || performance.now() < end; round++) {
    for (const [name, fault] of Object.entries(faults)) {
      if (round >= rounds && performance.now() >= end) return;
      await sleep(faultPause);
      progress(name);
      await fault(world, configuration);
      done.set(name, (done.get(name) ?? 0) + 1);
    }
  }
  await sleep(faultPause);
}

async function sample(pid: number, into: Memory[], more: () => boolean): Promise<void> {
  while (more()) {
    await sleep(1000);
    into.push(memoryOf(pid));
  }
}
