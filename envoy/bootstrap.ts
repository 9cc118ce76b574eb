import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type Buffers, type Windows, fitBuffers } from './buffers.ts';
import { EngineError } from './engine/error.ts';
import {
  type Cluster,
  type HostPort,
  type SocketAddress,
  type Upstream,
  clusterFor,
  parseUpstream,
  socketAddress,
} from './upstream.ts';

/** An entry of `servers` in the plugin configuration, where `url` stands for cluster, authority and path. */
export interface GatewayServer {
  readonly name: string;
  /** `http://127.0.0.1:3001/mcp`: its cluster is made, and named after the server. */
  readonly url: string;
  readonly [member: string]: unknown;
}

export interface GatewayOptions {
  /** Where MCP is served; port 0 for any free one. */
  readonly listen: HostPort;
  readonly admin: HostPort;
  /** `http://127.0.0.1:8801`: where Envoy fetches the module. */
  readonly pluginServerUrl: string;
  /** SHA-256 of the module that is served there, where it may differ from envoy.yaml's; hex. */
  readonly digest?: string;
  /** The plugin configuration but for its servers; every member reaches the module as it is. */
  readonly plugin?: Readonly<Record<string, unknown>>;
  readonly servers: readonly GatewayServer[];
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
  http_filters: [WasmFilter, ...unknown[]];
  route_config: { virtual_hosts: [{ routes: Route[] }] };
}

interface WasmFilter {
  name: string;
  typed_config: { config: WasmPlugin };
}

interface WasmPlugin {
  name: string;
  root_id: string;
  allow_on_headers_stop_iteration?: boolean;
  vm_config: {
    vm_id: string;
    code: { remote: { http_uri: { uri: string }; sha256: string } };
    environment_variables: { host_env_keys: string[] };
  };
  configuration: { value: Record<string, unknown> };
}

interface Route {
  name: string;
  match: {
    path_separated_prefix?: string;
    headers?: [{ name: string; string_match: { exact: string } }];
  };
  route?: { cluster: string };
}

const envoyYaml = fileURLToPath(new URL('envoy.yaml', import.meta.url));

/** The module knows its role by the end of its root id. */
const holderName = 'sluice-holder';

const pluginServerCluster = 'plugin-server';

/**
 * Derives a bootstrap from envoy/envoy.yaml: the same listener, filter, limits and closed door, with other addresses,
 * servers and plugin configuration.
 * @throws EngineError of kind `configuration`; its details name every wrong member
 */
export function gatewayBootstrap(options: GatewayOptions): Bootstrap {
  const bootstrap = parse(readFileSync(envoyYaml, 'utf8')) as Bootstrap;
  const servers = readServers(options.servers);
  const endpoint = endpointOf(options.plugin);
  const { listeners, clusters } = bootstrap.static_resources;
  const [listener] = listeners;
  const manager = listener.filter_chains[0].filters[0].typed_config;

  bootstrap.admin.address = socketAddress(options.admin);
  listener.address = socketAddress(options.listen);
  fitBuffers(listener, manager, (options.plugin?.['limits'] as { heldBody?: unknown } | undefined)?.heldBody);
  const [filter, ...others] = manager.http_filters;
  writePlugin(filter.typed_config.config, options, servers);
  if (options.plugin?.['hostMode'] === 'pair') manager.http_filters = [...pairOf(filter), ...others];
  const [host] = manager.route_config.virtual_hosts;
  host.routes = routesFor(servers, endpoint, host.routes);
  bootstrap.static_resources.clusters = clustersFor(servers, options.pluginServerUrl, clusters);
  return bootstrap;
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

interface Server {
  readonly entry: GatewayServer;
  readonly upstream: Upstream;
}

/** A name is a metric label, a header value and here a cluster's name as well. */
const namePattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** The members that this file acts on; all others are the module's to judge. */
function readServers(entries: readonly unknown[]): Server[] {
  const errors: string[] = [];
  const names = new Set<unknown>();
  const servers: Server[] = [];
  for (const [index, entry] of entries.entries()) {
    const at = `servers[${index}]`;
    if (typeof entry !== 'object' || entry === null) {
      errors.push(`${at}: expected an object with name and url`);
      continue;
    }
    const { name, url, cluster } = entry as Record<string, unknown>;
    if (typeof name !== 'string' || !namePattern.test(name)) {
      errors.push(`${at}.name: expected lower-case letters, digits and inner hyphens, found ${JSON.stringify(name)}`);
    } else if (names.has(name)) {
      errors.push(`${at}.name: ${name} is the name of another server`);
    } else if (name === pluginServerCluster) {
      errors.push(`${at}.name: ${name} is the cluster of the plugin server`);
    }
    names.add(name);
    if (typeof url !== 'string') {
      errors.push(`${at}.url: expected the URL of the server; clusters are made from it`);
      continue;
    }
    if (cluster !== undefined) errors.push(`${at}: url and cluster exclude each other`);
    try {
      servers.push({ entry: entry as GatewayServer, upstream: parseUpstream(url) });
    } catch (error) {
      errors.push(`${at}.url: ${(error as Error).message}`);
    }
  }
  refuse(errors);
  return servers;
}

/**
 * The path that MCP is served at.
 * @throws EngineError where it is none that the closed door could match
 */
export function endpointOf({ endpoint = '/mcp' }: Readonly<Record<string, unknown>> = {}): string {
  if (typeof endpoint === 'string' && /^(?:\/[^/?#\s]+)+$/.test(endpoint)) return endpoint;
  throw new EngineError(`endpoint: expected a path like /mcp, found ${JSON.stringify(endpoint)}`, 'configuration');
}

function refuse(errors: readonly string[]): void {
  if (errors.length === 0) return;
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
  throw new EngineError(`the configuration has ${count}`, 'configuration', errors);
}

function writePlugin(config: WasmPlugin, options: GatewayOptions, servers: readonly Server[]): void {
  const { plugin, pluginServerUrl, digest } = options;
  const shipped = config.configuration.value;
  const value = {
    hostMode: shipped['hostMode'], // goes with the filter's flag, which is kept as well
    ...plugin,
    servers: servers.map(({ entry, upstream: { authority, path } }) => {
      const members = Object.entries(entry).filter(([member]) => member !== 'url');
      return { cluster: entry.name, authority, path, ...Object.fromEntries(members) };
    }),
  };
  config.configuration.value = value;
  config.vm_config.environment_variables.host_env_keys = environmentNames(value);
  const { remote } = config.vm_config.code;
  remote.http_uri.uri = new URL(new URL(remote.http_uri.uri).pathname, pluginServerUrl).href;
  if (digest === undefined) return;
  config.vm_config.vm_id = config.vm_config.vm_id.replace(remote.sha256, digest);
  remote.sha256 = digest;
}

/**
 * The two filters of host mode `pair` from the one of `hold`: without the flag, and with a holder behind it, whose VM has
 * to be the same one, so that all of `vm_config` is equal.
 */
function pairOf(filter: WasmFilter): [WasmFilter, WasmFilter] {
  const decider = { ...filter.typed_config.config };
  delete decider.allow_on_headers_stop_iteration;
  const { endpoint, log } = decider.configuration.value;
  const holder = {
    ...decider,
    name: holderName,
    root_id: holderName,
    configuration: {
      ...decider.configuration,
      value: Object.fromEntries(
        Object.entries({ endpoint, hostMode: 'pair', log }).filter(([, value]) => value !== undefined),
      ),
    },
  };
  return [
    { ...filter, typed_config: { ...filter.typed_config, config: decider } },
    { name: holderName, typed_config: { ...filter.typed_config, config: holder } },
  ];
}

/** A route for each server, made after the first of the shipped ones, then what follows them there. */
function routesFor(servers: readonly Server[], endpoint: string, shipped: readonly Route[]): Route[] {
  const [template] = shipped;
  const routes = servers.map(({ entry: { name } }) => {
    const route = structuredClone(template) as Route & { route: { cluster: string } };
    route.name = name;
    route.match.headers = [{ name: 'x-mcp-servername', string_match: { exact: name } }];
    route.route.cluster = name;
    return route;
  });
  const door = structuredClone(shipped.filter((route) => route.route === undefined));
  for (const route of door) route.match.path_separated_prefix = endpoint;
  return [...routes, ...door];
}

function clustersFor(servers: readonly Server[], pluginServerUrl: string, shipped: readonly Cluster[]): Cluster[] {
  const own = shipped.find((cluster) => cluster.name === pluginServerCluster);
  const template = shipped.find((cluster) => cluster.name !== pluginServerCluster);
  if (own === undefined || template === undefined) {
    throw new Error(`${envoyYaml}: expected the cluster ${pluginServerCluster} and one of an MCP server`);
  }
  return [
    clusterFor(pluginServerCluster, parseUpstream(pluginServerUrl), own),
    ...servers.map(({ entry, upstream }) => clusterFor(entry.name, upstream, template)),
  ];
}
