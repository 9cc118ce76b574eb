// envoy/live.yaml beside envoy/envoy.yaml: what the one is hardened with, the other has too.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clone, describeWithEnvoy, envoyBinary } from '../launcher/support.ts';
import { makeCertificate } from './certificates.ts';
import { liveYaml, temporaryFolder, withTls } from './support.ts';

interface Parts {
  readonly admin: object;
  readonly overload_manager: object;
  readonly stats_config: object;
  readonly static_resources: { readonly listeners: readonly [Listener] };
}

interface Listener {
  readonly filter_chains: readonly [{ readonly filters: readonly [{ readonly typed_config: Manager }] }];
}

interface Manager {
  readonly http_filters: readonly { readonly name: string; readonly config_discovery?: object }[];
  readonly route_config: { readonly virtual_hosts: readonly [{ readonly routes: readonly Route[] }] };
}

interface Route {
  readonly name: string;
  readonly match: object;
  readonly route?: object;
}

const shipped = parse(readFileSync(join(clone, 'envoy/envoy.yaml'), 'utf8')) as Parts;
const live = parse(readFileSync(liveYaml, 'utf8')) as Parts;

const listenerOf = ({ static_resources }: Parts): Listener => static_resources.listeners[0];
const managerOf = (parts: Parts): Manager => listenerOf(parts).filter_chains[0].filters[0].typed_config;
const routesOf = (parts: Parts): readonly Route[] => managerOf(parts).route_config.virtual_hosts[0].routes;

const without = (value: object, ...members: string[]): object =>
  Object.fromEntries(Object.entries(value).filter(([member]) => !members.includes(member)));

describe('live.yaml', () => {
  test('has the listener of envoy.yaml, but for its filters and its routes', () => {
    const rest = (parts: Parts): object => {
      const listener = without(listenerOf(parts), 'filter_chains');
      const manager = without(managerOf(parts), 'http_filters', 'route_config');
      return { listener, manager, admin: parts.admin, overload: parts.overload_manager, stats: parts.stats_config };
    };
    expect(rest(live)).toEqual(rest(shipped));
  });

  test('has a route for all clusters that are delivered and one for its own, with what envoy.yaml says of each, and the same default-deny route behind it', () => {
    const [delivered, servers, ...defaultDeny] = routesOf(live);
    const [everything, , ...shippedDefaultDeny] = routesOf(shipped);
    const said = without(everything?.route ?? {}, 'cluster');
    expect(delivered?.route).toEqual({ cluster_header: 'x-mcp-cluster', ...said });
    expect(delivered?.match).toEqual({ prefix: '/', headers: [{ name: 'x-mcp-cluster', present_match: true }] });
    expect(servers?.route).toEqual({ cluster_header: 'x-mcp-servername', ...said });
    expect(servers?.match).toEqual({ prefix: '/', headers: [{ name: 'x-mcp-servername', present_match: true }] });
    expect(defaultDeny).toEqual(shippedDefaultDeny);
  });

  test('takes the filter from the plugin server, and has no default for it', () => {
    const [filter, router] = managerOf(live).http_filters;
    expect(filter).toMatchObject({
      name: 'sluice',
      config_discovery: { config_source: { initial_fetch_timeout: '0s' } },
    });
    expect(filter?.config_discovery).not.toHaveProperty('default_config');
    expect(router?.name).toBe('envoy.filters.http.router');
  });
});

describeWithEnvoy('live.yaml on a real Envoy', () => {
  const validate = (file: string): string => {
    const node = ['--service-cluster', 'edge', '--service-node', 'n1'];
    const args = ['--mode', 'validate', '-c', file, ...node, '--disable-hot-restart', '--log-level', 'error'];
    return execFileSync(envoyBinary(), args, { encoding: 'utf8' });
  };

  test('passes `envoy --mode validate` as it is', () => {
    expect(validate(liveYaml)).toContain('OK');
  });

  test('passes it with its lines for TLS in force', () => {
    const folder = temporaryFolder();
    const secret = join(folder, 'token.yaml');
    writeFileSync(secret, readFileSync(join(clone, 'envoy/live-token.yaml')));
    writeFileSync(join(folder, 'ca.pem'), makeCertificate('plugins.example.com').authority);
    const text = withTls({ ca: join(folder, 'ca.pem'), secret });
    expect(text).not.toContain('# - name: envoy.filters.http.credential_injector');
    expect(text).not.toContain('# transport_socket:');
    writeFileSync(join(folder, 'live.yaml'), text);
    expect(validate(join(folder, 'live.yaml'))).toContain('OK');
  });
});
