import { socketAddress } from '../../../envoy/render/upstream.ts';
import type { ProbeFilter, Setup } from './cases.ts';

const types = 'type.googleapis.com/envoy.extensions';
const loopback = (port: number): object => ({ address: socketAddress({ host: '127.0.0.1', port }) });

export interface ProbeListener {
  readonly name: string;
  readonly setup: Setup;
}

/** A bootstrap for the probe, the same for every engine: one listener for each setup, the same clusters behind all. */
export function probeBootstrap(
  module: string,
  listeners: readonly ProbeListener[],
  ports: Readonly<Record<string, number>>,
): object {
  return {
    node: { id: 'probe', cluster: 'probe' },
    admin: loopback(0),
    stats_config: { stats_tags: [{ tag_name: 'role', regex: '(\\.role=(.*?)\\.end)' }] },
    static_resources: {
      listeners: listeners.map(({ name, setup }) => listenerOf(name, setup, module)),
      clusters: [...Object.entries(ports).map(([name, port]) => clusterOf(name, port)), clusterOf('empty')],
    },
  };
}

function listenerOf(name: string, setup: Setup, module: string): object {
  const { filters, per_connection_buffer_limit_bytes, ...options } = setup;
  const manager = {
    '@type': `${types}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    codec_type: 'AUTO',
    http_protocol_options: { enable_trailers: true },
    ...options,
    route_config: { name: 'routes', virtual_hosts: virtualHosts },
    http_filters: [
      ...filters.map((filter) => wasmFilter(filter, module)),
      { name: 'router', typed_config: { '@type': `${types}.filters.http.router.v3.Router` } },
    ],
  };
  return {
    name,
    ...loopback(0),
    ...(per_connection_buffer_limit_bytes === undefined ? {} : { per_connection_buffer_limit_bytes }),
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  };
}

const to = (name: string, cluster: string, match: object): object => ({
  name,
  match,
  route: { cluster, timeout: '0s' },
});
const byHeader = (value: string): object => ({
  prefix: '/',
  headers: [{ name: 'x-route', string_match: { exact: value } }],
});

/** Its requests are answered by the worker itself. */
export const turnAuthority = 'turn.example';

/** By header, by path, by authority: what a filter may rewrite. */
const virtualHosts = [
  {
    name: 'turn',
    domains: [turnAuthority],
    routes: [{ match: { prefix: '/' }, direct_response: { status: 204 } }],
  },
  { name: 'second', domains: ['two.example'], routes: [to('by-authority', 'two', { prefix: '/' })] },
  {
    name: 'first',
    domains: ['*'],
    routes: [
      ...['two', 'h2', 'refused', 'empty'].map((name) => to(`to-${name}`, name, byHeader(name))),
      to('by-path', 'two', { prefix: '/two/' }),
      to('default', 'one', { prefix: '/' }),
    ],
  },
];

function wasmFilter({ vm_id = 'probe', script = '', ...config }: ProbeFilter, module: string): object {
  return {
    name: config.root_id,
    typed_config: {
      '@type': `${types}.filters.http.wasm.v3.Wasm`,
      config: {
        name: 'probe',
        ...config,
        configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: script },
        vm_config: { vm_id, runtime: 'envoy.wasm.runtime.v8', code: { local: { filename: module } } },
      },
    },
  };
}

function clusterOf(name: string, port?: number): object {
  const endpoints = port === undefined ? [] : [{ lb_endpoints: [{ endpoint: loopback(port) }] }];
  const protocol =
    name === 'h2' ? { http2_protocol_options: {} } : { http_protocol_options: { enable_trailers: true } };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${types}.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: protocol,
      },
    },
  };
}
