// Live delivery under load: `ENVOY_PATH=… npx tsx test/bench/live.ts [calls per second] [minutes]`.
//
// A real Envoy serves calls and event streams while its plugin server is edited, upgraded, rolled back, told nonsense and
// killed, over and over. Ends with what went wrong, which has to be nothing, and with how long each change took.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../e2e/until.ts';
import { callSteadily, readStream, startToolServer, upTo } from '../live/load.ts';
import { freePort } from '../free-ports.ts';
import {
  builtModule,
  folders,
  liveBootstrap,
  otherModule,
  startLiveEnvoy,
  temporaryFolder,
  write,
} from '../live/support.ts';

const clone = fileURLToPath(new URL('../..', import.meta.url));
const [rate = 500, minutes = 1] = process.argv.slice(2).map(Number);
const binary = process.env['ENVOY_PATH'] ?? 'envoy';
const token = randomBytes(24).toString('base64url');
const env = { SLUICE_KEY_1: randomBytes(32).toString('base64url') };

const ends: (() => void | Promise<void>)[] = [];
const later = (end: () => void | Promise<void>): void => void ends.push(end);

const where = folders(later);
const data = temporaryFolder(later);
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const authorized = { authorization: `Bearer ${token}` };

let server: ChildProcess | undefined;

async function startServer(): Promise<void> {
  const args = ['serve', '--json', '--listen', `127.0.0.1:${port}`, '--access-log', 'off', '--data', data];
  const live = ['--gateways', where.gateways, '--state', where.state];
  server = spawn(process.execPath, [join(clone, 'bin/sluice.mjs'), ...args, ...live], {
    env: { ...process.env, SLUICE_PUBLISH_TOKEN: token },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (server.stdout === null) throw new Error('it has no output');
  const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  if (!line.includes('"ready"')) throw new Error(line);
}

async function kill(): Promise<void> {
  if (server?.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGKILL');
  await once(server, 'exit');
}

async function publish(version: string, module: Buffer): Promise<void> {
  const answer = await fetch(`${url}/plugins/sluice/${version}/plugin.wasm`, {
    method: 'PUT',
    headers: authorized,
    body: new Uint8Array(module),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

interface Status {
  readonly version: { readonly generation: number } | null;
  readonly refused: object | null;
  readonly nodes: readonly { readonly state: string }[];
}

const status = async (): Promise<Status> =>
  (await (await fetch(`${url}/gateways/edge`, { headers: authorized })).json()) as Status;

async function settled(differsFrom?: number): Promise<number> {
  let generation = 0;
  await until('it is everywhere', async () => {
    const { version, nodes } = await status();
    generation = version?.generation ?? 0;
    return generation !== differsFrom && nodes.length > 0 && nodes.every(({ state }) => state === 'current');
  });
  return generation;
}

const [alpha, beta] = [await startToolServer(), await startToolServer()];
later(() => alpha.stop());
later(() => beta.stop());
const entry = (name: string, address: string): object => ({ name, url: address, prefix: `${name}_` });
let edits = 0;
const edit = (...servers: object[]): void => {
  edits += 1;
  const limits = { callTimeout: `${60 + edits}s` }; // no two are the same
  write(where, 'edge', { sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] }, limits, servers });
};

const failures: string[] = [];
const times = new Map<string, number[]>();
try {
  writeFileSync(join(data, '.keep'), '');
  edit(entry('alpha', alpha.url));
  await startServer();
  await publish('0.1.0', builtModule());
  await until('there is a version', async () => (await status()).version !== null);
  const config = liveBootstrap(port, { id: 'n1', cluster: 'edge' });
  const envoy = await startLiveEnvoy(binary, config, env, undefined, later);
  await settled();
  const load = await callSteadily(envoy.mcp, 'alpha_', rate);
  const end = Date.now() + minutes * 60_000;
  let streams = 0;
  const reader = async (): Promise<void> => {
    while (Date.now() < end) {
      const { events, answered } = await readStream(envoy.mcp, 'alpha_', 200);
      if (!answered || events.join() !== upTo(200).join())
        failures.push(`a stream ended after ${events.length} events`);
      streams += 1;
    }
  };
  const readers = Promise.all([reader(), reader(), reader(), reader()]);

  let version = 0;
  const changes: Record<string, () => Promise<void> | void> = {
    'a server comes': () => {
      edit(entry('alpha', alpha.url), entry('beta', beta.url));
    },
    'a server goes': () => {
      edit(entry('alpha', alpha.url));
    },
    upgrade: () => publish(`0.1.${(version += 1)}`, otherModule(`soak ${version}`)),
    rollback: async () => {
      const headers = { ...authorized, 'content-type': 'application/json' };
      await fetch(`${url}/gateways/edge/rollback`, { method: 'POST', headers, body: '{}' });
    },
    'an edit during a kill': async () => {
      edit(entry('alpha', alpha.url));
      await sleep(Math.random() * 1500);
      await kill();
      await startServer();
    },
  };
  while (Date.now() < end) {
    for (const [name, change] of Object.entries(changes)) {
      const before = await settled();
      const start = performance.now();
      await change();
      await settled(name === 'an edit during a kill' ? undefined : before);
      times.set(name, [...(times.get(name) ?? []), performance.now() - start]);
    }
    write(where, 'edge', 'servers: [');
    await until('nonsense is refused', async () => (await status()).refused !== null);
    edit(entry('alpha', alpha.url));
    await until('sense is taken', async () => (await status()).refused === null);
  }
  await load.stop();
  await readers;
  failures.push(...load.failures);
  console.log(`${load.calls()} calls, ${streams} event streams of 200 events, ${failures.length} failures`);
  for (const [name, all] of times) {
    const most = Math.max(...all) / 1000;
    const mean = all.reduce((sum, each) => sum + each, 0) / all.length / 1000;
    console.log(`${name}: ${all.length} times, ${mean.toFixed(1)} s, at most ${most.toFixed(1)} s`);
  }
  for (const failure of failures.slice(0, 20)) console.log(failure);
} finally {
  await kill();
  for (const each of ends.toReversed()) await each();
}
process.exit(failures.length === 0 ? 0 : 1);
