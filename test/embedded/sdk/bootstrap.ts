const extensions = 'type.googleapis.com/envoy.extensions';

/** A listener for each module that there is, all of them in front of one server. */
export function bootstrapFor(modules: Readonly<Record<string, string | undefined>>, upstreamPort: number): object {
  const address = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const listener = ([name, filename]: [string, string]): object => ({
    name,
    address: address(0),
    filter_chains: [{ filters: [{ name: 'hcm', typed_config: connectionManager(name, filename) }] }],
  });
  const present = Object.entries(modules).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const endpoint = { endpoint: { address: address(upstreamPort) } };
  return {
    admin: { address: address(0) },
    static_resources: {
      listeners: present.map(listener),
      clusters: [
        {
          name: 'upstream',
          type: 'STATIC',
          load_assignment: { cluster_name: 'upstream', endpoints: [{ lb_endpoints: [endpoint] }] },
        },
      ],
    },
  };
}

function connectionManager(name: string, filename: string): object {
  const wasm = {
    '@type': `${extensions}.filters.http.wasm.v3.Wasm`,
    config: {
      name,
      root_id: name,
      configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 'hello' },
      vm_config: { vm_id: name, runtime: 'envoy.wasm.runtime.v8', code: { local: { filename } } },
    },
  };
  const router = { '@type': `${extensions}.filters.http.router.v3.Router` };
  return {
    '@type': `${extensions}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    http_filters: [
      { name, typed_config: wasm },
      { name: 'router', typed_config: router },
    ],
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }] },
      ],
    },
  };
}
