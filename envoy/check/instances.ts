import type { Chain } from './chain.ts';
import type { Report } from './finding.ts';
import { serversOf } from './gateway.ts';
import type { Node } from '../yaml/node.ts';

/** By which the module names the endpoint of a session, and is told it. */
const endpointHeader = 'x-sluice-endpoint';

/** A session lives in the instance that opened it, so a cluster of several has to say which one that was, and to find it. */
export function checkInstances(root: Node, chains: readonly Chain[], report: Report): void {
  const named = new Set(
    chains.flatMap(({ gateways }) =>
      gateways.flatMap(({ plugin }) => serversOf(plugin).map(({ cluster }) => cluster.text)),
    ),
  );
  for (const cluster of root.get('static_resources', 'clusters').items) {
    if (!named.has(cluster.get('name').text)) continue;
    const count = cluster
      .get('load_assignment', 'endpoints')
      .items.reduce((sum, locality) => sum + locality.get('lb_endpoints').items.length, 0);
    if (count < 2) continue;
    const missing = [
      ...(choosesByHeader(cluster) ? [] : [`does not choose one of them by ${endpointHeader}`]),
      ...(reportsEndpoint(cluster) ? [] : [`does not report in ${endpointHeader} which one has answered`]),
    ];
    if (missing.length > 0) report('instances', cluster, `has ${count} endpoints, and ${missing.join(', and ')}`);
  }
}

function choosesByHeader(cluster: Node): boolean {
  const policies = cluster.get('load_balancing_policy', 'policies').items;
  return policies.some((policy) =>
    policy
      .get('typed_extension_config', 'typed_config', 'override_host_sources')
      .items.some((source) => source.get('header').text === endpointHeader),
  );
}

function reportsEndpoint(cluster: Node): boolean {
  const filters = cluster
    .get('typed_extension_protocol_options', 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions', 'http_filters')
    .items.flatMap((filter) => filter.get('typed_config', 'mutations', 'response_mutations').items);
  return filters.some((mutation) => mutation.get('append', 'header', 'key').text === endpointHeader);
}
