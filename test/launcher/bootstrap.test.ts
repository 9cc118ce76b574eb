import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type GatewayOptions, endpointOf, environmentNames, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { leaveUnnamed } from '../../envoy/render/upstream.ts';
import { EngineError } from '../../common/engine-error.ts';

const shipped = parse(readFileSync(new URL('../../envoy/envoy.yaml', import.meta.url), 'utf8')) as ReturnType<
  typeof gatewayBootstrap
>;

const options: GatewayOptions = {
  listen: { host: '0.0.0.0', port: 8080 },
  admin: { host: '127.0.0.1', port: 0 },
  pluginServerUrl: 'http://127.0.0.1:8899',
  servers: [
    { name: 'weather', url: 'http://127.0.0.1:4001/mcp', prefix: 'w_', callTimeout: '5s' },
    { name: 'orders', url: 'https://orders.example.com/v2/mcp', authority: 'inner', path: '/other' },
  ],
};

/** The parts that a derivation replaces, by name. */
function parts(bootstrap: ReturnType<typeof gatewayBootstrap>) {
  const [listener] = bootstrap.static_resources.listeners;
  const manager = listener.filter_chains[0].filters[0].typed_config;
  const wasm = manager.http_filters[0].typed_config.config;
  const { routes } = manager.route_config.virtual_hosts[0];
  return { listener, manager, wasm, routes, clusters: bootstrap.static_resources.clusters };
}

describe('gatewayBootstrap', () => {
  test('with what envoy.yaml has, is what envoy.yaml says', () => {
    const servers = [
      { name: 'everything', url: 'http://127.0.0.1:3001/mcp', prefix: 'everything_' },
      { name: 'notes', url: 'http://127.0.0.1:3002/mcp', prefix: 'notes_' },
    ];
    const derived = gatewayBootstrap({
      listen: { host: '127.0.0.1', port: 10000 },
      admin: { host: '127.0.0.1', port: 9901 },
      pluginServerUrl: 'http://127.0.0.1:8801',
      plugin: { endpoint: '/mcp' },
      servers,
    });
    const expected = structuredClone(shipped);
    // A derived file lets through exactly the variables that its configuration names; and it names no endpoint where
    // there is one alone, while the shipped one shows how.
    parts(expected).wasm.vm_config.environment_variables.host_env_keys = [];
    expected.static_resources.clusters.slice(1).forEach(leaveUnnamed);
    expect(derived).toEqual(expected);
  });

  test('gives every server a route, a cluster and an entry, and the default-deny route keeps the last place', () => {
    const { routes, clusters, wasm } = parts(gatewayBootstrap(options));
    expect(
      routes.map(({ name, match, route }) => [name, match.headers?.[0].string_match.exact, route?.cluster]),
    ).toEqual([
      ['weather', 'weather', 'weather'],
      ['orders', 'orders', 'orders'],
      ['host_mode', undefined, undefined],
    ]);
    expect(clusters.map(({ name, type }) => [name, type])).toEqual([
      ['plugin-server', 'STATIC'],
      ['weather', 'STATIC'],
      ['orders', 'STRICT_DNS'],
    ]);
    expect(wasm.configuration.value['servers']).toEqual([
      {
        name: 'weather',
        cluster: 'weather',
        authority: '127.0.0.1:4001',
        path: '/mcp',
        prefix: 'w_',
        callTimeout: '5s',
      },
      { name: 'orders', cluster: 'orders', authority: 'inner', path: '/other' },
    ]);
  });

  test('moves the listener, admin and the fetch of the module', () => {
    const bootstrap = gatewayBootstrap({ ...options, digest: 'ab'.repeat(32) });
    const { listener, wasm, clusters } = parts(bootstrap);
    expect(listener.address.socket_address).toEqual({ address: '0.0.0.0', port_value: 8080 });
    expect(bootstrap.admin.address.socket_address).toEqual({ address: '127.0.0.1', port_value: 0 });
    expect(wasm.vm_config.code.remote.http_uri.uri).toMatch(
      /^http:\/\/127\.0\.0\.1:8899\/plugins\/sluice\/[^/]+\/plugin\.wasm$/,
    );
    expect(clusters[0]?.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value).toBe(
      8899,
    );
    expect(wasm.vm_config.code.remote.sha256).toBe('ab'.repeat(32));
    expect(wasm.vm_config.vm_id).toBe(`sluice-${'ab'.repeat(32)}`);
  });

  test('denies by default at the endpoint that the configuration names', () => {
    const { routes } = parts(gatewayBootstrap({ ...options, plugin: { endpoint: '/a/b' } }));
    expect(routes.at(-1)?.match).toEqual({ path_separated_prefix: '/a/b' });
  });

  test('lets exactly those environment variables through that the configuration names', () => {
    const plugin = { sessions: { keys: [{ id: 1, env: 'K1' }] }, status: { env: 'TOKEN' } };
    const credentials = { type: 'header', header: 'x', env: 'K1' };
    const servers = [{ name: 'a', url: 'http://h/', credentials }];
    const { wasm } = parts(gatewayBootstrap({ ...options, plugin, servers }));
    expect(wasm.vm_config.environment_variables.host_env_keys).toEqual(['K1', 'TOKEN']);
    expect(environmentNames({})).toEqual([]);
  });

  test('does not change what envoy.yaml says to the next one', () => {
    expect(gatewayBootstrap(options)).toEqual(gatewayBootstrap(options));
  });

  test('names every error at once', () => {
    const servers = [
      { name: 'Upper', url: 'http://h/' },
      { name: 'a', url: 'nonsense' },
      { name: 'a', url: 'http://h/', cluster: 'c' },
      { name: 'plugin-server', url: 'http://h/' },
      { name: 'no-url' },
      'text',
      { name: 'foreign', cluster: 'c' },
    ];
    const failure = errorOf(() =>
      gatewayBootstrap({ ...options, servers: servers as unknown as GatewayOptions['servers'] }),
    );
    expect(failure.kind).toBe('configuration');
    expect(failure.message).toBe('the configuration has 8 errors');
    expect(failure.details.map((line) => line.split(':')[0])).toEqual([
      'servers[0].name',
      'servers[1].url',
      'servers[2].name',
      'servers[2]',
      'servers[3].name',
      'servers[4].url',
      'servers[5]',
      'servers[6].cluster',
    ]);
  });
});

describe('endpointOf', () => {
  test.each([
    [undefined, '/mcp'],
    ['/a', '/a'],
    ['/a/b-c', '/a/b-c'],
  ])('%s', (endpoint, path) => {
    expect(endpointOf(endpoint === undefined ? {} : { endpoint })).toBe(path);
  });

  test.each(['', '/', 'mcp', '/mcp/', '/a//b', '/mcp?x', 7, null])('refuses %s', (endpoint) => {
    expect(errorOf(() => endpointOf({ endpoint })).message).toMatch(/^endpoint: expected a path/);
  });
});

function errorOf(action: () => unknown): EngineError {
  try {
    action();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
