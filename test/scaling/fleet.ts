// A fleet of stand-ins for gateways: each polls a plugin server as Envoy does, on a connection of its own, with two
// subscriptions, polls of 77 KB and the pauses of envoy/live.yaml, and does nothing with what it is given.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuOf, memoryOf } from '../bench/processes.ts';
import { builtModule } from '../live/support.ts';

const clone = fileURLToPath(new URL('../..', import.meta.url));

/** As long as what Envoy 1.40 lists of itself in every poll. */
const extensions = JSON.stringify(
  Array.from({ length: 552 }, (_, index) => ({
    name: `envoy.filters.http.number_${String(index).padStart(4, '0')}`,
    category: 'envoy.filters.http',
    type_urls: ['envoy.extensions.filters.http.example.v3.Example'],
  })),
);

const kinds = {
  clusters: { path: '/v3/discovery:clusters', type: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' },
  filters: {
    path: '/v3/discovery:extension_configs',
    type: 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
  },
} as const;

type Kind = keyof typeof kinds;

/** What a fleet was given of one kind, and what it cost to ask. */
interface Counts {
  polls: number;
  /** Polls that brought something new, and the bytes of the last one. */
  given: number;
  bytes: number;
  failed: number;
}

export interface Fleet {
  readonly nodes: number;
  readonly counts: Readonly<Record<Kind, Readonly<Counts>>>;
  /** Bytes of one poll. */
  readonly pollBytes: number;
  /** CPU of the plugin server so far, in µs. */
  cpu(): number;
  /** Resident memory of the plugin server, in MiB. */
  memory(): number;
  /** Edits one gateway. @returns how many nodes it has */
  edit(gateway: number): number;
  /** Waits until that many more nodes have been given a filter. */
  given(filters: number, more: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startFleet(nodes: number, gateways: number): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fleet-'));
  const token = randomBytes(24).toString('base64url');
  const configure = (gateway: number, server: string): void => {
    const where = join(folder, 'gateways', `gateway-${gateway}`);
    mkdirSync(where, { recursive: true });
    writeFileSync(join(where, 'token'), token);
    const text = `servers: [{ name: ${server}, url: "http://127.0.0.1:1/mcp", prefix: ${server}_ }]\n`;
    writeFileSync(join(where, 'new'), text);
    renameSync(join(where, 'new'), join(where, 'sluice.yaml'));
  };
  for (let gateway = 0; gateway < gateways; gateway++) configure(gateway, 'a');
  const module = join(folder, 'data/sluice/0.1.0');
  mkdirSync(module, { recursive: true });
  writeFileSync(join(module, 'plugin.wasm'), builtModule());
  const places = { gateways: 'gateways', state: 'state', data: 'data' };
  const options = Object.entries(places).flatMap(([option, name]) => [`--${option}`, join(folder, name)]);
  const args = ['serve', '--json', '--listen', '127.0.0.1:0', '--access-log', 'off', ...options];
  const child = spawn(process.execPath, [join(clone, 'bin/sluice.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { pluginServer } = JSON.parse(line) as { pluginServer: string };
  const { hostname, port } = new URL(pluginServer);

  const none = (): Counts => ({ polls: 0, given: 0, bytes: 0, failed: 0 });
  const counts: Record<Kind, Counts> = { clusters: none(), filters: none() };
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let pollBytes = 0;

  const subscribe = async (kind: Kind, id: number, agent: Agent): Promise<void> => {
    const { path, type } = kinds[kind];
    const count = counts[kind];
    let version = '';
    while (!isStopping()) {
      const head = version === '' ? '{' : `{"version_info":"${version}",`;
      const node = `"node":{"id":"node-${id}","cluster":"gateway-${id % gateways}","user_agent_name":"envoy",`;
      const names = kind === 'filters' ? ',"resource_names":["sluice"]' : '';
      const body = [head, node, '"extensions":', extensions, '}', names, `,"type_url":"${type}"}`].join('');
      pollBytes = body.length;
      const headers = {
        'content-type': 'application/json',
        'content-length': body.length,
        authorization: `Bearer ${token}`,
        'x-envoy-expected-rq-timeout-ms': '60000',
      };
      try {
        const sent = request({ agent, hostname, port, path, method: 'POST', headers }).end(body);
        const [answer] = (await once(sent, 'response')) as [IncomingMessage];
        let first: string | undefined;
        let bytes = 0;
        for await (const chunk of answer as AsyncIterable<Buffer>) {
          first ??= chunk.toString('latin1');
          bytes += chunk.length;
        }
        count.polls++;
        if (answer.statusCode === 200) {
          version = /"version_info":"([^"]*)"/.exec(first ?? '')?.[1] ?? '';
          count.given++;
          count.bytes = bytes;
        } else if (answer.statusCode !== 304) count.failed++;
      } catch {
        if (!isStopping()) count.failed++;
      }
      await sleep(250 + Math.random() * 250);
    }
  };

  for (let id = 0; id < nodes; id++) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const kind of Object.keys(kinds) as Kind[]) void subscribe(kind, id, agent);
    await sleep(5);
  }
  const pid = child.pid ?? 0;
  return {
    nodes,
    counts,
    get pollBytes() {
      return pollBytes;
    },
    cpu: () => cpuOf(pid),
    memory: () => memoryOf(pid),
    edit: (gateway) => {
      configure(gateway, 'b');
      return Math.floor((nodes - 1 - gateway) / gateways) + 1;
    },
    given: async (filters, more) => {
      while (counts.filters.given < filters + more) await sleep(10);
    },
    stop: async () => {
      stopping.abort();
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}

/** The module that all nodes run. */
export const moduleBytes = (): number => readFileSync(join(clone, 'build/plugin.wasm')).length;
