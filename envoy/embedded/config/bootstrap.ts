import { readDocument } from '../../yaml/document.ts';
import { EngineError } from '../../../common/engine-error.ts';
import { readIpAddress, readCluster } from './clusters.ts';
import { readConnectionManager } from './connection-manager.ts';
import { type Message, Problems, readMessage } from './message.ts';
import type { Configuration, HttpFilter, Listener, WasmPlugin } from './model.ts';
import { readWasm } from './wasm.ts';

const defaultBufferLimit = 1 << 20;

/**
 * Reads a bootstrap: YAML, JSON, or what either was parsed to.
 * @param environment of the process: what host_env_keys name
 * @throws EngineError of kind `configuration`; its details name everything that the embedded engine does not have
 */
export function readBootstrap(bootstrap: string | object, environment: NodeJS.ProcessEnv): Configuration {
  const problems = new Problems();
  const value = typeof bootstrap === 'string' ? parse(bootstrap) : bootstrap;
  const configuration = readMessage(value, '', problems, (message) => readTop(message, environment));
  checkClusters(configuration, problems);
  refuse(problems);
  return configuration;
}

/** As Envoy reads it: `no` is false. */
function parse(text: string): unknown {
  const { document, flaws } = readDocument('the bootstrap', Buffer.from(text));
  const lines = flaws.map(({ line, column, path, message }) =>
    [`${line}:${column}`, path, message].filter(Boolean).join(': '),
  );
  if (lines.length > 0) throw new EngineError('the bootstrap cannot be read', 'configuration', lines);
  return document?.root.value;
}

/** A filter's configuration that was discovered: a `TypedExtensionConfig` with a wasm filter. */
export function readDiscovered(resource: unknown, environment: NodeJS.ProcessEnv): WasmPlugin {
  const problems = new Problems();
  const plugin = readMessage(resource, 'resources[0]', problems, (message) => {
    message.ignore('name');
    const type = 'envoy.extensions.filters.http.wasm.v3.Wasm';
    return message.any('typed_config', { [type]: (filter) => readWasm(filter, environment) });
  });
  refuse(problems);
  if (plugin === undefined) throw new EngineError('the discovered filter is none', 'configuration');
  return plugin;
}

function refuse({ lines }: Problems): void {
  if (lines.length === 0) return;
  const count = lines.length === 1 ? 'an error' : `${lines.length} errors`;
  throw new EngineError(`the configuration has ${count} for the embedded engine`, 'configuration', lines);
}

function readTop(message: Message, environment: NodeJS.ProcessEnv): Configuration {
  message.ignore('stats_flush_on_admin'); // they always are
  const resources = message.message('static_resources', (statics) => ({
    listeners: statics.messages('listeners', (listener) => readListener(listener, environment)),
    clusters: statics.messages('clusters', readCluster),
  }));
  return {
    node: message.message('node', (node) => {
      node.ignore('metadata', 'locality');
      return { id: node.text('id'), cluster: node.text('cluster') };
    }),
    admin: message.optional('admin', (admin) => admin.message('address', readIpAddress)),
    statsTags: message.message('stats_config', (stats) => stats.messages('stats_tags', readTag)),
    runtime: message.message('layered_runtime', readRuntime),
    maxConnections: message.message('overload_manager', readOverload),
    ...resources,
  };
}

function readTag(tag: Message): Configuration['statsTags'][number] {
  return { name: tag.text('tag_name'), regex: new RegExp(tag.text('regex')) };
}

function readRuntime(runtime: Message): Record<string, unknown> {
  const layers = runtime.messages('layers', (layer) => {
    layer.ignore('name');
    return (layer.raw('static_layer') ?? {}) as Record<string, unknown>;
  });
  return Object.assign({}, ...layers) as Record<string, unknown>;
}

function readOverload(overload: Message): number {
  const type = 'envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig';
  const limits = overload.messages('resource_monitors', (monitor) => {
    monitor.ignore('name');
    return monitor.any('typed_config', { [type]: (config) => config.count('max_active_downstream_connections') });
  });
  return limits[0] ?? Infinity;
}

function readListener(listener: Message, environment: NodeJS.ProcessEnv): Listener {
  const bufferLimit = listener.count('per_connection_buffer_limit_bytes', defaultBufferLimit);
  const name = listener.text('name');
  const address = listener.message('address', readIpAddress);
  const type = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
  const chains = listener.messages('filter_chains', (chain) => {
    chain.ignore('name');
    return chain.messages('filters', (filter) => {
      filter.ignore('name');
      return filter.any('typed_config', { [type]: (config) => readConnectionManager(config, environment) });
    });
  });
  const managers = chains.flat();
  const [manager] = managers;
  if (managers.length !== 1) listener.problem('filter_chains', 'the embedded engine takes one chain of one filter');
  return { name, address, bufferLimit, manager: manager ?? emptyManager(listener, environment) };
}

/** Stands in for one that could not be read, which is a problem by now. */
function emptyManager(listener: Message, environment: NodeJS.ProcessEnv): Listener['manager'] {
  return readMessage({}, listener.path, new Problems(), (message) => readConnectionManager(message, environment));
}

/** Static routes need their clusters, and the router is the last filter. */
function checkClusters({ listeners, clusters }: Configuration, problems: Problems): void {
  const names = new Set(clusters.map(({ name }) => name));
  for (const { name: listener, manager } of listeners) {
    const path = `listener ${listener}`;
    if (manager.filters.at(-1)?.kind !== 'router') problems.add(path, 'the last HTTP filter has to be the router');
    const misplaced = (filter: HttpFilter): boolean => filter.kind === 'router';
    if (manager.filters.slice(0, -1).some(misplaced)) problems.add(path, 'the router has to be the last HTTP filter');
    if (!manager.routes.validateClusters) continue;
    for (const { action } of manager.routes.virtualHosts.flatMap(({ routes }) => routes)) {
      if (action.kind !== 'route' || action.cluster.kind !== 'name' || names.has(action.cluster.value)) continue;
      problems.add(path, `route: unknown cluster '${action.cluster.value}'`);
    }
  }
}
