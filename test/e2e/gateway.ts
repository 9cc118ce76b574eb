// The gateway under test as a user runs it: the module from a real plugin server, in the engine that was found.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { type Bootstrap, type GatewayServer, endpointOf, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import type { RunningEngine } from '../../envoy/engine/running.ts';
import type { ModuleServer } from '../module-server.ts';
import { startEmbeddedProcess } from './embedded-process.ts';
import { type Engine, engine, hostMode } from './engine.ts';
import { statsOf, suspicious, vmFailures } from './soundness.ts';
import { until } from './until.ts';

export interface GatewayOptions {
  readonly servers: readonly GatewayServer[];
  /** The plugin configuration but for its servers. */
  readonly plugin?: Readonly<Record<string, unknown>>;
  /** 2 unless said otherwise, so that what lives in one worker only is noticed. */
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Key and certificate of a plugin server of its own, in PEM; without them the module comes in the clear, from that of all. */
  readonly pluginServerTls?: { readonly key: string; readonly cert: string };
  /** Changes the bootstrap: for what the shipped one does not have. */
  readonly adjust?: (bootstrap: Bootstrap) => void;
}

export interface Gateway {
  /** Of the MCP endpoint: `http://127.0.0.1:40000/mcp` */
  readonly url: string;
  readonly origin: string;
  /** Of the engine's admin interface. */
  readonly adminUrl: string;
  /** Host and port of the listener of that name: of one that `adjust` has added. */
  listener(name: string): string;
  /** Everything that the engine wrote so far. */
  log(): string;
  /** Counters and gauges by name. */
  stats(): Promise<Map<string, number>>;
  /** All of them as Prometheus reads them, labels cut out. */
  prometheus(): Promise<string>;
  /** MiB of the engine's process that are in memory now; undefined where the system does not say (Linux does). */
  residentMemory(): number | undefined;
  /** The configuration as an operator can read it. */
  configuration(): Promise<string>;
  stop(): Promise<void>;
}

const engines: Record<
  Engine['name'],
  (engine: Engine, bootstrap: Bootstrap, options: GatewayOptions) => Promise<RunningEngine>
> = {
  envoy: ({ binary }, bootstrap, { workers = 2, env = {} }) =>
    startEnvoy({ binary, config: bootstrap, concurrency: workers, env }),
  embedded: (_, bootstrap, { workers = 2, env = {} }) =>
    startEmbeddedProcess({ config: bootstrap, concurrency: workers, env }),
};

const loopback = { host: '127.0.0.1', port: 0 };

/** Starts a gateway that fetches the module from a plugin server; it ends with `stop`. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  if (engine === undefined) throw new Error('there is no engine to run the gateway in');
  const modules = await moduleServer(options);
  try {
    const bootstrap = gatewayBootstrap({
      listen: loopback,
      admin: loopback,
      pluginServerUrl: modules.source.url,
      digest: modules.source.digest,
      servers: options.servers,
      plugin: { hostMode, ...options.plugin },
    });
    options.adjust?.(bootstrap);
    const running = await engines[engine.name](engine, bootstrap, options);
    const origin = `http://${running.listeners.get('mcp') ?? ''}`;
    return {
      url: origin + endpointOf(options.plugin),
      origin,
      adminUrl: running.adminUrl,
      listener: (name) => running.listeners.get(name) ?? '',
      log: () => running.log(),
      stats: () => statsOf(running.adminUrl),
      prometheus: async () => (await fetch(`${running.adminUrl}/stats/prometheus`)).text(),
      residentMemory: () => residentMemoryOf(running.pid),
      configuration: async () => (await fetch(`${running.adminUrl}/config_dump`)).text(),
      stop: async () => {
        await running.stop();
        await modules.stop();
      },
    };
  } catch (error) {
    await modules.stop();
    throw error;
  }
}

/** That of all gateways, which no test ends, or one with keys of its own. */
async function moduleServer({ pluginServerTls }: GatewayOptions): Promise<ModuleServer> {
  if (pluginServerTls === undefined) return { source: inject('module'), stop: () => Promise.resolve() };
  // A plugin server takes a second to load, which hardly any test needs.
  const { startModuleServer } = await import('../module-server.ts');
  return startModuleServer(pluginServerTls);
}

function residentMemoryOf(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/**
 * A gateway for the tests of a block. At its end the gateway has to be as sound as at its beginning.
 * @param options made once the upstreams of the block are up
 * @param complaint what the module has to say of a gateway that is not as it should be, once for each worker
 */
export function useGateway(options: () => GatewayOptions, complaint?: RegExp): { readonly current: Gateway } {
  let gateway: Gateway | undefined;
  beforeAll(async () => {
    gateway = await startGateway(options());
  });
  afterAll(async () => {
    if (gateway === undefined) return;
    try {
      await expectSound(gateway, complaint);
    } finally {
      await gateway.stop();
    }
  });
  return {
    get current() {
      if (gateway === undefined) throw new Error('the gateway is not running yet');
      return gateway;
    },
  };
}

/** No trap, no VM that had to be replaced, and no request that is still held after its client got what it wanted. */
export async function expectSound(gateway: Gateway, complaint?: RegExp): Promise<void> {
  await until('no request is held any more', async () => {
    const stats = await gateway.stats();
    return stats.get('http.mcp.downstream_rq_active') === 0;
  });
  const stats = await gateway.stats();
  // Of a pair the second filter asks for code that the first one is fetching, see envoy/engine/diagnosis.ts; and the third.
  const usual = hostMode === 'pair' ? 2 : 0;
  const troubles = vmFailures(stats, usual);
  expect(troubles, 'what Envoy counted against the VMs').toEqual([]);
  const found = suspicious(gateway.log());
  const complaints = found.filter((line) => complaint?.test(line));
  expect(
    found.filter((line) => !complaints.includes(line)),
    'what the log holds against the module',
  ).toEqual([]);
  if (complaint === undefined) return;
  expect(complaints.length, 'how often the module complained').toBeGreaterThan(0);
  expect(complaints.length, 'how often the module complained').toBeLessThanOrEqual(2);
}
