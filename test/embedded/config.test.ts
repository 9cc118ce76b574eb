// What the embedded engine reads of a bootstrap, and what it says of the rest.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readBootstrap } from '../../envoy/embedded/config/bootstrap.ts';
import { encodeStruct } from '../../envoy/embedded/config/struct.ts';
import { startEmbedded } from '../../envoy/embedded/index.ts';
import { EngineError } from '../../common/engine-error.ts';

const shipped = readFileSync(new URL('../../envoy/envoy.yaml', import.meta.url), 'utf8');

function problemsOf(bootstrap: object | string): readonly string[] {
  try {
    readBootstrap(bootstrap, {});
    return [];
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    expect(error.kind).toBe('configuration');
    return error.details;
  }
}

/** The shipped bootstrap with one place of it changed. */
function changed(path: string, value: unknown): object {
  const bootstrap = parse(shipped) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() ?? '';
  let place = bootstrap;
  for (const name of names) place = place[name] as Record<string, unknown>;
  place[last] = value;
  return bootstrap;
}

const manager = 'static_resources.listeners.0.filter_chains.0.filters.0.typed_config';
const shown = 'static_resources.listeners[0].filter_chains[0].filters[0].typed_config';

function tlsSocket(validation: object): object {
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
  return { typed_config: { '@type': type, common_tls_context: { validation_context: validation } } };
}

test('envoy.yaml is read as it is', () => {
  const { listeners, clusters, admin, maxConnections, statsTags } = readBootstrap(shipped, { SLUICE_KEY_1: 'secret' });
  expect(listeners).toHaveLength(1);
  expect(listeners[0]).toMatchObject({
    name: 'mcp',
    address: { host: '127.0.0.1', port: 10_000 },
    bufferLimit: 2 << 20,
  });
  expect(listeners[0]?.manager).toMatchObject({
    statPrefix: 'mcp',
    escapedSlashes: 'REJECT_REQUEST',
    headersWithUnderscores: 'DROP_HEADER',
    requestTimeout: 300_000,
    streamErrorOnInvalidHttp: true,
  });
  expect(listeners[0]?.manager.filters.map(({ kind }) => kind)).toEqual(['wasm', 'router']);
  const [filter] = listeners[0]?.manager.filters ?? [];
  expect(filter).toMatchObject({
    plugin: {
      failurePolicy: 'FAIL_RELOAD',
      allowOnHeadersStopIteration: true,
      vm: { environment: { SLUICE_KEY_1: 'secret' } },
    },
  });
  expect(clusters.map(({ name, protocol, idleTimeout }) => [name, protocol, idleTimeout])).toEqual([
    ['plugin-server', 'HTTP1', 3_600_000],
    ['everything', 'HTTP1', 4000],
    ['notes', 'HTTP1', 4000],
  ]);
  expect(admin).toEqual({ host: '127.0.0.1', port: 9901 });
  expect([maxConnections, statsTags.length]).toEqual([20_000, 8]);
});

test.each<[string, string, unknown, string]>([
  ['a member that nobody knows', 'dynamic_resources', {}, 'dynamic_resources: is not supported by the embedded engine'],
  [
    'one deep inside',
    `${manager}.tracing`,
    { provider: {} },
    `${shown}.tracing: is not supported by the embedded engine`,
  ],
  [
    'a filter that is not there',
    `${manager}.http_filters.0.typed_config`,
    { '@type': 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua' },
    `${shown}.http_filters[0].typed_config: envoy.extensions.filters.http.lua.v3.Lua is not supported by the embedded engine`,
  ],
  [
    'a duration that is none',
    `${manager}.request_timeout`,
    '5 minutes',
    `${shown}.request_timeout: expected a duration like 1.5s`,
  ],
  [
    'a number that is none',
    `${manager}.max_request_headers_kb`,
    -1,
    `${shown}.max_request_headers_kb: expected a whole number`,
  ],
  [
    'a flag that is none',
    `${manager}.normalize_path`,
    'yes',
    `${shown}.normalize_path: expected true or false, found "yes"`,
  ],
  ['an enumerator', `${manager}.codec_type`, 'HTTP3', `${shown}.codec_type: expected one of AUTO, HTTP1, HTTP2`],
  [
    'a name in a certificate that nobody vouches for',
    'static_resources.clusters.1.transport_socket',
    tlsSocket({ match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'localhost' } }] }),
    'validation_context.match_typed_subject_alt_names: is refused by Envoy without a trusted_ca',
  ],
  ['no router', `${manager}.http_filters`, [], 'listener mcp: the last HTTP filter has to be the router'],
  ['no cluster', 'static_resources.clusters', [], "listener mcp: route: unknown cluster 'everything'"],
  ['a list that is none', 'static_resources.clusters', 7, 'static_resources.clusters: expected a list, found 7'],
])('%s is named with its path', (_, path, value, problem) => {
  expect(problemsOf(changed(path, value)).join('\n')).toContain(problem);
});

test.each([
  ['that is not there', '/nowhere/authorities.pem', /ENOENT/],
  ['without a certificate', fileURLToPath(import.meta.url), /Failed to load trusted CA certificates from/],
])('a file of authorities %s is refused before anything listens', async (_, filename, says) => {
  const config = changed('static_resources.clusters.1.transport_socket', tlsSocket({ trusted_ca: { filename } }));
  await expect(startEmbedded({ config })).rejects.toThrow(says);
});

test('everything that is wrong is said at once', () => {
  const bootstrap = changed(`${manager}.request_timeout`, 'x');
  expect(problemsOf({ ...bootstrap, hds_config: {}, cluster_manager: {} })).toHaveLength(3);
});

test('names may be written as ProtoJSON writes them', () => {
  const camel = changed('admin', { address: { socketAddress: { address: '::1', portValue: '9902' } } });
  expect(readBootstrap(camel, {}).admin).toEqual({ host: '::1', port: 9902 });
});

test('whatever it is given, it is read or refused', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const problems = problemsOf(changed(`${manager}.route_config`, value));
      expect(Array.isArray(problems)).toBe(true);
    }),
  );
});

describe('google.protobuf.Struct', () => {
  // Read off protoc's own encoding.
  test.each<[string, Parameters<typeof encodeStruct>[0], string]>([
    ['nothing', {}, ''],
    ['null', { a: null }, '0a070a016112020800'],
    ['true', { a: true }, '0a070a016112022001'],
    ['a number', { a: 1 }, '0a0e0a0161120911000000000000f03f'],
    ['text', { a: 'b' }, '0a080a016112031a0162'],
    ['a list', { a: [true] }, '0a0b0a0161120632040a022001'],
    ['a struct', { a: { b: true } }, '0a100a0161120b2a090a070a016212022001'],
  ])('%s', (_, value, bytes) => {
    expect(encodeStruct(value).toString('hex')).toBe(bytes);
  });
});
