// `sluice render TARGET`: what docs/render.md promises. Every document is held to the schema that its project publishes.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { main } from '../../cli/main.ts';
import { checkFiles } from '../../envoy/check/files.ts';
import { readModule } from '../../envoy/check/module.ts';
import { readConfiguration } from '../../envoy/check/configuration.ts';
import { checkEmbedded } from '../../envoy/embedded/index.ts';
import { checkConfiguration } from '../../envoy/engine/check.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import type { Bootstrap } from '../../envoy/render/bootstrap.ts';
import { isTarget, optionsFor, rendered, targetNames } from '../../envoy/render/targets/index.ts';
import { loadArtifact } from '../../plugin-server/index.ts';
import { message } from '../e2e/clients/answers.ts';
import { callMessage, openSession } from '../e2e/clients/session.ts';
import { startScripted } from '../e2e/upstreams/scripted.ts';
import { type Resource, documentsIn } from '../istio/documents.ts';
import { errorsOf } from '../istio/schemas.ts';
import { clone, describeWithEnvoy, envoyBinary, temporaryFolder } from '../launcher/support.ts';
import { startServer } from '../plugin-server/support.ts';

vi.setConfig({ testTimeout: 60_000 });

const module = join(clone, 'build/plugin.wasm');
const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
const artifact = loadArtifact('sluice', version, readFileSync(module));
const page = readFileSync(join(clone, 'docs/render.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block);

const served = {
  name: 'sluice',
  version,
  sha256: artifact.sha256,
  server: 'http://plugin-server.sluice.svc.cluster.local:8801',
  path: `/plugins/sluice/${version}/plugin.wasm`,
};
const keys = { SLUICE_KEY_1: Buffer.alloc(32, 7).toString('base64url'), SEARCH_TOKEN: 'Bearer x' };

/** Renders a configuration as it is written, without a command or a server. */
function render(target: string, configuration: object | string, given: Record<string, string> = {}): string {
  if (!isTarget(target)) throw new Error(`there is no target ${target}`);
  const text = typeof configuration === 'string' ? configuration : JSON.stringify(configuration);
  const file = readConfiguration('sluice.yaml', Buffer.from(text), 'any').configuration?.file;
  if (file === undefined) throw new Error('the configuration is not read');
  return rendered(target, { ...file, module: served }, optionsFor(target, given, '--'));
}

const kindsIn = (text: string): string[] => documentsIn(text).map(({ kind }) => kind);
const oneIn = (text: string, kind: string, name?: string): Resource => {
  const found = documentsIn(text).find(
    (each) => each.kind === kind && (name ?? each.metadata.name) === each.metadata.name,
  );
  if (found === undefined) throw new Error(`there is no ${kind} ${name ?? ''}`);
  return found;
};
const detailsOf = (make: () => unknown): string[] => {
  try {
    make();
  } catch (error) {
    const { message: text, details = [] } = error as Error & { details?: readonly string[] };
    return [text, ...details];
  }
  throw new Error('nothing is refused');
};

const issuer = { issuer: 'https://id.example', jwks: { url: 'https://id.example/keys', cluster: 'keys' } };
const auth = {
  resource: 'https://mcp.example.com/mcp',
  authorizationServers: ['https://id.example'],
  issuers: [issuer],
};
const [shown = ''] = blocks('yaml');
const configurations: readonly (readonly [string, string | object])[] = [
  ['the page', shown],
  ['one server of elsewhere', { servers: [{ name: 'a', url: 'http://a.example:81/mcp', authority: 'b.example' }] }],
  [
    'two ports of one host, limits, an endpoint, tokens',
    {
      endpoint: '/tools/mcp',
      limits: { heldBody: '8Mi' },
      auth,
      servers: [
        { name: 'a', url: 'https://x.example/a' },
        { name: 'b', url: 'http://x.example:8080/b' },
        { name: 'c', url: 'https://x.example/c' },
      ],
    },
  ],
  ['addresses', { hosts: ['h.example:8443'], servers: [{ name: 'a', url: 'http://[2001:db8::1]:81/mcp' }] }],
  [
    'numbers that Envoy’s reader of YAML makes texts of',
    {
      servers: [
        {
          name: 'a',
          url: 'http://a.tools.svc:81',
          rest: {
            tools: [
              {
                name: 'get',
                args: [{ name: 'share', type: 'number', minimum: 0.25, maximum: 2 ** 32, default: 1e21 }],
                requestTemplate: { url: '/get', method: 'GET' },
              },
            ],
          },
        },
      ],
    },
  ],
  [
    'no pair',
    { hostMode: 'headers', servers: [{ name: 'a', url: 'http://a.tools.svc:81/mcp', protocol: '2026-07-28' }] },
  ],
];

describe.each(configurations)('of %s', (_, configuration) => {
  test.each(targetNames.filter((name) => name !== 'envoy'))(
    '%s is what its project knows, and nothing else',
    (target) => {
      const documents = documentsIn(render(target, configuration));
      expect(documents.length).toBeGreaterThan(0);
      for (const { apiVersion, kind, metadata, spec, ...others } of documents) {
        if (kind !== 'ConfigMap') expect(errorsOf({ apiVersion, kind, spec }), `${kind} ${metadata.name}`).toEqual([]);
        else expect(others).toEqual({ data: { 'envoy.yaml': expect.any(String) as string } });
        expect(metadata.name).toMatch(/^[a-z0-9-]{1,63}$/);
        expect(metadata.namespace).toMatch(/^[a-z-]+$/);
      }
      const names = documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
    },
  );

  test('sluice check finds nothing in what goes together', async () => {
    const own = { module: readModule(module, 'build/plugin.wasm', version) };
    const files = (...targets: string[]): { name: string; bytes: Uint8Array }[] =>
      targets.map((name) => ({ name: `${name}.yaml`, bytes: Buffer.from(render(name, configuration)) }));
    const isWithoutFlag = JSON.stringify(configuration).includes('headers"');
    const sets = [
      files('envoy'),
      ...(isWithoutFlag ? [] : [files('wasmplugin', 'istio-services')]),
      files('envoyfilter', 'istio-services'),
    ];
    for (const set of sets) {
      const errors = (await checkFiles(set, own)).filter(
        ({ severity, rule }) => severity === 'error' || rule === 'challenge',
      );
      expect(errors.map(({ file, path, message: text }) => `${file} ${path} ${text}`)).toEqual([]);
    }
  });
});

describe('Istio', () => {
  const two = {
    hosts: ['mcp.example.com:8443'],
    servers: [
      { name: 'a', url: 'http://a.tools.svc:81/mcp' },
      { name: 'b', url: 'https://b.example/mcp' },
    ],
  };

  test('the pair differs in place and configuration alone', () => {
    const [decider, holder] = documentsIn(render('wasmplugin', shown));
    expect(holder?.spec).toEqual({
      ...decider?.spec,
      priority: 10,
      pluginName: 'sluice-holder',
      pluginConfig: { hostMode: 'pair' },
    });
    expect(decider?.spec).toMatchObject({ url: served.server + served.path, sha256: served.sha256 });
    const [first] = documentsIn(render('trafficextension', shown));
    expect(first?.spec['wasm']).toMatchObject({ pluginName: 'sluice', pluginConfig: decider?.spec['pluginConfig'] });
  });

  test('each server has a cluster, a route to it, and TLS with its name where it is asked for', () => {
    const plugin = oneIn(render('wasmplugin', two), 'WasmPlugin', 'sluice').spec['pluginConfig'];
    expect(plugin).toMatchObject({
      servers: [{ cluster: 'outbound|81||a.tools.svc.cluster.local' }, { cluster: 'outbound|443||b.example' }],
    });
    const text = render('istio-services', two);
    expect(kindsIn(text)).toEqual([
      'ServiceEntry',
      'DestinationRule',
      'DestinationRule',
      'EnvoyFilter',
      'Gateway',
      'VirtualService',
    ]);
    expect(oneIn(text, 'ServiceEntry').spec).toMatchObject({ hosts: ['b.example'], resolution: 'DNS' });
    const tls = { mode: 'SIMPLE', sni: 'b.example', subjectAltNames: ['b.example'] };
    expect(oneIn(text, 'DestinationRule', 'b').spec).toMatchObject({ host: 'b.example', trafficPolicy: { tls } });
    expect(oneIn(text, 'DestinationRule', 'a').spec['trafficPolicy']).not.toHaveProperty('tls');
    const { hosts, http } = oneIn(text, 'VirtualService').spec as { hosts: string[]; http: { name: string }[] };
    expect(hosts).toEqual(['mcp.example.com', 'a.tools.svc', 'b.example']);
    expect(http.map(({ name }) => name)).toEqual(['a', 'b', 'host_mode']);
  });

  test('a server may be where Istio has a cluster already', () => {
    const servers = [{ name: 'a', cluster: 'outbound|81||a.tools.svc.cluster.local', authority: 'a.tools.svc' }];
    expect(oneIn(render('wasmplugin', { servers }), 'WasmPlugin').spec['pluginConfig']).toMatchObject({ servers });
    const text = render('istio-services', { servers, hosts: ['h.example'] });
    expect(kindsIn(text)).not.toContain('ServiceEntry');
    expect(oneIn(text, 'VirtualService').spec['hosts']).toEqual(['h.example', 'a.tools.svc']);
  });

  test('tokens are verified before the module, which looks for claims where Istio leaves them', () => {
    const text = render('wasmplugin', { auth, servers: [{ name: 'a', url: 'http://a.example/mcp' }] });
    expect(oneIn(text, 'RequestAuthentication').spec['jwtRules']).toEqual([
      { issuer: 'https://id.example', jwksUri: 'https://id.example/keys', forwardOriginalToken: true },
    ]);
    expect(oneIn(text, 'WasmPlugin').spec['pluginConfig']).toMatchObject({ identity: { jwt: 'payload' } });
  });

  test('refusals of its own filter for tokens get the challenge of the module (test/e2e/hold/istio-challenges.test.ts)', () => {
    const plugin = { endpoint: '/a.b', auth, virtualServers: [{ name: 't/x', tools: ['*'] }] };
    const text = render('wasmplugin', { ...plugin, servers: [{ name: 'a', url: 'http://a.example/mcp' }] });
    const { configPatches } = oneIn(text, 'EnvoyFilter', 'sluice-challenges').spec as { configPatches: unknown[] };
    const isAt = (regex: string): object => ({
      header_filter: { header: { name: ':path', string_match: { safe_regex: { regex } } } },
    });
    const mapped = (regex: string): object =>
      expect.objectContaining({
        filter: {
          and_filter: {
            filters: [isAt(regex), expect.objectContaining({ extension_filter: expect.anything() as unknown })],
          },
        },
        status_code: 401,
      }) as object;
    expect(configPatches).toMatchObject([
      {
        applyTo: 'NETWORK_FILTER',
        patch: {
          operation: 'MERGE',
          value: {
            typed_config: {
              local_reply_config: {
                mappers: [mapped(String.raw`/a\.b/t/x(\?.*)?`), mapped(String.raw`/a\.b([/?].*)?`)],
              },
            },
          },
        },
      },
    ]);
    expect(kindsIn(render('wasmplugin', two))).not.toContain('EnvoyFilter');
  });

  test('what a caller may use is verified by a filter of its own, as Istio leaves all claims in one place', () => {
    const allowedCapabilities = { issuers: [issuer] };
    const text = render('wasmplugin', {
      auth,
      allowedCapabilities,
      servers: [{ name: 'a', url: 'http://a.example/mcp' }],
    });
    const { configPatches } = oneIn(text, 'EnvoyFilter', 'sluice-allowed-capabilities').spec as {
      configPatches: { patch: { operation: string; value: { name: string; typed_config: Record<string, unknown> } } }[];
    };
    expect(configPatches.map(({ patch }) => patch.operation)).toEqual(['INSERT_FIRST']);
    const [filter] = configPatches.map(({ patch }) => patch.value);
    expect(filter?.name).toBe('sluice-allowed-capabilities');
    expect(filter?.typed_config['providers']).toMatchObject({
      'capabilities-0': {
        issuer: issuer.issuer,
        payload_in_metadata: 'capabilities',
        forward: true,
        from_headers: [{ name: 'x-mcp-authorized' }],
      },
    });
    expect(filter?.typed_config['rules']).toEqual([
      {
        match: { path_separated_prefix: '/mcp' },
        requires: {
          requires_any: { requirements: [{ provider_name: 'capabilities-0' }, { allow_missing_or_failed: {} }] },
        },
      },
    ]);
  });
});

describe('Envoy Gateway', () => {
  test('the module asks the clusters of the routes, and a pair shares a VM since 1.10', () => {
    const text = render('envoy-gateway', shown, { namespace: 'edge', parent: 'eg' });
    const { wasm } = oneIn(text, 'EnvoyExtensionPolicy').spec as { wasm: Record<string, unknown>[] };
    expect(wasm.map((each) => [each['rootID'], each['vmSharingScope']])).toEqual([
      ['sluice', 'Namespace'],
      ['sluice-holder', 'Namespace'],
    ]);
    const { servers } = wasm[0]?.['config'] as { servers: { cluster: string }[] };
    expect(servers.map(({ cluster }) => cluster)).toEqual([
      'httproute/edge/mcp-weather/rule/0',
      'httproute/edge/mcp-search/rule/0',
    ]);
    for (const name of ['mcp-weather', 'mcp-search'])
      expect(oneIn(text, 'HTTPRoute', name).metadata.namespace).toBe('edge');
    expect(oneIn(text, 'Backend', 'mcp-search').spec).toMatchObject({ tls: { sni: 'mcp.search.example' } });
    expect(render('envoy-gateway', shown, { release: '1.9' })).not.toContain('vmSharingScope');
  });

  test('a route with the header is preferred to the default-deny route, at each of its paths', () => {
    const text = render('envoy-gateway', { endpoint: '/x', servers: [{ name: 'a', url: 'http://a.example/mcp' }] });
    const pathsOf = (name: string): unknown =>
      (
        oneIn(text, 'HTTPRoute', name).spec as { rules: { matches: { path: { value: string } }[] }[] }
      ).rules[0]?.matches.map(({ path }) => path.value);
    expect(pathsOf('mcp')).toEqual(['/x']);
    expect(pathsOf('mcp-a')).toEqual(['/', '/x']);
  });
});

describe('what cannot be had', () => {
  const server = (url: string): object => ({ servers: [{ name: 'a', url }] });
  test.each<[string, object, RegExp]>([
    ['wasmplugin', server('http://127.0.0.1:3001/mcp'), /^servers\[0\]\.url: 127\.0\.0\.1 is the gateway's own pod/],
    ['istio-services', server('http://localhost:3001/mcp'), /localhost is the gateway's own pod/],
    [
      'kubernetes',
      server('http://weather:8080/mcp'),
      /weather means another Service in each namespace: write weather\.NAMESPACE\.svc/,
    ],
    ['kubernetes', server('http://127.0.0.1:3001/mcp'), /^servers\[0\]\.url: 127\.0\.0\.1/],
    ['envoyfilter', server('http://a_b.example/mcp'), /a_b\.example is no DNS name/],
    ['envoy-gateway', server('https://192.0.2.1/mcp'), /holds a certificate to a name/],
    [
      'wasmplugin',
      { hostMode: 'hold', ...server('http://a.example/') },
      /hostMode: "hold" is nothing for wasmplugin: .* render envoyfilter/,
    ],
    ['envoyfilter', { hostMode: 'pair', ...server('http://a.example/') }, /render wasmplugin/],
    [
      'envoy-gateway',
      { servers: [{ name: 'a', cluster: 'x' }] },
      /servers\[0\]\.cluster: envoy-gateway makes the cluster itself/,
    ],
    [
      'istio-services',
      { servers: [{ name: 'a', cluster: 'x' }] },
      /servers\[0\]\.cluster: expected outbound\|PORT\|\|HOST, found "x"/,
    ],
    [
      'istio-services',
      { hosts: ['h.example'], servers: [{ name: 'a', url: 'http://a.example/', authority: 'inner' }] },
      /takes no short name, and "inner" is one/,
    ],
    [
      'istio-services',
      {
        servers: [
          { name: 'a', url: 'https://x.example:81/' },
          { name: 'b', url: 'http://x.example:81/' },
        ],
      },
      /a and b are one port, with https and without/,
    ],
    [
      'wasmplugin',
      { auth: { ...auth, issuers: [{ ...issuer, jwks: { file: 'keys.json' } }] }, ...server('http://a.example/') },
      /Istio fetches keys itself/,
    ],
    [
      'envoy-gateway',
      { allowedCapabilities: { issuers: [issuer] }, ...server('http://a.example/') },
      /verifies one token of a request/,
    ],
    ['envoy-gateway', { auth: { ...auth, issuers: [issuer, issuer] }, ...server('http://a.example/') }, /name one/],
  ])('is refused by %s: %j', (target, configuration, expected) => {
    expect(detailsOf(() => render(target, configuration)).join('\n')).toMatch(new RegExp(expected.source, 'm'));
  });

  test.each([
    ['envoy', /catalog: is nothing for envoy: live delivery brings it/],
    ['kubernetes', /catalog: is nothing for kubernetes: live delivery brings it/],
    ['envoy-gateway', /catalog: is nothing for envoy-gateway: it knows no route that takes its cluster from a header/],
  ])('a catalog is refused by %s, which says what to do', (target, expected) => {
    const catalog = { namespace: 'public', clusters: ['x'] };
    expect(detailsOf(() => render(target, { catalog, ...server('http://a.example/') })).join('\n')).toMatch(expected);
  });

  test('all servers that are nowhere are told at once', () => {
    const servers = ['x', 'y'].map((name) => ({ name, url: `http://${name}/mcp` }));
    expect(detailsOf(() => render('wasmplugin', { servers }))).toHaveLength(3);
  });
});

async function sluice(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const io = {
    out: (text: string) => void (said.out += text),
    err: (text: string) => void (said.err += text),
    interactive: false,
    env: { SLUICE_MODULE: module },
  };
  return { code: await main(argv, io), ...said };
}

function file(text: string): string {
  const path = join(temporaryFolder(), 'sluice.yaml');
  writeFileSync(path, text);
  return path;
}

describe('the command', () => {
  test('prints what each command of the page promises, with what the plugin server says of its module', async () => {
    const { url } = await startServer({ artifacts: [artifact] });
    const text = blocks('sh').join('');
    const [, variable = ''] = /^served="(.*)"$/m.exec(text) ?? [];
    const lines = text.split('\n').filter((line) => line.startsWith('npx sluice '));
    expect(lines).toHaveLength(targetNames.length);
    for (const line of lines) {
      const words = line
        .replace(/^npx sluice (.*) > [\w-]+\.yaml$/, '$1')
        .replace('$served', variable)
        .replace(/\$\(cut -c1-64 build\/plugin\.wasm\.sha256\)/, artifact.sha256)
        .replace('http://127.0.0.1:8801', url)
        .replace(' sluice.yaml ', ` ${file(shown)} `);
      const { code, out, err } = await sluice(...words.split(' '));
      expect({ code, err }, line).toEqual({ code: 0, err: '' });
      if (!line.includes('istio-services')) expect(out).toContain(artifact.sha256);
    }
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['no target', [], 2, /name a target: envoy, wasmplugin/],
    ['an unknown target', ['nginx', 'f'], 2, /there is no target nginx; there are envoy/],
    ['no file', ['envoy'], 2, /name one FILE/],
    ['no server', ['envoy', 'f'], 2, /--server has to say/],
    ['a file that is not there', ['envoy', '/no/such', '--server', 'http://p:1'], 2, /there is no \/no\/such/],
    [
      'an option of another target',
      ['envoy', 'f', '--server', 'http://p:1', '--parent', 'x'],
      2,
      /--parent is nothing for envoy, which has --listen/,
    ],
    [
      'a wrong option',
      ['kubernetes', 'f', '--server', 'http://p:1', '--replicas', '0'],
      2,
      /--replicas: takes a number/,
    ],
    ['a wrong digest', ['envoy', 'f', '--server', 'http://p:1', '--sha256', 'x'], 2, /--sha256 takes 64/],
  ])('refuses %s', async (_, argv, code, said) => {
    const answer = await sluice('render', ...argv);
    expect(answer).toMatchObject({ code, out: '' });
    expect(answer.err).toMatch(said);
  });

  /** A module that the plugin server need not be asked about. */
  const unasked = ['--server', 'http://p.example', '--version', '1.0.0', '--sha256', 'ab'.repeat(32)];

  test('tells every error of the configuration with its place, the module’s own among them', async () => {
    const path = file('servers: [{ name: a, url: http://a.example/, perfix: b }, { name: c, url: x }]\n');
    const { code, err } = await sluice('render', 'envoy', path, ...unasked);
    expect(code).toBe(1);
    expect(err).toMatch(/sluice\.yaml:1:\d+: servers\[0\]\.perfix: .*prefix/);
    expect(err).toMatch(/sluice\.yaml:1:\d+: servers\[1\]\.url: /);
  });

  test('says what the plugin server has, or that it cannot be asked', async () => {
    const { url } = await startServer({ artifacts: [artifact] });
    const path = file(shown);
    expect(await sluice('render', 'envoy', path, '--server', url, '--version', '99.0.0')).toMatchObject({
      code: 1,
      err: expect.stringContaining('99.0.0') as string,
    });
    expect(await sluice('render', 'envoy', path, '--server', 'http://127.0.0.1:1')).toMatchObject({
      code: 3,
      err: expect.stringContaining('--sha256') as string,
    });
    expect(await sluice('render', 'envoy', path, '--server', url, '--sha256', artifact.sha256)).toMatchObject({
      code: 2,
    });
    const json = JSON.parse((await sluice('render', 'envoy', path, '--server', url, '--json')).out) as object;
    expect(json).toMatchObject({
      event: 'rendered',
      target: 'envoy',
      module: { version, sha256: artifact.sha256, url: url + served.path },
    });
  });

  test('lets a gateway in Istio ask for its catalog, with a route to whatever server it has', async () => {
    const token = { env: 'SLUICE_CATALOG_TOKEN' };
    const clusters = ['outbound|*||*.tools.svc.cluster.local'];
    const catalog = { namespace: 'tools', token, interval: '5s', clusters, defaults: { callTimeout: '10s' } };
    const rendered = async (target: string, content: object): ReturnType<typeof sluice> =>
      sluice('render', target, file(JSON.stringify({ hosts: ['mcp.example.com'], ...content })), ...unasked);
    const plugins = await rendered('wasmplugin', { catalog });
    const { pluginConfig, vmConfig } = oneIn(plugins.out, 'WasmPlugin', 'sluice').spec as Record<string, object>;
    expect(pluginConfig).toMatchObject({
      servers: [],
      catalog: { ...catalog, cluster: 'outbound|80||p.example', clusterNames: 'istio' },
    });
    expect(vmConfig).toEqual({ env: [{ name: 'SLUICE_CATALOG_TOKEN', valueFrom: 'HOST' }] });
    const services = await rendered('istio-services', { catalog });
    for (const document of parseAllDocuments(services.out)) expect(errorsOf(document.toJS() as Resource)).toEqual([]);
    expect(JSON.stringify(oneIn(services.out, 'EnvoyFilter', 'sluice-catalog'))).toContain(
      '"cluster_header":"x-mcp-cluster"',
    );
    expect(oneIn(services.out, 'VirtualService').spec['hosts']).toEqual(['*']);
    for (const [target, wrong, said] of [
      ['wasmplugin', { ...catalog, namespace: ['a', 'b'] }, 'catalog.namespace: a gateway that asks'],
      ['wasmplugin', { ...catalog, addresses: ['10.0.0.0/8'] }, 'catalog.addresses: a gateway that asks'],
      ['wasmplugin', { ...catalog, clusters: [] }, 'catalog.clusters: is missing'],
      ['wasmplugin', { ...catalog, interval: '1ms' }, 'catalog.interval: must be a time from 1s on'],
      ['envoy', catalog, 'catalogs are given out by `sluice serve`'],
    ] as const) {
      const refused = await rendered(target, { catalog: wrong, servers: [{ name: 'a', url: 'http://a.example/' }] });
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining(said) as string });
    }
  });
});

const bootstraps = (): [string, Bootstrap][] => [
  ...(['hold', 'pair', 'headers'] as const).map((hostMode): [string, Bootstrap] => {
    const text = render('envoy', { ...(parse(shown) as object), hostMode });
    return [hostMode, parse(text) as Bootstrap];
  }),
  [
    'kubernetes',
    parse(
      (oneIn(render('kubernetes', shown), 'ConfigMap') as unknown as { data: { 'envoy.yaml': string } }).data[
        'envoy.yaml'
      ],
    ) as Bootstrap,
  ],
];

describe('the embedded engine', () => {
  test('takes what is rendered for Envoy', async () => {
    for (const [name, bootstrap] of bootstraps())
      await expect(checkEmbedded({ config: bootstrap, module, env: keys }), name).resolves.toBeUndefined();
  });
});

describeWithEnvoy('a real Envoy', () => {
  test('takes what is rendered for it, and the module its configuration', async () => {
    for (const [, config] of bootstraps())
      await checkConfiguration({ binary: envoyBinary(), config, module, env: keys });
  });

  test('runs what the command prints, and a tool is called through it', async () => {
    const upstream = await startScripted({ tools: ['get'] });
    onTestFinished(() => upstream.stop());
    const { url } = await startServer({ artifacts: [artifact] });
    const path = file(
      `servers: [{ name: weather, url: '${upstream.url}' }, { name: other, url: 'http://127.0.0.1:1/mcp' }]\n`,
    );
    const argv = ['render', 'envoy', path, '--server', url, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const { code, out, err } = await sluice(...argv);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const envoy = await startEnvoy({ binary: envoyBinary(), config: parse(out) as Bootstrap });
    onTestFinished(() => envoy.stop());
    const session = await openSession(`http://${envoy.listeners.get('mcp') ?? ''}/mcp`);
    const answer = await session.post(callMessage('"weather_get"', '{"city":"Bern"}'));
    expect(message(answer)).toHaveProperty('result');
    expect(upstream.last('tools/call').body.toString()).toContain('"name":"get"');
  });
});
