// One Envoy with several listeners: the same routes to the same upstream, behind different filters.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { obtainEnvoy } from '../../envoy/engine/obtain.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import type { RunningEngine } from '../../envoy/engine/running.ts';
import type { HostMode } from '../../envoy/engine/suitable.ts';
import { build } from '../../scripts/build.ts';
import { buildFloors } from './floors.ts';
import { restPath, withoutSessions } from './requests.ts';

export type ListenerName =
  'none' | 'noop' | 'sluice' | 'pair' | 'rest' | 'list' | 'cached' | 'modern' | 'shared' | 'alone';

/**
 * Listeners as shipped, with their access log: of two servers, and those that end in 10, of ten. The servers of known ones
 * keep no sessions.
 */
type BesideName =
  'plain' | 'floor' | 'exports' | 'native' | 'hold' | 'known' | 'pair' | 'native 10' | 'hold 10' | 'known 10';

export interface BenchGateway<Name extends string = ListenerName> {
  readonly envoy: RunningEngine;
  readonly portOf: (listener: Name) => number;
  stop(): Promise<void>;
}

const loopback = { host: '127.0.0.1', port: 0 };
const CACHE = { ttl: '1h', scope: 'shared' };

/**
 * @param module the file of another module than the one that is built
 * @param only listeners: an older module does not know what all of them are configured with
 */
export async function startGateway(
  upstreamPort: number,
  module?: string,
  only?: readonly ListenerName[],
): Promise<BenchGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const binary = await ownEnvoy();
  const sluice = module ?? (await build()).plugin.file;
  const modules = { sluice, ...(await buildFloors(folder, sluice, 'server-0')) };
  const one = servers(1, upstreamPort);
  const parts = {
    none: listener('none', one, undefined),
    noop: listener('noop', one, modules.noop),
    sluice: listener('sluice', one, modules.sluice),
    pair: listener('pair', one, modules.sluice, { hostMode: 'pair' }),
    rest: listener('rest', [restService(upstreamPort)], modules.sluice),
    list: listener('list', servers(10, upstreamPort), modules.sluice),
    cached: listener('cached', servers(10, upstreamPort, { listCache: CACHE }), modules.sluice),
    modern: listener('modern', servers(1, upstreamPort, { protocol: '2026-07-28' }), modules.sluice),
    shared: listener('shared', servers(1, upstreamPort, { protocol: '2025-06-18' }), modules.sluice, {
      identity: { trustedHeader: 'x-user' },
    }),
    alone: listener('alone', servers(1, upstreamPort, { protocol: '2025-06-18' }), modules.sluice),
  };
  const wanted = Object.entries(parts).filter(([name]) => only?.some((one) => one === name) !== false);
  const chosen = wanted.map(([, part]) => part);
  const base = bootstrapOf(servers(10, upstreamPort));
  const config = { ...base, static_resources: { ...base.static_resources, listeners: chosen } };
  const envoy = await startEnvoy({ binary: binary.path, config, concurrency: 1, logLevel: 'warning' });
  return running(envoy, folder);
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

/** The oldest Envoy whose own MCP router can be held against Sluice. */
const OLDEST_NATIVE = 38;

/**
 * One Envoy with the listeners that stand beside each other in the benchmark. Its answers to `portOf` of a native one are
 * NaN where this Envoy has no MCP router of its own.
 */
export async function startBeside(upstreamPort: number): Promise<BenchGateway<BesideName>> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const binary = await ownEnvoy();
  const sluice = (await build()).plugin.file;
  const floors = await buildFloors(folder, sluice, 'server-0');
  const [two, ten] = [servers(2, upstreamPort), servers(10, upstreamPort)];
  const hasNative = Number(binary.version.split('.')[1]) >= OLDEST_NATIVE;
  const parts = [
    listener('plain', two, undefined, { hostMode: 'hold' }, true),
    listener('floor', two, floors.floor, { hostMode: 'hold' }, true),
    listener('exports', two, floors.exports, { hostMode: 'hold' }, true),
    listener('hold', two, sluice, { hostMode: 'hold' }, true),
    listener('pair', two, sluice, { hostMode: 'pair' }, true),
    listener('known', stateless(two), sluice, { hostMode: 'hold' }, true),
    listener('hold 10', ten, sluice, { hostMode: 'hold' }, true),
    listener('known 10', stateless(ten), sluice, { hostMode: 'hold' }, true),
    ...(hasNative ? [nativeListener('native', two), nativeListener('native 10', ten)] : []),
  ];
  const base = bootstrapOf(ten);
  const config = { ...base, static_resources: { ...base.static_resources, listeners: parts } };
  const envoy = await startEnvoy({ binary: binary.path, config, concurrency: 1, logLevel: 'error' });
  return running(envoy, folder);
}

/** What the embedded engine is measured with: the shipped listener of two servers, with its access log, and the module. */
export async function embeddedBootstrap(upstreamPort: number): Promise<object> {
  const two = servers(2, upstreamPort);
  const base = bootstrapOf(two);
  const listeners = [listener('hold', two, (await build()).plugin.file, { hostMode: 'hold' }, true)];
  return { ...base, static_resources: { ...base.static_resources, listeners } };
}

/** What stands in an Envoy whose memory is looked at: no filter, a module that does next to nothing, or Sluice. */
export type Weighed = 'none' | 'exports' | 'sluice';

/**
 * An Envoy with one listener and as many workers as are asked for; its lists are cached for all callers alike.
 * @param each tools of a server
 */
export async function startAlone(
  upstreamPort: number,
  filter: Weighed,
  { count, each, workers }: { readonly count: number; readonly each: number; readonly workers: number },
): Promise<BenchGateway<Weighed>> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const binary = await ownEnvoy();
  const sluice = (await build()).plugin.file;
  const { exports } = await buildFloors(folder, sluice, 'server-0');
  const url = `http://127.0.0.1:${upstreamPort}/tools-${each}`;
  const of = servers(count, upstreamPort, { listCache: CACHE, url });
  const module = { none: undefined, exports, sluice }[filter];
  const base = bootstrapOf(of);
  const listeners = [listener(filter, of, module, { hostMode: 'hold' }, true)];
  const config = { ...base, static_resources: { ...base.static_resources, listeners } };
  const envoy = await startEnvoy({ binary: binary.path, config, concurrency: workers, logLevel: 'error' });
  return running(envoy, folder);
}

/** Whose tokens are good, and the rules of listeners by their names; that without any is `no rules`. */
interface Ruled<Way extends string> {
  readonly issuer: string;
  /** A JWKS. */
  readonly keys: string;
  readonly rules: Readonly<Record<Way, readonly object[]>>;
}

/** Listeners that differ in their rules alone: ten servers are asked for their lists, or those are cached. */
export async function startRuled<Way extends string>(
  upstreamPort: number,
  { issuer, keys, rules }: Ruled<Way>,
): Promise<BenchGateway<`${'asked' | 'cached'}, ${Way | 'no rules'}`>> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const binary = await ownEnvoy();
  const sluice = (await build()).plugin.file;
  const file = join(folder, 'jwks.json');
  writeFileSync(file, keys);
  const auth = { issuers: [{ issuer, jwks: { file } }] };
  const sources = { asked: servers(10, upstreamPort), cached: servers(10, upstreamPort, { listCache: CACHE }) };
  const plugins: Record<string, Plugin> = { 'no rules': { auth } };
  for (const [way, of] of Object.entries<readonly object[]>(rules))
    plugins[way] = { auth, authorization: { rules: of } };
  const parts = Object.entries(sources).flatMap(([source, of]) =>
    Object.entries(plugins).map(([way, plugin]) => listener(`${source}, ${way}`, of, sluice, plugin)),
  );
  const base = bootstrapOf(sources.asked);
  const config = { ...base, static_resources: { ...base.static_resources, listeners: parts } };
  const envoy = await startEnvoy({ binary: binary.path, config, concurrency: 1, logLevel: 'error' });
  return running(envoy, folder);
}

function running<Name extends string>(envoy: RunningEngine, folder: string): BenchGateway<Name> {
  return {
    envoy,
    portOf: (name) => Number(envoy.listeners.get(name)?.split(':').at(-1)),
    stop: async () => {
      await envoy.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function ownEnvoy(): ReturnType<typeof obtainEnvoy> {
  return obtainEnvoy({
    env: process.env,
    folder: fileURLToPath(new URL('../../.envoy', import.meta.url)),
    mode: 'hold',
    progress: (line) => process.stderr.write(`${line}\n`),
  });
}

function servers(count: number, port: number, more: object = {}): { name: string; url: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `server-${index}`,
    url: `http://127.0.0.1:${port}/mcp`,
    prefix: `s${index}_`,
    ...more,
  }));
}

function stateless(servers: readonly { name: string; url: string }[]): { name: string; url: string }[] {
  return servers.map((server) => ({ ...server, url: new URL(withoutSessions, server.url).href }));
}

function bootstrapOf(
  servers: { name: string; url: string }[],
  plugin: Plugin = {},
): ReturnType<typeof gatewayBootstrap> {
  const pluginServerUrl = 'http://127.0.0.1:1';
  const all = { hostMode: 'hold' as const, ...plugin };
  return gatewayBootstrap({ listen: loopback, admin: loopback, pluginServerUrl, servers, plugin: all });
}

/**
 * The shipped listener with another name, and with another module or none. The module is read from its file, and each has
 * a VM of its own.
 * @param isLogged with its access log
 */
function listener(
  name: string,
  of: { name: string; url: string }[],
  module: string | undefined,
  plugin?: Plugin,
  isLogged = false,
): object {
  const [shipped] = bootstrapOf(of, plugin).static_resources.listeners;
  const manager = shipped.filter_chains[0].filters[0].typed_config;
  const filters = (manager.http_filters as unknown as HttpFilter[]).flatMap((filter) => {
    const { config } = filter.typed_config;
    if (config === undefined) return [filter];
    if (module === undefined) return [];
    const vm = { ...config.vm_config, vm_id: name, code: { local: { filename: module } } };
    return [{ ...filter, typed_config: { ...filter.typed_config, config: { ...config, vm_config: vm } } }];
  });
  return withFilters(name, shipped, filters, isLogged);
}

/** Envoy's own MCP router in the place of Sluice and of the router. */
function nativeListener(name: string, of: { name: string; url: string }[]): object {
  const type = 'type.googleapis.com/envoy.extensions.filters.http';
  const backends = of.map((server) => ({ name: server.name, mcp_cluster: { cluster: server.name, path: '/mcp' } }));
  const filters = [
    { name: 'envoy.filters.http.mcp', typed_config: { '@type': `${type}.mcp.v3.Mcp` } },
    {
      name: 'envoy.filters.http.mcp_router',
      typed_config: { '@type': `${type}.mcp_router.v3.McpRouter`, servers: backends },
    },
  ];
  return withFilters(name, bootstrapOf(of).static_resources.listeners[0], filters, true);
}

function withFilters(name: string, shipped: Listener, filters: readonly object[], isLogged: boolean): object {
  const manager = shipped.filter_chains[0].filters[0].typed_config;
  // Where Sluice does not set the header that routes match on, the client of this benchmark does.
  const early = { early_header_mutation_extensions: [] };
  const typed_config = { ...manager, ...early, http_filters: filters, ...(isLogged ? {} : { access_log: [] }) };
  const chain = { filters: [{ ...shipped.filter_chains[0].filters[0], typed_config }] };
  return { ...shipped, name, filter_chains: [chain] };
}

type Listener = ReturnType<typeof gatewayBootstrap>['static_resources']['listeners'][0];

interface Plugin {
  readonly hostMode?: HostMode;
  readonly identity?: { readonly trustedHeader: string };
  readonly auth?: object;
  readonly authorization?: object;
}

interface HttpFilter {
  readonly typed_config: { readonly config?: { readonly vm_config: object } };
}
