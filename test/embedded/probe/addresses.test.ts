// Where an address has to be one, and a name is refused.
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Cluster, SocketAddress } from '../../../envoy/render/upstream.ts';
import { probeBootstrap } from './bootstrap.ts';
import { engines } from './engines.ts';

const module = fileURLToPath(new URL('../../../build/probe.wasm', import.meta.url));
/** Routes name clusters, and a configuration without these is refused. */
const nowhere = { one: 1, two: 1, h2: 1, refused: 1 };

interface Bootstrap {
  admin: { address: SocketAddress };
  static_resources: { listeners: [{ address: SocketAddress }]; clusters: [Cluster] };
}

const places: readonly (readonly [string, (bootstrap: Bootstrap) => SocketAddress])[] = [
  ['a listener', ({ static_resources: { listeners } }) => listeners[0].address],
  ['an endpoint of a static cluster', ({ static_resources: { clusters } }) => endpointOf(clusters[0])],
];

function endpointOf({ load_assignment: { endpoints } }: Cluster): SocketAddress {
  return endpoints[0].lb_endpoints[0].endpoint.address;
}

describe.each(engines)('an address on $name', (engine) => {
  test.each(places)('%s: no name', async (_, place) => {
    const listeners = [{ name: 'l0', setup: { filters: [{ root_id: 'a' }] } }];
    const bootstrap = probeBootstrap(module, listeners, nowhere) as Bootstrap;
    expect(await engine.validate(bootstrap)).toMatchObject({ accepted: true });
    place(bootstrap).socket_address.address = 'localhost';
    const { accepted, said } = await engine.validate(bootstrap);
    expect(accepted).toBe(false);
    expect(said).toContain('malformed IP address: localhost');
  });

  test('an endpoint of a cluster that asks DNS: a name', async () => {
    const listeners = [{ name: 'l0', setup: { filters: [{ root_id: 'a' }] } }];
    const bootstrap = probeBootstrap(module, listeners, nowhere) as Bootstrap;
    const [cluster] = bootstrap.static_resources.clusters;
    cluster.type = 'LOGICAL_DNS';
    endpointOf(cluster).socket_address.address = 'localhost';
    expect(await engine.validate(bootstrap)).toMatchObject({ accepted: true });
  });
});
