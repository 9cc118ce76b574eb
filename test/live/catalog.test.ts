// Catalogs of files and of PUT, and what gateways make of them.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CatalogDirectory, Catalogs } from '../../plugin-server/index.ts';
import { callMessage, listMessage, openSession } from '../e2e/clients/session.ts';
import { until } from '../e2e/until.ts';
import { describeWithEnvoy, envoyBinary } from '../launcher/support.ts';
import { startToolServer } from './load.ts';
import {
  type Folders,
  type LiveServer,
  folders,
  fullDisk,
  liveBootstrap,
  startLive,
  startLiveEnvoy,
  storeWith,
  temporaryFolder,
  write,
} from './support.ts';

vi.setConfig({ testTimeout: 60_000 });

const token = 'a-token-that-may-publish';

interface Running {
  readonly where: Folders;
  readonly server: LiveServer;
  readonly catalogs: Catalogs;
  /** Puts the catalog `tools` there. */
  readonly put: (
    content: unknown,
    more?: RequestInit,
  ) => Promise<{ status: number; text: string; etag: string | null }>;
}

interface Options {
  readonly where?: Folders;
  readonly gateway?: object;
  /** Of the catalogs. */
  readonly state?: string;
  readonly tokensRequired?: boolean;
}

async function serving({
  where = folders(),
  gateway,
  state = temporaryFolder(),
  tokensRequired = false,
}: Options = {}): Promise<Running> {
  if (gateway !== undefined) write(where, 'edge', gateway);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const store = storeWith('0.1.0');
  const catalogs = new Catalogs({ state, store, log });
  await catalogs.open();
  const server = await startLive(where, { store, catalogs, publishToken: token, tokensRequired });
  const put = async (content: unknown, more: RequestInit = {}) => {
    const answer = await fetch(`${server.url}/catalog/tools`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body: typeof content === 'string' ? content : JSON.stringify(content),
      ...more,
    });
    return { status: answer.status, text: await answer.text(), etag: answer.headers.get('etag') };
  };
  return { where, server, catalogs, put };
}

const entry = (name: string, url = `http://${name}.example:8080/mcp`): object => ({ name, url });
const catalogOf = (...names: string[]): object => ({ servers: names.map((name) => entry(name)) });
const textOf = async (answer: Response) => ({ status: answer.status, text: await answer.text() });
const asOperator = { headers: { authorization: `Bearer ${token}` } };

const clustersOf = ({ live }: LiveServer): string[] =>
  (live.directory.get('edge')?.active?.compiled.clusterSet.clusters ?? []).map(({ name }) => name.replace(/@.*/, ''));

const clusterJson = ({ live }: LiveServer, name: string): string =>
  live.directory.get('edge')?.active?.compiled.clusterSet.clusters.find((each) => each.name.startsWith(`${name}@`))
    ?.json ?? '';

/** The plugin configuration that is given out. */
const pluginOf = ({ live }: LiveServer): { virtualServers?: unknown } => {
  const filter = live.directory.get('edge')?.active?.compiled.filters.get('sluice');
  const text = JSON.parse(`${filter?.before ?? '"'}"}}}}`.replace(/^.*"value":/s, '').replace(/\}+$/, '')) as string;
  return JSON.parse(text) as { virtualServers?: unknown };
};

const gatewayProblems = ({ live }: LiveServer): string[] =>
  (live.directory.get('edge')?.catalogProblems ?? []).map(({ path, message }) => `${path}: ${message}`);

describe('GET and PUT /catalog/<namespace>', () => {
  test('give it out with an ETag, and take another one that is right', async () => {
    const { server, put } = await serving();
    const url = `${server.url}/catalog/tools`;
    expect((await fetch(url, asOperator)).status).toBe(404);
    const first = await put(catalogOf('a'));
    expect(first.status).toBe(201);
    expect(JSON.parse(first.text)).toMatchObject({ catalog: 'tools', version: { generation: 1, cause: 'put' } });
    const read = await fetch(url, asOperator);
    const etag = read.headers.get('etag') ?? '';
    expect(await read.json()).toEqual({
      namespace: 'tools',
      revision: etag.slice(1, -1),
      servers: [{ name: 'a', prefix: 'a_', url: 'http://a.example:8080/mcp' }],
      virtualServers: [],
    });
    const again = await fetch(url, { headers: { ...asOperator.headers, 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const stale = await put(catalogOf('b'), { headers: { ...asOperator.headers, 'if-match': '"other"' } });
    expect(stale.status).toBe(412);
    const second = await put('servers:\n  - { name: b, url: http://b.example/mcp }\n');
    expect([second.status, second.etag === etag]).toEqual([200, false]);
  });

  test.each([
    ['what is no YAML', 'servers: [', 'is not YAML'],
    ['a list', [], 'expected an object with servers and virtualServers'],
    ['access rules', { authorization: { default: 'allow' } }, 'authorization: belongs into the file of the gateway'],
    ['limits', { limits: {} }, 'limits: belongs into the file of the gateway'],
    [
      'credentials',
      { servers: [{ ...entry('a'), credentials: { type: 'none' } }] },
      'servers[0].credentials: is not for a catalog to say',
    ],
    ['a misspelt member', { servers: [{ ...entry('a'), prefx: 'a_' }] }, 'did you mean "prefix"?'],
    ['a name that is none', { servers: [entry('A B')] }, 'servers[0].name'],
    ['two servers of one name', catalogOf('a', 'a'), 'servers[1].name: a is the name of another server'],
    ['no prefix', { servers: [{ ...entry('a'), prefix: '' }] }, 'servers[0].prefix'],
    [
      'a prefix that begins another one',
      {
        servers: [
          { ...entry('a'), prefix: 'b_' },
          { ...entry('c'), prefix: 'b_c_' },
        ],
      },
      'servers[c].prefix',
    ],
    ['a protocol that is none', { servers: [{ ...entry('a'), protocol: '1999' }] }, 'servers[a].protocol'],
    ['a cookie that is none', { servers: [{ ...entry('a'), stickyCookie: 'a; b' }] }, 'servers[a].stickyCookie'],
    ['no URL', { servers: [{ name: 'a' }] }, 'servers[0].url'],
    ['a password in a URL', { servers: [entry('a', 'http://user:secret@a.example/')] }, 'may not carry a password'],
    [
      'an endpoint without a port',
      { servers: [{ name: 'a', endpoints: [{ address: '10.0.0.1' }] }] },
      'servers[0].endpoints[0].port',
    ],
    [
      'an endpoint that is no host',
      { servers: [{ name: 'a', endpoints: [{ address: 'a/b', port: 1 }] }] },
      'endpoints[0].address',
    ],
    [
      'a secret',
      { servers: [{ ...entry('a'), rest: { tools: [], securitySchemes: [{ id: 'k', defaultCredential: 'hush' }] } }] },
      'a catalog holds no secret',
    ],
    [
      'a secret in config',
      { servers: [{ ...entry('a'), rest: { tools: [], config: { key: 'hush' } } }] },
      'a catalog holds no secret',
    ],
    [
      'a secret for all tools',
      { servers: [{ ...entry('a'), rest: { tools: [], defaultUpstreamSecurity: { id: 'k', credential: 'hush' } } }] },
      'servers[0].rest.defaultUpstreamSecurity.credential: a catalog holds no secret',
    ],
    [
      'a secret in a header',
      {
        servers: [
          {
            ...entry('a'),
            rest: {
              tools: [{ name: 't', requestTemplate: { headers: [{ key: 'Authorization', value: 'Bearer hush' }] } }],
            },
          },
        ],
      },
      'a catalog holds no secret',
    ],
    [
      "the client's own credential for a service of the catalog",
      { servers: [{ ...entry('a'), rest: { tools: [], passthroughAuthHeader: true } }] },
      'servers[0].rest.passthroughAuthHeader: is not for a catalog to say',
    ],
    [
      'a virtual server of another namespace',
      { ...catalogOf('a'), virtualServers: [{ name: 'others/x', tools: ['a_*'] }] },
      'expected tools/<name>',
    ],
    [
      'a pattern of another prefix',
      { ...catalogOf('a'), virtualServers: [{ name: 'tools/x', tools: ['b_*'] }] },
      'begins with the prefix of no server',
    ],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n`,
      'aliases',
    ],
  ])('refuse %s whole, with its place', async (_, content, message) => {
    const { catalogs, put } = await serving();
    await put(catalogOf('before'));
    const refused = await put(content);
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining(message.replaceAll('"', '\\"'))]);
    expect(refused.text).not.toContain('hush');
    expect(catalogs.get('tools')?.given?.catalog.servers.map(({ name }) => name)).toEqual(['before']);
  });

  test('give it out as modules take it, with the clusters of the bootstrap or of Istio', async () => {
    const { server, put } = await serving();
    const at = (address: string): object => ({ endpoints: [{ address, port: 8081 }], path: '/x' });
    const rest = { tools: [{ name: 'a', requestTemplate: { url: '/a' } }] };
    const prompts = [{ name: 'p', messages: [{ role: 'user', text: 'x' }] }];
    const servers = [
      { ...entry('named'), tools: { deny: ['x'] }, stickyCookie: 'LB' },
      { name: 'service', ...at('service.ns.svc.cluster.local'), rest },
      { name: 'address', ...at('192.0.2.1') },
      { name: 'prompts', rest: { prompts } },
    ];
    const virtualServers = [{ name: 'tools/all', tools: ['*'], prompts: ['*'], events: ['*', 'named_a*'] }];
    expect((await put({ servers, virtualServers })).status).toBe(201);
    const ask = async (
      query: string,
    ): Promise<{ etag: string | null; status: number; body: Record<string, unknown> }> => {
      const response = await fetch(`${server.url}/catalog/tools${query}`, asOperator);
      const body = (await response.json()) as Record<string, unknown>;
      return { etag: response.headers.get('etag'), status: response.status, body };
    };
    const named = {
      name: 'named',
      authority: 'named.example:8080',
      path: '/mcp',
      prefix: 'named_',
      tools: { deny: ['x'] },
      stickyCookie: 'LB',
    };
    const service = { name: 'service', authority: 'service.ns.svc.cluster.local:8081', prefix: 'service_', rest };
    const alone = { name: 'prompts', prefix: 'prompts_', rest: { prompts } };
    const own = await ask('?form=module');
    expect(own.body['leftOut']).toEqual([]);
    expect(own.body['servers']).toEqual([
      { name: 'address', cluster: 'address', authority: '192.0.2.1:8081', path: '/x', prefix: 'address_' },
      { ...named, cluster: 'named' },
      alone,
      { ...service, cluster: 'service' },
    ]);
    const istio = await ask('?form=module&clusters=istio');
    expect(istio.body['servers']).toEqual([
      { ...named, cluster: 'outbound|8080||named.example' },
      alone,
      { ...service, cluster: 'outbound|8081||service.ns.svc.cluster.local' },
    ]);
    expect(istio.body['leftOut']).toEqual([expect.stringMatching(/^servers\[address\]: 192\.0\.2\.1 is an address/)]);
    const prefixes = ['address_*', 'named_*', 'prompts_*', 'service_*'];
    const all = { name: 'tools/all', tools: prefixes, prompts: prefixes, events: [...prefixes, 'named_a*'] };
    expect(istio.body['virtualServers']).toEqual([all]);
    expect(new Set([(await ask('')).etag, own.etag, istio.etag]).size).toBe(3);
    for (const query of ['?form=other', '?form=module&clusters=other']) expect((await ask(query)).status).toBe(400);
  });

  test('refuse 10 MB, and whoever has no token', async () => {
    const { server, put } = await serving();
    expect((await put(' '.repeat(10_000_000))).status).toBe(413);
    expect((await put(catalogOf('a'), { headers: {} })).status).toBe(401);
    expect((await put(catalogOf('a'), { headers: { authorization: 'Bearer another-token-than-that' } })).status).toBe(
      401,
    );
    expect((await fetch(`${server.url}/catalog/tools`)).status).toBe(401);
    expect((await fetch(`${server.url}/catalogs`)).status).toBe(401);
  });

  test('let a gateway read what its file names, and nothing else', async () => {
    const { server, where, put, catalogs } = await serving({
      gateway: { catalog: { namespace: 'tools' } },
      tokensRequired: true,
    });
    write(where, 'edge', 'the-token-of-the-gateway', 'token');
    await put(catalogOf('a'));
    await catalogs.of('others').takeWhole({ catalog: { servers: [], virtualServers: [] }, problems: [], cause: 'put' });
    const headers = { authorization: 'Bearer the-token-of-the-gateway' };
    await until(
      'its token is known',
      async () => (await fetch(`${server.url}/catalog/tools`, { headers })).status === 200,
    );
    expect((await fetch(`${server.url}/catalog/others`, { headers })).status).toBe(401);
    expect((await fetch(`${server.url}/catalogs`, { headers })).status).toBe(401);
  });

  test('that cannot be kept change nothing, and say why', async () => {
    const state = temporaryFolder();
    const { server, put, catalogs } = await serving({ state });
    await put(catalogOf('a'));
    await put(catalogOf('b'));
    const rollBack = async (): Promise<Response> =>
      await fetch(`${server.url}/catalogs/tools/rollback`, {
        method: 'POST',
        headers: { ...asOperator.headers, 'content-type': 'application/json' },
        body: '{}',
      });
    const isFull = fullDisk(state);
    for (const { status, text } of [await put(catalogOf('c')), await textOf(await rollBack())]) {
      expect(status).toBe(507);
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'not_kept' } });
    }
    const given = await textOf(await fetch(`${server.url}/catalog/tools`, asOperator));
    expect(given.text).toContain('"b"');
    expect(catalogs.get('tools')?.rolledBack).toBe(false);
    isFull.end();
    expect((await put(catalogOf('c'))).status).toBe(200);
    expect((await rollBack()).status).toBe(200);
    // A rollback holds where the edit after it could not be kept.
    const isFullAgain = fullDisk(state);
    expect((await put(catalogOf('d'))).status).toBe(507);
    expect(catalogs.get('tools')?.rolledBack).toBe(true);
    isFullAgain.end();
  });

  test('go back to an earlier version, until the next one is put there', async () => {
    const state = temporaryFolder();
    const { server, put } = await serving({ state });
    await put(catalogOf('a'));
    await put(catalogOf('b'));
    const rolled = await fetch(`${server.url}/catalogs/tools/rollback`, {
      method: 'POST',
      headers: { ...asOperator.headers, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await rolled.json()).toMatchObject({ catalog: 'tools', version: { generation: 1 } });
    const names = async (url: string): Promise<unknown> =>
      ((await (await fetch(`${url}/catalog/tools`, asOperator)).json()) as { servers: { name: string }[] }).servers.map(
        ({ name }) => name,
      );
    expect(await names(server.url)).toEqual(['a']);
    const restarted = await serving({ state });
    expect(await names(restarted.server.url)).toEqual(['a']);
    await restarted.put(catalogOf('c'));
    expect(await names(restarted.server.url)).toEqual(['c']);
    const one = await fetch(`${restarted.server.url}/catalogs/tools`, asOperator);
    expect(await one.json()).toMatchObject({
      rolledBack: false,
      versions: [{ generation: 3 }, { generation: 2 }, { generation: 1 }],
    });
  });
});

describe('a directory of catalogs', () => {
  async function watching(files: Readonly<Record<string, unknown>>, state = temporaryFolder()) {
    const directory = temporaryFolder();
    const put = (name: string, content: unknown): void => {
      mkdirSync(join(directory, 'tools'), { recursive: true });
      const file = join(directory, 'tools', name);
      writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content));
      renameSync(`${file}.new`, file);
    };
    for (const [name, content] of Object.entries(files)) put(name, content);
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const catalogs = new Catalogs({ state, store: storeWith('0.1.0'), log });
    await catalogs.open();
    const source = new CatalogDirectory({ directory, catalogs, interval: 50 });
    onTestFinished(() => source.stop());
    await source.start();
    const names = (): string[] => catalogs.get('tools')?.given?.catalog.servers.map(({ name }) => name) ?? [];
    const problems = (): string => JSON.stringify(catalogs.get('tools')?.problems);
    return { directory, put, names, problems, source, catalogs };
  }

  test('has the servers of all files of a namespace, and virtual servers of any of them', async () => {
    const virtual = { virtualServers: [{ name: 'tools/both', tools: ['a_*', 'b_x'] }] };
    const { names, put, directory, problems } = await watching({
      'a.yaml': catalogOf('a'),
      'b.json': catalogOf('b'),
      'v.yml': virtual,
    });
    expect([names(), problems()]).toEqual([['a', 'b'], '[]']);
    put('c.yaml', catalogOf('c'));
    await until('the third is there', () => names().length === 3);
    rmSync(join(directory, 'tools', 'a.yaml'));
    await until('the first is gone', () => names().join() === 'b,c');
  });

  test('keeps what a file said before it was wrong, and takes the others', async () => {
    const state = temporaryFolder();
    const first = await watching({ 'a.yaml': catalogOf('a'), 'b.yaml': catalogOf('b') }, state);
    first.put('a.yaml', 'servers: [ { name: a');
    await until('it is told', () => first.problems().includes('a.yaml:1:'));
    first.put('b.yaml', catalogOf('b', 'c'));
    await until('the other one is taken', () => first.names().join() === 'a,b,c');
    await first.source.stop();
    const second = await watching({ 'a.yaml': 'servers: [ { name: a', 'b.yaml': catalogOf('b') }, state);
    expect(second.names()).toEqual(['a', 'b', 'c']);
    second.put('a.yaml', catalogOf('a'));
    await until('what is gone is gone', () => second.names().join() === 'a,b');
  });

  test('keeps what a file said before it had 10 MB, and takes the others', async () => {
    const { put, names, problems } = await watching({ 'a.yaml': catalogOf('a'), 'b.yaml': catalogOf('b') });
    put('a.yaml', `${JSON.stringify(catalogOf('z'))}${' '.repeat(10_000_000)}`);
    await until('it is told', () => problems().includes('a.yaml'));
    put('b.yaml', catalogOf('b', 'c'));
    await until('the other one is taken', () => names().join() === 'a,b,c');
    expect(problems()).toContain('more than the limit of 2097152');
  });

  test('keeps a server as it was that the module refuses, and takes the others', async () => {
    const { put, names, problems, catalogs } = await watching({ 'a.yaml': catalogOf('a') });
    put('a.yaml', { servers: [{ ...entry('a', 'http://new.example/'), protocol: '1999' }, entry('b')] });
    await until('the other one is there', () => names().join() === 'a,b');
    expect(problems()).toContain('servers[a].protocol');
    expect(catalogs.get('tools')?.given?.catalog.servers[0]).toMatchObject({ url: 'http://a.example:8080/mcp' });
  });

  test('takes what could not be kept as soon as it can be, and says so meanwhile', async () => {
    const state = temporaryFolder();
    const { put, names, catalogs } = await watching({ 'a.yaml': catalogOf('a') }, state);
    const full = fullDisk(state);
    put('a.yaml', catalogOf('b'));
    await until('it is told', () => catalogs.problems().some((line) => line.includes('cannot be kept')));
    expect(names()).toEqual(['a']);
    full.end();
    await until('it is taken', () => names().join() === 'b');
    await until('it is told no more', () => catalogs.problems().length === 0);
  });

  test('takes the other namespaces where one cannot be read, and says so', async () => {
    const { directory, put, names, catalogs } = await watching({ 'a.yaml': catalogOf('a') });
    mkdirSync(join(directory, 'crowded'));
    for (let file = 0; file <= 2000; file++) writeFileSync(join(directory, 'crowded', `${file}.yaml`), '');
    await until('it is told', () => catalogs.problems().some((line) => line.includes('more than 2000 files')));
    put('a.yaml', catalogOf('b'));
    await until('it is taken', () => names().join() === 'b');
    expect(catalogs.problems()).toEqual([expect.stringMatching(/^catalog crowded: /)]);
  });

  test('keeps the catalog of a folder that is gone, and says so', async () => {
    const { directory, names, catalogs } = await watching({ 'a.yaml': catalogOf('a') });
    rmSync(join(directory, 'tools'), { recursive: true });
    await until('it is told', () => catalogs.problems().some((line) => line.includes('its folder is gone')));
    expect(names()).toEqual(['a']);
  });
});

describe('a gateway with a catalog', () => {
  test('has its servers beside its own, an edit later too', async () => {
    const { server, put } = await serving({ gateway: { servers: [entry('own')], catalog: { namespace: 'tools' } } });
    expect(clustersOf(server)).toEqual(['own']);
    await put({ ...catalogOf('a'), virtualServers: [{ name: 'tools/all', tools: ['*'] }] });
    await until('it is there', () => clustersOf(server).join() === 'own,a');
    expect(pluginOf(server).virtualServers).toEqual([{ name: 'tools/all', tools: ['a_*'] }]);
    await put(catalogOf('b'));
    await until('the next is there', () => clustersOf(server).join() === 'own,b');
    expect(server.live.directory.get('edge')?.active?.kept.cause).toBe('catalog');
  });

  test('has those of several, named after the namespace', async () => {
    const { server, put, catalogs } = await serving({ gateway: { catalog: { namespace: ['tools', 'team-b'] } } });
    await put(catalogOf('a'));
    const theirs = {
      servers: [{ name: 'a', prefix: 'a_', url: 'http://b.example/' }],
      virtualServers: [{ name: 'team-b/x', tools: ['*'] }],
    };
    await catalogs.of('team-b').takeWhole({ catalog: theirs, problems: [], cause: 'put' });
    await until('both are there', () => clustersOf(server).join() === 'team-b-a,tools-a');
    expect(pluginOf(server).virtualServers).toEqual([{ name: 'team-b/x', tools: ['team-b_*'] }]);
  });

  test('lets nothing in that its file does not allow, and says why', async () => {
    const gateway = {
      servers: [entry('own')],
      catalog: {
        namespace: 'tools',
        addresses: ['10.0.0.0/8', '*.example', '127.0.0.1'],
        env: ['TOOL_*'],
        clusters: ['tools-*'],
      },
    };
    const { server, put } = await serving({ gateway });
    await put({
      servers: [
        entry('inside', 'http://10.1.2.3/mcp'),
        entry('named', 'http://named.example/mcp'),
        entry('local', 'http://127.0.0.1:99/mcp'),
        entry('outside', 'http://192.0.2.1/mcp'),
        entry('metadata', 'http://169.254.169.254/'),
        entry('other', 'http://elsewhere.test/'),
        { name: 'own-cluster', cluster: 'xds', prefix: 'own-cluster_' },
        { name: 'their-cluster', cluster: 'tools-a', prefix: 'their-cluster_' },
      ],
    });
    await until('what may come in is there', () => clustersOf(server).join() === 'own,inside,local,named');
    const told = gatewayProblems(server).join('\n');
    for (const name of ['outside', 'metadata', 'other', 'own-cluster'])
      expect(told).toContain(`catalog.servers[${name}]`);
    expect(told).not.toContain('their-cluster');
  });

  test('has no server where its catalog has none any more, and is warned of that', async () => {
    const { server, put } = await serving({ gateway: { catalog: { namespace: 'tools' } } });
    const edge = () => server.live.directory.get('edge');
    expect(JSON.stringify(edge()?.refusal)).toContain('there is no catalog tools here yet');
    await put(catalogOf('a'));
    await until('it is there', () => clustersOf(server).join() === 'a');
    await put(catalogOf());
    await until('it is gone', () => edge()?.active !== undefined && clustersOf(server).length === 0);
    expect(edge()?.refusal).toBeUndefined();
    expect(edge()?.warnings).toContainEqual(
      expect.objectContaining({ path: 'servers', message: 'lists no server, so that nothing is served' }),
    );
    await put(catalogOf('b'));
    await until('the next one is there', () => clustersOf(server).join() === 'b');
  });

  test('keeps its own servers where a catalog has one of the same name', async () => {
    const { server, put } = await serving({ gateway: { servers: [entry('own')], catalog: { namespace: 'tools' } } });
    await put({ servers: [entry('own', 'http://stolen.example/'), entry('b')] });
    await until('the other one is there', () => clustersOf(server).join() === 'own,b');
    expect(clusterJson(server, 'own')).not.toContain('stolen');
    expect(gatewayProblems(server).join()).toContain('catalog.servers[own].name');
    const ready = (await (await fetch(`${server.url}/readyz`)).json()) as { gateways: { problems: string[] } };
    expect(ready.gateways.problems.join()).toContain('edge: its catalogs are taken but for');
  });

  test('has endpoints that come and go without an edit', async () => {
    const { server, put } = await serving({ gateway: { catalog: { namespace: 'tools' } } });
    const scaled = (...addresses: string[]): object => ({
      servers: [
        {
          name: 'a',
          path: '/mcp',
          endpoints: addresses.map((address, index) => ({ address, port: 80, weight: index + 1 })),
        },
      ],
    });
    await put(scaled('192.0.2.1'));
    await until('the first is there', () => clusterJson(server, 'a').includes('192.0.2.1'));
    const name = server.live.directory.get('edge')?.active?.compiled.clusterSet.clusters[0]?.name;
    await put(scaled('192.0.2.1', '192.0.2.2', 'third.example'));
    await until('all are there', () => clusterJson(server, 'a').includes('third.example'));
    expect(clusterJson(server, 'a')).toContain('"type":"STRICT_DNS"');
    expect(clusterJson(server, 'a')).toContain('"load_balancing_weight":3');
    const active = server.live.directory.get('edge')?.active;
    expect([active?.kept.generation, active?.compiled.clusterSet.clusters[0]?.name]).toEqual([1, name]);
  });

  test('goes back with the endpoints of now', async () => {
    const { server, put } = await serving({ gateway: { catalog: { namespace: 'tools' } } });
    const at = (address: string, path: string): object => ({
      servers: [{ name: 'a', path, endpoints: [{ address, port: 80 }] }],
    });
    await put(at('192.0.2.1', '/one'));
    await until('the first is there', () => clusterJson(server, 'a').includes('192.0.2.1'));
    await put(at('192.0.2.2', '/two'));
    await until('the second is there', () => clusterJson(server, 'a').includes('192.0.2.2'));
    await server.live.directory.get('edge')?.rollBack();
    expect(pluginOf(server)).toMatchObject({ servers: [{ path: '/one' }] });
    expect(clusterJson(server, 'a')).toContain('192.0.2.2');
    expect(server.live.directory.get('edge')?.rolledBack).toBe(true);
  });

  test('stays at a version without one where the plugin server has lost its catalogs, until it has another one', async () => {
    const gateway = { servers: [entry('own')], catalog: { namespace: 'tools' } };
    const first = await serving({ gateway });
    await first.put(catalogOf('a'));
    await until('it is there', () => clustersOf(first.server).join() === 'own,a');
    await first.server.live.directory.get('edge')?.rollBack('1');
    await first.server.close();

    const { server, put } = await serving({ where: first.where });
    const edge = server.live.directory.get('edge');
    expect([edge?.active?.kept.generation, edge?.rolledBack]).toEqual([1, true]);
    await put(catalogOf('a'));
    await server.live.directory.refresh();
    expect([edge?.active?.kept.generation, edge?.rolledBack]).toEqual([1, true]);
    await put(catalogOf('b'));
    await until('the next is there', () => clustersOf(server).join() === 'own,b');
    expect(edge?.rolledBack).toBe(false);
  });

  test('with a catalog that is not there is told, and keeps what it had', async () => {
    const { server, where, put } = await serving({
      gateway: { servers: [entry('own')], catalog: { namespace: 'tools' } },
    });
    expect(gatewayProblems(server)).toEqual(['catalog.namespace: there is no catalog tools here yet']);
    await put(catalogOf('a'));
    await until('it is there', () => clustersOf(server).join() === 'own,a');
    write(where, 'edge', { servers: [entry('own')], catalog: { namespace: 'tolls' } });
    await until('it is refused', () => server.live.directory.get('edge')?.refusal !== undefined);
    expect(clustersOf(server)).toEqual(['own', 'a']);
  });

  test.each([
    ['no namespace', {}, 'catalog.namespace'],
    ['an unknown member', { namespace: 'tools', adresses: [] }, 'did you mean "addresses"?'],
    ['limits as defaults', { namespace: 'tools', defaults: { limits: {} } }, 'catalog.defaults.limits'],
    ['a text in place of a list', { namespace: 'tools', clusters: 'all' }, 'catalog.clusters'],
  ])('is refused with %s', async (_, catalog, message) => {
    const { server } = await serving({ gateway: { servers: [entry('own')], catalog } });
    const { refusal } = server.live.directory.get('edge') ?? {};
    expect(JSON.stringify(refusal?.problems)).toContain(message.replaceAll('"', '\\"'));
  });
});

describeWithEnvoy('a real Envoy', () => {
  test('lists the tools of a catalog within 5 s of an edit, and of endpoints that move, in the same session', async () => {
    const [one, two] = await Promise.all([startToolServer(), startToolServer()]);
    onTestFinished(async () => {
      await Promise.all([one.stop(), two.stop()]);
    });
    const { server, put } = await serving({
      gateway: { servers: [{ name: 'own', url: one.url }], catalog: { namespace: 'tools', addresses: ['127.0.0.1'] } },
    });
    const envoy = await startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n', cluster: 'edge' }));
    await put({ servers: [entry('first', one.url)] });
    let session = await openSession(envoy.mcp);
    const tools = async (): Promise<string> => (await session.post(listMessage())).text;
    await until('the tools are there', async () => (await tools()).includes('first_fast'));
    const port = Number(new URL(two.url).port);
    await put({
      servers: [{ name: 'second', path: new URL(two.url).pathname, endpoints: [{ address: '127.0.0.1', port }] }],
    });
    await until('the next ones are there', async () => (await tools()).includes('second_fast'));
    expect(await tools()).not.toContain('first_fast');
    const moved = Number(new URL(one.url).port);
    await put({
      servers: [
        { name: 'second', path: new URL(two.url).pathname, endpoints: [{ address: '127.0.0.1', port: moved }] },
      ],
    });
    const before = one.of('tools/list').length;
    session = await openSession(envoy.mcp);
    await until('the other endpoint is asked', async () => {
      session = await openSession(envoy.mcp);
      return (
        (await tools()).includes('second_fast') && one.of('tools/list').length >= before + 2 && two.requests.length > 0
      );
    });
  });

  test('whose catalog is emptied serves nothing, in sessions that there are and in new ones, until it has something again', async () => {
    const one = await startToolServer();
    onTestFinished(() => one.stop());
    const { server, put } = await serving({ gateway: { catalog: { namespace: 'tools', addresses: ['127.0.0.1'] } } });
    await put({ servers: [entry('first', one.url)] });
    const envoy = await startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n', cluster: 'edge' }));
    const session = await openSession(envoy.mcp);
    const tools = async (): Promise<string> => (await session.post(listMessage())).text;
    await until('the tools are there', async () => (await tools()).includes('first_fast'));
    await put({ servers: [] });
    await until('they are gone', async () => (await tools()).includes('its configuration lists no server'));
    expect((await session.post(callMessage('"first_fast"'))).text).toContain('"catalog_unready"');
    expect((await fetch(`${envoy.mcp}/-/health`)).status).toBe(503);
    await put({ servers: [entry('first', one.url)] });
    await until('they are there again', async () => (await tools()).includes('first_fast'));
    expect((await session.post(callMessage('"first_fast"'))).text).toContain('"done"');
  });
});
