import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Buffers, type Windows, fitBuffers } from './buffers.ts';
import { isEndpoint } from './endpoint.ts';
import { EngineError } from '../../common/engine-error.ts';
import { ownFile } from '../../common/home.ts';
import { tokenEndpoints } from './token-endpoints.ts';
import { type KeyFiles, type KeySource, tokenFilter } from './token-filter.ts';
import { type WasmPlugin, wasmPlugins } from './module-filter.ts';
import { refuse } from './refuse.ts';
import {
  type GatewayServer,
  type LocatedServer,
  moduleConfiguration,
  pluginServerCluster,
  readServers,
} from './servers.ts';
import {
  type Cluster,
  type HostPort,
  type SocketAddress,
  type Trust,
  type Upstream,
  clusterFor,
  parseUpstream,
  socketAddress,
} from './upstream.ts';

export type { GatewayServer } from './servers.ts';

export interface GatewayOptions {
  /** Where MCP is served; port 0 for any free one. */
  readonly listen: HostPort;
  readonly admin: HostPort;
  /** `http://127.0.0.1:8801`: where Envoy fetches the module. */
  readonly pluginServerUrl: string;
  /** SHA-256 of the module that is served there, where it may differ from envoy.yaml's; hex. */
  readonly digest?: string;
  /** Where it is served there, where that may differ from envoy.yaml's: `/plugins/sluice/0.1.0/plugin.wasm`. */
  readonly modulePath?: string;
  /** The plugin configuration but for its servers; every member reaches the module as it is. */
  readonly plugin?: Readonly<Record<string, unknown>>;
  readonly servers: readonly GatewayServer[];
  /** How Envoy gets at authorities and keys; by default it runs on this machine. */
  readonly machine?: Machine;
  /** What it is derived from; by default envoy/envoy.yaml, with what its owner changed there. */
  readonly base?: Bootstrap;
}

/** What the machine has that an Envoy runs on. */
interface Machine {
  /** The authorities that it trusts where a URL begins with https. */
  readonly trust?: Trust;
  /** `auth.issuers[].jwks.file`: read here and now, or by Envoy. */
  readonly keyFiles?: KeyFiles;
}

/** The parts of envoy.yaml that a derived bootstrap replaces; all others are kept as they are. */
export interface Bootstrap {
  admin: { address: SocketAddress };
  static_resources: { listeners: [Listener]; clusters: Cluster[] };
}

interface Listener extends Buffers {
  address: SocketAddress;
  filter_chains: [{ filters: [{ typed_config: ConnectionManager }] }];
}

interface ConnectionManager extends Windows {
  http2_protocol_options: Windows['http2_protocol_options'] & { max_concurrent_streams: number };
  request_timeout: string;
  stream_idle_timeout: string;
  early_header_mutation_extensions: [{ typed_config: { mutations: { remove: string }[] } }];
  http_filters: [WasmFilter, ...unknown[]];
  route_config: { virtual_hosts: [{ routes: Route[] }] };
}

interface WasmFilter {
  name: string;
  typed_config: { config: RemotePlugin };
}

/** The filter of envoy.yaml. */
interface RemotePlugin extends WasmPlugin {
  vm_config: {
    vm_id: string;
    code: { remote: { http_uri: { uri: string }; sha256: string } };
    environment_variables: { host_env_keys: string[] };
  };
  configuration: { '@type': string; value: Record<string, unknown> };
}

interface Route {
  name: string;
  match: {
    path_separated_prefix?: string;
    headers?: [{ name: string; string_match: { exact: string } }];
  };
  route?: { cluster: string };
  direct_response?: { status: number; body: { inline_string: string } };
}

const envoyYaml = ownFile('envoy/envoy.yaml');
const template = ownFile('envoy/templates/envoy.yaml');

/**
 * Derives a bootstrap from envoy/envoy.yaml: the same listener, filter, limits and default-deny route, with other addresses,
 * servers and plugin configuration.
 * @throws EngineError of kind `configuration`; its details name every wrong member
 */
export function gatewayBootstrap(options: GatewayOptions): Bootstrap {
  const bootstrap = structuredClone(options.base ?? (parse(readFileSync(envoyYaml, 'utf8')) as Bootstrap));
  const servers = ownServers(options.servers);
  const endpoint = endpointOf(options.plugin);
  const { listeners, clusters } = bootstrap.static_resources;
  const [listener] = listeners;
  const manager = listener.filter_chains[0].filters[0].typed_config;

  bootstrap.admin.address = socketAddress(options.admin);
  listener.address = socketAddress(options.listen);
  fitBuffers(listener, manager, (options.plugin?.['limits'] as { heldBody?: unknown } | undefined)?.heldBody);
  const [shipped, ...others] = manager.http_filters;
  const [filter, ...more] = moduleFilters(shipped, options, servers);
  manager.http_filters = [filter, ...more, ...others];
  const tokens = tokenFilter(options.plugin, endpoint, options.machine?.keyFiles);
  if (tokens !== undefined) (manager.http_filters as unknown[]).unshift(tokens.filter);
  const [host] = manager.route_config.virtual_hosts;
  const asked = servers.filter(hasCluster);
  host.routes = routesFor(asked, endpoint, host.routes);
  bootstrap.static_resources.clusters = [
    ...clustersFor(asked, options, clusters),
    ...keyClusters([...(tokens?.sources ?? []), ...tokenEndpoints(options.servers)], options, clusters),
  ];
  return bootstrap;
}

/** What the clusters and the filter of a live configuration are made after. */
export interface Templates {
  /** The cluster of an MCP server. */
  readonly cluster: Cluster;
  /** The `typed_config` of the wasm filter. */
  readonly filter: { readonly '@type': string; readonly config: WasmPlugin };
}

/** Copies of parts of what envoy/envoy.yaml is made of, which is there without a build as well. */
export function shippedTemplates(): Templates {
  const { listeners, clusters } = shippedBootstrap().static_resources;
  const filter = listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config as unknown;
  return { cluster: templateOf(clusters), filter: filter as Templates['filter'] };
}

/** What envoy/envoy.yaml is made of, for a gateway of any module: nobody's changes are in it. */
export function shippedBootstrap(): Bootstrap {
  return parse(readFileSync(template, 'utf8')) as Bootstrap;
}

/** Names of the environment variables that a plugin configuration asks for: every `env: NAME` in it, each once. */
export function environmentNames(configuration: unknown): string[] {
  const names = new Set<string>();
  JSON.stringify(configuration, (key, value: unknown) => {
    if (key === 'env' && typeof value === 'string') names.add(value);
    return value;
  });
  return [...names];
}

/** A server whose cluster is made here. */
type OwnServer = LocatedServer & { readonly upstream: Upstream };

/** Each of them has a URL, or asks nobody. */
function ownServers(entries: readonly unknown[]): LocatedServer[] {
  const { servers, problems } = readServers(entries);
  refuse(problems.map(({ path, message }) => `${path}: ${message}`));
  return servers;
}

function hasCluster(server: LocatedServer): server is OwnServer {
  return server.upstream !== undefined;
}

/**
 * The path that MCP is served at.
 * @throws EngineError where it is none that the default-deny route could match
 */
export function endpointOf({ endpoint = '/mcp' }: Readonly<Record<string, unknown>> = {}): string {
  if (isEndpoint(endpoint)) return endpoint;
  throw new EngineError(`endpoint: expected a path like /mcp, found ${JSON.stringify(endpoint)}`, 'configuration');
}

/** The filters of the module, made after the shipped one. */
function moduleFilters(
  shipped: WasmFilter,
  options: GatewayOptions,
  servers: readonly LocatedServer[],
): [WasmFilter, ...WasmFilter[]] {
  const { config } = shipped.typed_config;
  const value = moduleConfiguration({ plugin: options.plugin ?? {}, servers });
  writeCode(config, options);
  config.vm_config.environment_variables.host_env_keys = environmentNames(value);
  const [decider, ...others] = wasmPlugins(config, value, (told) => ({ ...config.configuration, value: { ...told } }));
  const asFilter = (plugin: RemotePlugin): WasmFilter => ({
    name: plugin.name,
    typed_config: { ...shipped.typed_config, config: plugin },
  });
  return [asFilter(decider), ...others.map(asFilter)];
}

function writeCode({ vm_config }: RemotePlugin, { pluginServerUrl, digest, modulePath }: GatewayOptions): void {
  const { remote } = vm_config.code;
  remote.http_uri.uri = new URL(modulePath ?? new URL(remote.http_uri.uri).pathname, pluginServerUrl).href;
  if (digest === undefined) return;
  vm_config.vm_id = vm_config.vm_id.replace(remote.sha256, digest);
  remote.sha256 = digest;
}

/** A route for each server, made after the first of the shipped ones, then what follows them there. */
function routesFor(servers: readonly OwnServer[], endpoint: string, shipped: readonly Route[]): Route[] {
  const [template] = shipped;
  const routes = servers.map(({ entry: { name } }) => {
    const route = structuredClone(template) as Route & { route: { cluster: string } };
    route.name = name;
    route.match.headers = [{ name: 'x-mcp-servername', string_match: { exact: name } }];
    route.route.cluster = name;
    return route;
  });
  const defaultDeny = structuredClone(shipped.filter((route) => route.route === undefined));
  for (const route of defaultDeny) route.match.path_separated_prefix = endpoint;
  return [...routes, ...defaultDeny];
}

function clustersFor(
  servers: readonly OwnServer[],
  { pluginServerUrl, machine }: GatewayOptions,
  shipped: readonly Cluster[],
): Cluster[] {
  const own = shipped.find((cluster) => cluster.name === pluginServerCluster);
  if (own === undefined) throw new Error(`${envoyYaml}: expected the cluster ${pluginServerCluster}`);
  const template = templateOf(shipped);
  return [
    clusterFor(pluginServerCluster, parseUpstream(pluginServerUrl), own, machine?.trust),
    ...servers.map(({ entry, upstream }) => clusterFor(entry.name, upstream, template, machine?.trust)),
  ];
}

/** Each once, as issuers may share one. */
function keyClusters(
  sources: readonly KeySource[],
  { machine }: GatewayOptions,
  shipped: readonly Cluster[],
): Cluster[] {
  const byName = new Map(sources.map(({ cluster, url }) => [cluster, url]));
  return [...byName].map(([name, url]) => clusterFor(name, parseUpstream(url), templateOf(shipped), machine?.trust));
}

function templateOf(shipped: readonly Cluster[]): Cluster {
  const template = shipped.find((cluster) => cluster.name !== pluginServerCluster);
  if (template === undefined) throw new Error(`${envoyYaml}: expected the cluster of an MCP server`);
  return template;
}
