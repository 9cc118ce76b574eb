// One Envoy with several listeners: the same routes to the same upstream, behind different filters.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { obtainEnvoy } from '../../envoy/engine/obtain.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import type { RunningEngine } from '../../envoy/engine/running.ts';
import type { HostMode } from '../../envoy/engine/suitable.ts';
import { build } from '../../scripts/build.ts';
import { buildNoop } from './noop.ts';
import { restPath } from './requests.ts';

type ListenerName = 'none' | 'noop' | 'sluice' | 'pair' | 'rest' | 'list' | 'cached';

export interface BenchGateway {
  readonly envoy: RunningEngine;
  readonly portOf: (listener: ListenerName) => number;
  stop(): Promise<void>;
}

const loopback = { host: '127.0.0.1', port: 0 };
const CACHE = { ttl: '1h', scope: 'shared' };

/** @param module the file of another module than the one that is built */
export async function startGateway(upstreamPort: number, module?: string): Promise<BenchGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const binary = await obtainEnvoy({
    env: process.env,
    folder: fileURLToPath(new URL('../../.envoy', import.meta.url)),
    mode: 'hold',
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const modules = { sluice: module ?? (await build()).plugin.file, noop: await buildNoop(folder) };
  const one = servers(1, upstreamPort);
  const parts = {
    none: listener('none', one, undefined),
    noop: listener('noop', one, modules.noop),
    sluice: listener('sluice', one, modules.sluice),
    pair: listener('pair', one, modules.sluice, 'pair'),
    rest: listener('rest', [restService(upstreamPort)], modules.sluice),
    list: listener('list', servers(10, upstreamPort), modules.sluice),
    cached: listener('cached', servers(10, upstreamPort, { listCache: CACHE }), modules.sluice),
  };
  const base = bootstrapOf(servers(10, upstreamPort));
  const config = { ...base, static_resources: { ...base.static_resources, listeners: Object.values(parts) } };
  const envoy = await startEnvoy({ binary: binary.path, config, concurrency: 1, logLevel: 'warning' });
  return {
    envoy,
    portOf: (name) => Number(envoy.listeners.get(name)?.split(':').at(-1)),
    stop: async () => {
      await envoy.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** One tool, whose requests and results are about as large as those of a call of MCP. */
function restService(port: number): { name: string; url: string; rest: object } {
  const tool = {
    name: 'get_record_1',
    args: [{ name: 'list', type: 'array', required: true, position: 'body' }],
    requestTemplate: { url: restPath, method: 'POST', argsToJsonBody: true },
    responseTemplate: { body: '{{.text}}' },
  };
  return { name: 'server-0', url: `http://127.0.0.1:${port}`, rest: { tools: [tool] } };
}

function servers(count: number, port: number, more: object = {}): { name: string; url: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `server-${index}`,
    url: `http://127.0.0.1:${port}/mcp`,
    prefix: `s${index}_`,
    ...more,
  }));
}

function bootstrapOf(
  servers: { name: string; url: string }[],
  hostMode: HostMode = 'hold',
): ReturnType<typeof gatewayBootstrap> {
  const pluginServerUrl = 'http://127.0.0.1:1';
  return gatewayBootstrap({ listen: loopback, admin: loopback, pluginServerUrl, servers, plugin: { hostMode } });
}

/**
 * The shipped listener with another name, without its access log, and with another module or none. The module is read
 * from its file, and each has a VM of its own.
 */
function listener(
  name: ListenerName,
  of: { name: string; url: string }[],
  module: string | undefined,
  hostMode?: HostMode,
): object {
  const [shipped] = bootstrapOf(of, hostMode).static_resources.listeners;
  const manager = shipped.filter_chains[0].filters[0].typed_config;
  const filters = (manager.http_filters as unknown as HttpFilter[]).flatMap((filter) => {
    const { config } = filter.typed_config;
    if (config === undefined) return [filter];
    if (module === undefined) return [];
    const vm = { ...config.vm_config, vm_id: name, code: { local: { filename: module } } };
    return [{ ...filter, typed_config: { ...filter.typed_config, config: { ...config, vm_config: vm } } }];
  });
  // Where Sluice does not set the header that routes match on, the client of this benchmark does.
  const early = { early_header_mutation_extensions: [] };
  const typed_config = { ...manager, ...early, http_filters: filters, access_log: [] };
  const chain = { filters: [{ ...shipped.filter_chains[0].filters[0], typed_config }] };
  return { ...shipped, name, filter_chains: [chain] };
}

interface HttpFilter {
  readonly typed_config: { readonly config?: { readonly vm_config: object } };
}
