// `sluice render --from higress` and `--from kuadrant`: what docs/migration.md promises, and what else people have.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { main } from '../../cli/main.ts';
import { fromHigress as readHigress } from '../../cli/render/higress/read.ts';
import { message } from '../e2e/clients/answers.ts';
import { callMessage, openSession } from '../e2e/clients/session.ts';
import { startRestService } from '../e2e/upstreams/rest.ts';
import { envoyBinary, hasEnvoy, runSluice, temporaryFolder } from '../launcher/support.ts';

const page = readFileSync(new URL('../../docs/migration.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block);
const [higress = '', fromHigress = '', kuadrant = '', fromKuadrant = ''] = blocks('yaml');

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function sluice(...args: string[]): Promise<Said> {
  const said = { out: '', err: '' };
  const io = {
    out: (text: string) => void (said.out += text),
    err: (text: string) => void (said.err += text),
    interactive: false,
    env: {},
  };
  return { code: await main(args, io), ...said };
}

/** Renders a text of YAML, with the name of its file left out of what is said. */
async function rendered(from: string, text: string, name = 'file.yaml'): Promise<Said> {
  const folder = temporaryFolder();
  const file = join(folder, name);
  writeFileSync(file, text);
  const { code, out, err } = await sluice('render', '--from', from, file);
  return { code, out, err: err.replaceAll(`${folder}/`, '') };
}

/** What is printed, which `sluice check` has to take without an error. */
async function configured(from: string, text: string): Promise<{ configuration: Configured; said: string }> {
  const { code, out, err } = await rendered(from, text);
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  const file = join(temporaryFolder(), 'sluice.yaml');
  writeFileSync(file, out);
  expect(await sluice('check', '--json', file)).toMatchObject({ code: 0 });
  return { configuration: parse(out) as Configured, said: err };
}

interface Configured {
  readonly servers: readonly Record<string, unknown>[];
  readonly virtualServers?: readonly { readonly name: string; readonly tools: readonly string[] }[];
}

test.each([
  ['higress', higress, fromHigress, 0],
  ['kuadrant', kuadrant, fromKuadrant, 1],
] as const)('prints what the page shows of %s', async (from, given, made, index) => {
  const { code, out, err } = await rendered(from, given, `${from}.yaml`);
  expect(err).toBe(blocks('text')[index]);
  expect(parse(out)).toEqual(parse(made));
  expect(code).toBe(0);
  await configured(from, given);
});

test('a gateway that is started from it answers the calls of Higress', async () => {
  const service = await startRestService();
  onTestFinished(() => service.stop());
  const { hostname, port } = new URL(service.url);
  const folder = temporaryFolder();
  const file = join(folder, 'sluice.yaml');
  const moved = higress.replace('shop.tools.example, port: 8080', `${hostname}, port: ${port}`);
  writeFileSync(file, (await rendered('higress', moved)).out);
  const engine = hasEnvoy ? 'envoy' : 'embedded';
  const args = ['start', '--json', '--engine', engine, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const env = { SLUICE_DATA_DIR: folder, SHOP_APIKEY: 'a-key', ...(hasEnvoy && { ENVOY_PATH: envoyBinary() }) };
  const ready = await runSluice([...args, '--config', file], env).next();
  if (ready.event !== 'ready') throw new Error(JSON.stringify(ready));
  const session = await openSession(`${ready.mcp}/higress/shop`);
  const { result } = message(await session.post(callMessage('"get-item"', '{"id":"7"}')));
  expect(result).toMatchObject({ content: [{ type: 'text', text: 'Tea costs 1.5' }] });
  expect(service.last()).toMatchObject({ method: 'GET', path: '/items/7', headers: { 'x-api-key': 'a-key' } });
}, 90_000);

const plugin = (config: object): string => JSON.stringify(config);
const tool = (url: string, more: object = {}): object => ({
  name: 'get',
  requestTemplate: { url, method: 'GET', ...more },
});

describe('Higress', () => {
  test('takes a server apart whose tools are at several services, and keeps their path', async () => {
    const tools = [tool('https://a.example/x'), { ...tool('https://b.example/y'), name: 'other' }];
    const { configuration, said } = await configured('higress', plugin({ server: { name: 'My Shop' }, tools }));
    expect(configuration.servers).toMatchObject([
      { name: 'my-shop', url: 'https://a.example', rest: { tools: [{ name: 'get' }] } },
      { name: 'my-shop-2', url: 'https://b.example', rest: { tools: [{ name: 'other' }] } },
    ]);
    expect(configuration.virtualServers).toEqual([{ name: 'higress/my-shop', tools: ['my-shop_*', 'my-shop-2_*'] }]);
    expect(said).toContain('its tools at https://b.example are those of my-shop-2');
  });

  test('takes what the plugins that Higress ships write and it does not look at', async () => {
    const tools = [
      {
        ...tool('https://a.example/x', { argsToJsonBody: true }),
        legacyOnly: true,
        args: [
          { name: 'timeout', type: 'int', required: true, default: 300 },
          { name: 'lang', type: 'string', default: 'en' },
          { name: 'lang', type: 'string', default: 'en-US', color: 'red' },
          {
            name: 'options',
            type: 'object',
            properties: {
              deep: { type: 'object', properties: { a: { type: 'float', required: true }, b: { type: 'bool' } } },
              flat: { type: 'string', required: true },
            },
          },
          { name: 'list', type: 'array', items: { oneOf: [{ type: 'str' }, { type: 'object' }] } },
        ],
      },
    ];
    const { configuration, said } = await configured('higress', plugin({ server: { name: 's' }, tools }));
    expect(configuration.servers).toMatchObject([{ rest: { tools: [{ name: 'get' }] } }]);
    const [made] = (configuration.servers[0] as { rest: { tools: [{ args: unknown }] } }).rest.tools;
    expect(made).not.toHaveProperty('legacyOnly');
    const deep = { type: 'object', properties: { a: { type: 'number' }, b: { type: 'boolean' } }, required: ['a'] };
    expect(made.args).toEqual([
      { name: 'timeout', type: 'integer', required: true, default: 300 },
      { name: 'lang', type: 'string', default: 'en-US' },
      { name: 'options', type: 'object', properties: { deep, flat: { type: 'string' } } },
      { name: 'list', type: 'array', items: { oneOf: [{ type: 'string' }, { type: 'object' }] } },
    ]);
    for (const why of [
      'legacyOnly: is not known here',
      'color: is not known here',
      'args[1]: is left out: a later argument is called lang as well',
      'int is no type of JSON Schema: integer is taken',
      'an argument is required as a whole',
    ]) {
      expect(said).toContain(why);
    }
  });

  test('makes a server of MCP of mcp-proxy, with its credential as a variable', async () => {
    const server = {
      name: 'files',
      type: 'mcp-proxy',
      transport: 'sse',
      mcpServerURL: 'https://files.example/sse',
      securitySchemes: [{ id: 'b', type: 'http', scheme: 'bearer', defaultCredential: 'do-not-tell' }],
      defaultUpstreamSecurity: { id: 'b' },
    };
    const { configuration, said } = await configured('higress', plugin({ server, allowTools: ['read'] }));
    expect(configuration.servers).toEqual([
      {
        name: 'files',
        url: 'https://files.example/sse',
        protocol: '2024-11-05',
        credentials: { type: 'header', header: 'authorization', env: 'FILES_B' },
        tools: { allow: ['read'] },
        prefix: '',
      },
    ]);
    expect(said).toContain('set FILES_B to "Bearer …"');
    const passing = { ...server, defaultUpstreamSecurity: undefined, passthroughAuthHeader: true };
    const passed = await configured('higress', plugin({ server: passing, allowTools: [] }));
    expect(passed.configuration.servers).toMatchObject([
      { credentials: { type: 'passthrough', headers: ['authorization'] }, tools: { deny: ['*'] } },
    ]);
  });

  test('reads rules of the plugin itself, and a tool set over them', async () => {
    const rule = (name: string): object => ({
      _match_domain_: [`${name}.example`],
      server: { name },
      tools: [tool(`https://${name}.example/x`)],
    });
    const toolSet = { name: 'both', serverTools: [{ serverName: 'a', tools: ['get'] }, { serverName: 'none' }] };
    const { configuration, said } = await configured(
      'higress',
      plugin({ _rules_: [rule('a'), rule('b'), { toolSet }] }),
    );
    expect(configuration.virtualServers).toEqual([
      { name: 'higress/a', tools: ['a_*'] },
      { name: 'higress/b', tools: ['b_*'] },
      { name: 'higress/both', tools: ['a_get'] },
    ]);
    expect(said).toContain('_rules_[0]._match_domain_: a server is found by its path here');
    expect(said).toContain('none is not among the servers that were read');
  });

  test('prints no secret, wherever one stands', async () => {
    const server = {
      name: 's',
      config: { a: 'do-not-tell-1', nested: { b: 'do-not-tell-2' } },
      securitySchemes: [{ id: 'k', type: 'apiKey', in: 'query', name: 'key', defaultCredential: 'do-not-tell-3' }],
      defaultUpstreamSecurity: { id: 'k', credential: 'do-not-tell-4' },
    };
    const headers = [
      { key: 'Authorization', value: 'do-not-tell-5' },
      { key: 'X-Note', value: 'told' },
    ];
    const tools = [
      tool('https://a.example/x', { headers, security: { id: 'k', credential: 'do-not-tell-6' } }),
      { name: 'bad', requestTemplate: { url: 'https://a.example/{{', headers } },
    ];
    const { configuration, said } = await configured('higress', plugin({ server, tools }));
    expect(JSON.stringify(configuration) + said).not.toContain('do-not-tell');
    expect(JSON.stringify(configuration)).toContain('told');
    expect(said.match(/is a secret, which stays out/g)).toHaveLength(7);
    expect(said).toContain('templates that look into this object have to change');
  });

  test('gives no secret the variable of another', async () => {
    const shop = (name: string, config: object): object => ({
      server: { name, config },
      tools: [tool(`https://${name}.example/x`)],
    });
    const rules = [
      shop('shop', { 'api-key': 'one', api_key: 'two' }),
      shop('shop-api', { key: 'three' }),
      shop('shop', { 'api-key': 'one' }),
    ];
    const { configuration } = await configured('higress', plugin({ _rules_: rules }));
    expect(configuration.servers.map(({ rest }) => (rest as { config: object }).config)).toEqual([
      { 'api-key': { env: 'SHOP_API_KEY' }, api_key: { env: 'SHOP_API_KEY_2' } },
      { key: { env: 'SHOP_API_KEY_3' } },
      { 'api-key': { env: 'SHOP_API_KEY' } },
    ]);
  });

  test.each<[string, object, string]>([
    ['a server that is built in', { server: { name: 'quark', config: {} } }, 'built into Higress is not there'],
    ['another type', { server: { name: 'q', type: 'database' }, tools: [{}] }, 'of type database is code of Higress'],
    ['a path without a route', { server: { name: 'q' }, tools: [tool('/x')] }, 'does not say where the service is'],
    [
      'a host from an argument',
      { server: { name: 'q' }, tools: [tool('https://{{.args.h}}/x')] },
      'does not say where',
    ],
    ['something else', { hello: 1 }, 'is neither a resource nor a configuration of mcp-server'],
    [
      'nothing that the module takes',
      { server: { name: 'q' }, tools: [tool('https://a/x', { headers: 1 })] },
      'requestTemplate.headers: ',
    ],
  ])('says why nothing comes of %s', async (_, config, why) => {
    const { code, err, out } = await rendered('higress', plugin(config));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('nothing of it can be served');
    expect(err).toContain(why);
  });

  test('reads anything that is YAML', () => {
    const file = join(temporaryFolder(), 'any.yaml');
    const names = ['server', 'tools', 'name', 'requestTemplate', 'url', 'toolSet', 'serverTools', '_rules_', 'config'];
    const leaf = fc.oneof(fc.constant('https://a.example/x'), fc.constant(null), fc.integer(), fc.string());
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        writeFileSync(file, plugin({ server: value, tools: value, _rules_: [value] }));
        expect(readHigress([file]).configuration.servers).toBeInstanceOf(Array);
      }),
    );
  });
});

describe('Kuadrant', () => {
  const registration = (name: string, spec: object, namespace = 'tools', group = 'mcp.kuadrant.io/v1'): object => ({
    apiVersion: group,
    kind: 'MCPServerRegistration',
    metadata: { name, namespace },
    spec: { targetRef: { kind: 'HTTPRoute', name: 'route' }, ...spec },
  });
  const route = (spec: object, namespace = 'tools'): object => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'route', namespace },
    spec,
  });
  const backend = { rules: [{ backendRefs: [{ name: 'svc', port: 8080 }] }] };
  const list = (...items: object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

  test('reads both spellings, of one name in two namespaces, one without a prefix', async () => {
    const { configuration, said } = await configured(
      'kuadrant',
      list(
        registration('a', { toolPrefix: 'old_', path: '/v1/mcp' }, 'one', 'mcp.kagenti.com/v1alpha1'),
        registration('a', {}, 'two'),
        route(backend, 'one'),
        route(backend, 'two'),
      ),
    );
    expect(configuration.servers).toEqual([
      { name: 'one-a', url: 'http://svc.one.svc.cluster.local:8080/v1/mcp', prefix: 'old_' },
      { name: 'two-a', url: 'http://svc.two.svc.cluster.local:8080/mcp', prefix: 'two-a_' },
    ]);
    expect(said).toContain('its tools are two-a_… from now on');
    expect(said).toContain("clients' own authorization ends here");
  });

  test('takes Secrets of one name in two namespaces for two', async () => {
    const credentialRef = { name: 'secret', key: 'token' };
    const { configuration, said } = await configured(
      'kuadrant',
      list(
        registration('a', { prefix: 'a_', credentialRef }, 'one'),
        registration('b', { prefix: 'b_', credentialRef }, 'two'),
        registration('c', { prefix: 'c_', credentialRef }, 'one'),
        route(backend, 'one'),
        route(backend, 'two'),
      ),
    );
    expect(configuration.servers.map(({ credentials }) => (credentials as { env: string }).env)).toEqual([
      'SECRET_TOKEN',
      'SECRET_TOKEN_2',
      'SECRET_TOKEN',
    ]);
    expect(said).toContain('set SECRET_TOKEN_2 to its token');
  });

  test('reaches servers outside of the cluster, and keeps what the route says of host and time', async () => {
    const rule = {
      filters: [{ type: 'URLRewrite', urlRewrite: { hostname: 'api.example.com' } }],
      timeouts: { request: '1m500ms' },
      backendRefs: [{ group: 'networking.istio.io', kind: 'Hostname', name: 'api.example.com', port: 443 }],
    };
    const { configuration } = await configured(
      'kuadrant',
      list(
        registration('a', { userSpecificList: 'Enabled', prefix: 'a_' }),
        route({ hostnames: ['x'], rules: [rule] }),
      ),
    );
    expect(configuration.servers).toEqual([
      {
        name: 'a',
        url: 'https://api.example.com:443/mcp',
        authority: 'api.example.com',
        prefix: 'a_',
        callTimeout: '60500ms',
        credentials: { type: 'passthrough', headers: ['authorization'] },
      },
    ]);
    const external = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'svc', namespace: 'tools' } };
    const named = { ...external, spec: { type: 'ExternalName', externalName: 'mcp.example.org' } };
    const other = await configured('kuadrant', list(registration('a', {}), route(backend), named));
    expect(other.configuration.servers).toMatchObject([{ url: 'http://mcp.example.org:8080/mcp', prefix: '' }]);
  });

  test('leaves out a server whose prefix clashes, and says which one', async () => {
    const { configuration, said } = await configured(
      'kuadrant',
      list(registration('a', { prefix: 'x_' }), registration('b', { prefix: 'x_y_' }), route(backend)),
    );
    expect(configuration.servers).toMatchObject([{ name: 'a' }]);
    expect(said).toMatch(/items\[1\]: is left out: prefix: begins with the prefix of another server/);
  });

  test.each<[string, object[], string]>([
    ['no route', [registration('a', {})], 'the HTTPRoute route is not in these files'],
    ['a route of another namespace', [registration('a', {}), route(backend, 'x')], 'is not in these files'],
    ['a route without backends', [registration('a', {}), route({ rules: [{}] })], 'it has no backendRef'],
    ['a server that is off', [registration('a', { state: 'Disabled' }), route(backend)], 'it is off, and left out'],
    ['another product', [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }], 'Pod p is not read'],
  ])('says why nothing comes of %s', async (_, items, why) => {
    const { code, err } = await rendered('kuadrant', list(...items));
    expect(code).toBe(1);
    expect(err).toContain(why);
  });
});

test.each([
  [['--from', 'kong', 'x'], '--from: expected openapi, higress, kuadrant, nacos, found kong'],
  [['--from', 'higress'], 'name at least one FILE'],
  [['--from', 'higress', '--url', 'http://a', 'x'], '--url has no meaning with --from higress'],
  [['--from', 'kuadrant', '/nowhere/x.yaml'], 'there is no /nowhere/x.yaml'],
  [['--from', 'nacos', 'http://a:b@nacos:8848'], 'no user name or password in it'],
  [['--from', 'nacos', '--nacos-namespace', 'A B', 'http://nacos:8848'], '--nacos-namespace takes NAME[=ID]'],
])('refuses %j', async (args, said) => {
  const { code, err } = await sluice('render', ...args);
  expect(code).toBe(2);
  expect(err).toContain(said);
});

test('says where a file is no YAML', async () => {
  const { code, err } = await rendered('higress', 'a: [');
  expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/file\.yaml:1:\d+: is not YAML/) as string });
});
