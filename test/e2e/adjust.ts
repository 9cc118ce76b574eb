// What a bootstrap under test has that the shipped one has not, and the other way round.
import { type Bootstrap, shippedTemplates } from '../../envoy/render/bootstrap.ts';
import { clusterFor, parseUpstream } from '../../envoy/render/upstream.ts';

export type Adjustment = (bootstrap: Bootstrap) => void;

export function connectionManager({ static_resources: { listeners } }: Bootstrap) {
  return listeners[0].filter_chains[0].filters[0].typed_config;
}

/** Lets the gateway speak HTTP/2 to these servers; what it derives from a URL is HTTP/1.1. */
export function overHttp2(...names: string[]): Adjustment {
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return ({ static_resources: { clusters } }) => {
    for (const cluster of clusters.filter(({ name }) => names.includes(name))) {
      cluster.typed_extension_protocol_options = {
        [options]: {
          '@type': `type.googleapis.com/${options}`,
          explicit_http_config: { http2_protocol_options: {} },
        },
      };
    }
  };
}

/** Static routes are checked against the static clusters unless that is switched off, as for clusters that come by CDS. */
export function withoutCluster(name: string): Adjustment {
  return (bootstrap) => {
    const resources = bootstrap.static_resources;
    resources.clusters = resources.clusters.filter((cluster) => cluster.name !== name);
    Object.assign(connectionManager(bootstrap).route_config, { validate_clusters: false });
  };
}

/** Gives the route of a server further members. */
export function withRoute(server: string, members: object): Adjustment {
  return (bootstrap) => {
    const [host] = connectionManager(bootstrap).route_config.virtual_hosts;
    Object.assign(host.routes.find((route) => route.name === server)?.route ?? {}, members);
  };
}

/** As in a configuration that leaves it to the module to take routing headers away from clients. */
export const withoutEarlyMutation: Adjustment = (bootstrap) => {
  Object.assign(connectionManager(bootstrap), { early_header_mutation_extensions: [] });
};

/** Gives the cluster of a server these endpoints, in the place of the one in its URL, and what it takes to choose among them. */
export function withEndpoints(server: string, urls: readonly string[]): Adjustment {
  return ({ static_resources: { clusters } }) => {
    const cluster = clusters.find(({ name }) => name === server);
    if (cluster === undefined) throw new Error(`there is no cluster ${server}`);
    const endpoints = urls.map((url) => {
      const { hostname, port } = new URL(url);
      return { endpoint: { address: { socket_address: { address: hostname, port_value: Number(port) } } } };
    });
    const { load_balancing_policy, typed_extension_protocol_options } = shippedTemplates().cluster;
    Object.assign(cluster, { load_balancing_policy, typed_extension_protocol_options });
    Object.assign(cluster.load_assignment, { endpoints: [{ lb_endpoints: endpoints }] });
  };
}

/** As in a configuration that was written before endpoints were reported. */
export function withoutReports(server: string): Adjustment {
  return ({ static_resources: { clusters } }) => {
    const cluster = clusters.find(({ name }) => name === server);
    const options = cluster?.typed_extension_protocol_options ?? {};
    for (const members of Object.values(options)) Reflect.deleteProperty(members, 'http_filters');
  };
}

/** Clusters of an operator's own, and routes that take them from the module's headers, as envoy/live.yaml has them. */
export function addClusters(bootstrap: Bootstrap, urls: Readonly<Record<string, string>>): void {
  const { cluster } = shippedTemplates();
  for (const [name, url] of Object.entries(urls))
    bootstrap.static_resources.clusters.push(clusterFor(name, parseUpstream(url), cluster));
  const [host] = connectionManager(bootstrap).route_config.virtual_hosts;
  const routes: object[] = host.routes;
  routes.unshift({
    name: 'catalog',
    match: { prefix: '/', headers: [{ name: 'x-mcp-servername', present_match: true }] },
    route: { cluster_header: 'x-mcp-servername', timeout: '0s' },
  });
}
