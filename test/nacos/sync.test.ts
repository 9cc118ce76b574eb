// Catalogs that follow a real Nacos, whatever becomes of it: nothing is wiped that was not deleted.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { main } from '../../cli/main.ts';
import type { CatalogServer } from '../../plugin-server/catalog/catalog.ts';
import { Catalogs } from '../../plugin-server/catalog/catalogs.ts';
import { NacosClient } from '../../plugin-server/nacos/client.ts';
import { readInstances, readOwnServices } from '../../plugin-server/nacos/instances.ts';
import { NacosSync } from '../../plugin-server/nacos/sync.ts';
import { ArtifactStore, CatalogDirectory } from '../../plugin-server/index.ts';
import { until } from '../e2e/until.ts';
import { NacosAdmin, type StoredDocument, user } from './admin.ts';
import { type Nacos, startNacos } from './nacos.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

interface Following {
  readonly catalogs: Catalogs;
  readonly sync: NacosSync;
  /** Lines of the log. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

interface FollowOptions {
  readonly addresses?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly password?: string | undefined;
  readonly state?: string;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-catalogs-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

/** Without a module, nothing but Nacos decides what is given out. */
async function follow(nacos: Nacos, options: FollowOptions = {}): Promise<Following> {
  const lines: string[] = [];
  const note = (_: unknown, message?: string): void => void lines.push(message ?? '');
  const log = { info: note, warn: note, error: note };
  const catalogs = new Catalogs({ state: options.state ?? folder(), store: new ArtifactStore([]), log });
  await catalogs.open();
  const password = 'password' in options ? options.password : user.password;
  const sync = new NacosSync({
    addresses: options.addresses ?? [nacos.address],
    namespaces: new Map((options.namespaces ?? ['public']).map((name) => [name, name])),
    ...(password !== undefined && { credentials: () => ({ username: user.username, password }) }),
    catalogs,
    log,
    interval: options.interval ?? 100,
    longestWait: 500,
  });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (!stopped) await sync.stop();
    stopped = true;
  };
  onTestFinished(stop);
  await sync.start();
  return { catalogs, sync, log: lines, stop };
}

const servers = ({ catalogs }: Following, namespace = 'public'): readonly CatalogServer[] =>
  catalogs.get(namespace)?.given?.catalog.servers ?? [];

const names = (following: Following, namespace = 'public'): string[] =>
  servers(following, namespace).map(({ name }) => name);

const serverOf = (following: Following, name: string): CatalogServer | undefined =>
  servers(following).find((server) => server.name === name);

/** Nacos lists a server before it gives out its instances. */
const hasEndpoint = (following: Following, name: string, namespace = 'public'): boolean =>
  servers(following, namespace).find((server) => server.name === name)?.endpoints?.length === 1;

const problems = ({ catalogs }: Following, namespace = 'public'): string[] =>
  catalogs.get(namespace)?.problems.map(({ path, message }) => `${path}: ${message}`) ?? [];

const error = ({ sync }: Following): string => sync.states()[0]?.error ?? '';

/** Waits for the end of a look that began after now. */
async function looked({ sync }: Following): Promise<void> {
  const last = (): string | null => sync.states()[0]?.synced ?? null;
  for (let look = 0; look < 2; look++) {
    const before = last();
    await until('Nacos was looked at', () => last() !== before);
  }
}

const restTools = (description: string, off: readonly string[] = []) => ({
  tools: ['get_weather', 'get_wind'].map((name) => ({
    name,
    description,
    inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
  })),
  toolsMeta: Object.fromEntries(
    ['get_weather', 'get_wind'].map((name) => [
      name,
      {
        enabled: !off.includes(name),
        templates: {
          'json-go-template': {
            requestTemplate: { url: `/${name}`, method: 'GET', argsToUrlParam: true },
            responseTemplate: { body: '{{.}}' },
          },
        },
      },
    ]),
  ),
});

const toolsOf = (server: CatalogServer | undefined): { name: string; description: string }[] =>
  (server?.['rest'] as { tools: { name: string; description: string }[] } | undefined)?.tools ?? [];

describe.skipIf(!inject('nacos'))('a catalog that follows Nacos', () => {
  let nacos: Nacos;
  let admin: NacosAdmin;

  beforeAll(async () => {
    nacos = await startNacos();
    admin = new NacosAdmin(nacos);
    await admin.logIn();
  });
  afterAll(() => nacos.end());

  /** A name that no other test has. */
  const fresh = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;

  test('has the servers, their endpoints and a virtual server for each', async () => {
    const [files, weather] = [fresh('files'), fresh('weather')];
    const following = await follow(nacos);
    await admin.create(files, { endpoint: '192.0.2.7:8081', exportPath: '/mcp/files' });
    await admin.create(weather, { protocol: 'http', endpoint: 'weather.example:8082', tools: restTools('now') });
    await until('both are there', () => hasEndpoint(following, files) && hasEndpoint(following, weather));
    expect(serverOf(following, files)).toEqual({
      name: files,
      prefix: `${files}_`,
      path: '/mcp/files',
      service: `public/mcp-endpoints/${files}::1.0.0`,
      endpoints: [{ address: '192.0.2.7', port: 8081 }],
    });
    expect(serverOf(following, weather)).toMatchObject({
      path: '/',
      endpoints: [{ address: 'weather.example', port: 8082 }],
      rest: {
        tools: [
          {
            name: 'get_weather',
            args: [{ name: 'city', type: 'string' }],
            requestTemplate: { url: '/get_weather', method: 'GET', argsToUrlParam: true },
            responseTemplate: { body: '{{.}}' },
          },
          { name: 'get_wind' },
        ],
      },
    });
    expect(following.catalogs.get('public')?.given?.catalog.virtualServers).toEqual(
      expect.arrayContaining([
        { name: `public/${files}`, tools: [`${files}_*`], prompts: [`${files}_*`] },
        { name: 'public/all', tools: ['*'], prompts: ['*'] },
      ]),
    );
  });

  test('sees each edit of a description, two within a second too', async () => {
    const name = fresh('edited');
    const rest = (description: string) => ({ protocol: 'http', tools: restTools(description) });
    await admin.create(name, rest('first'));
    const following = await follow(nacos);
    for (const description of ['second', 'third', 'fourth']) {
      await admin.update(name, rest(description));
      await until(description, () => toolsOf(serverOf(following, name))[0]?.description === description);
    }
  });

  test('is told of an edit before the next look is due', async () => {
    const namespace = fresh('told');
    await admin.makeNamespace(namespace);
    await admin.create('edited', { namespace, exportPath: '/one' });
    const following = await follow(nacos, { namespaces: [namespace], interval: 600_000 });
    const path = (): unknown => servers(following, namespace)[0]?.path;
    expect(path()).toBe('/one');
    for (const next of ['/two', '/three']) {
      await admin.update('edited', { namespace, exportPath: next });
      // One that comes while Nacos begins to hold is told with the next request alone, ten seconds later.
      await until('the edit is there', () => path() === next, 60_000);
    }
  });

  test('has the version that is published, and no draft', async () => {
    const name = fresh('versions');
    await admin.create(name, { exportPath: '/one' });
    const following = await follow(nacos);
    const path = (): string | undefined => serverOf(following, name)?.path;
    await until('it is there', () => path() === '/one');
    await admin.update(name, { version: '1.1.0', exportPath: '/draft', latest: false });
    await looked(following);
    expect(path()).toBe('/one');
    await admin.update(name, { version: '1.2.0', exportPath: '/two' });
    await until('the next one is there', () => path() === '/two');
  });

  test('has the version before it while the service of the next one lists no instance', async () => {
    const [name, serviceName] = [fresh('rolled-out'), fresh('service')];
    await admin.create(name, { exportPath: '/one', endpoint: '192.0.2.1:80' });
    const following = await follow(nacos);
    const endpoints = (): unknown => serverOf(following, name)?.endpoints;
    await until('it is there', () => JSON.stringify(endpoints()) === '[{"address":"192.0.2.1","port":80}]');
    const before = serverOf(following, name);
    const endpoint = { groupName: 'DEFAULT_GROUP', serviceName };
    await admin.update(name, { version: '1.1.0', exportPath: '/two', endpoint });
    await until('it is told', () =>
      problems(following).some((line) => line.startsWith(`servers[${name}]: stays as it`)),
    );
    expect(serverOf(following, name)).toEqual(before);
    await admin.register(serviceName, '192.0.2.2:80');
    await until('the next one is there', () => serverOf(following, name)?.path === '/two');
    expect(endpoints()).toEqual([{ address: '192.0.2.2', port: 80 }]);
    expect(problems(following).filter((line) => line.includes(name))).toEqual([]);
  });

  test('leaves out what is switched off: a tool, then the server', async () => {
    const [rest, mcp] = [fresh('off-rest'), fresh('off-mcp')];
    const options = (off: readonly string[]) => ({ protocol: 'http', tools: restTools('now', off) });
    await admin.create(rest, options([]));
    await admin.create(mcp, { tools: restTools('now') });
    const following = await follow(nacos);
    await admin.update(rest, options(['get_wind']));
    await admin.update(mcp, { tools: restTools('now', ['get_wind']) });
    await until('one tool is there', () => toolsOf(serverOf(following, rest)).length === 1);
    await until('one tool is denied', () => serverOf(following, mcp)?.['tools'] !== undefined);
    expect(serverOf(following, mcp)?.['tools']).toEqual({ deny: ['get_wind'] });
    await admin.update(rest, { ...options([]), enabled: false });
    await until('it is left out', () => !names(following).includes(rest));
    await admin.update(rest, options([]));
    await until('it is there again', () => names(following).includes(rest));
  });

  test('believes a deletion', async () => {
    const name = fresh('deleted');
    await admin.create(name);
    const following = await follow(nacos);
    expect(names(following)).toContain(name);
    await admin.remove(name);
    await until('it is gone', () => !names(following).includes(name));
  });

  test('believes the deletion of one version, which takes a server out of the index with its other versions', async () => {
    const [name, other] = [fresh('two-versions'), fresh('other')];
    await admin.create(name, { exportPath: '/one' });
    await admin.update(name, { version: '1.1.0', exportPath: '/two' });
    await admin.create(other);
    const following = await follow(nacos);
    expect(serverOf(following, name)?.path).toBe('/two');
    await admin.remove(name, 'public', '1.0.0');
    await until('it is gone', () => !names(following).includes(name));
    expect(names(following)).toContain(other);
    expect(problems(following).filter((line) => line.includes(name))).toEqual([]);
  });

  test('has 180 servers, whose documents are more than one page, and sees an edit and a deletion among them', async () => {
    const namespace = fresh('many');
    await admin.makeNamespace(namespace);
    await admin.create('first', { namespace, protocol: 'http', tools: restTools('before') });
    const originals = await Promise.all(
      (['index', 'server', 'tools'] as const).map((group) => admin.document('first', group, namespace)),
    );
    const [{ dataId: indexId } = { dataId: '' }] = originals;
    const id = indexId.slice(0, 36);
    const called = (index: number): string => `many-${index}`;
    const ids = Array.from({ length: 179 }, () => randomUUID());
    const copies = (index: number): StoredDocument[] =>
      originals.map(({ dataId, groupName, content }) => ({
        dataId: dataId.replaceAll(id, ids[index] ?? ''),
        groupName,
        content: content.replaceAll(id, ids[index] ?? '').replaceAll('"first"', `"${called(index)}"`),
      }));
    for (const index of ids.keys()) {
      await Promise.all(copies(index).map((document) => admin.putDocument(document, namespace)));
    }
    const following = await follow(nacos, { namespaces: [namespace] });
    const all = ['first', ...ids.map((_, index) => called(index))].sort();
    expect(names(following, namespace).sort()).toEqual(all);
    const [gone, edited] = [copies(170)[0], copies(171)[2]];
    if (gone === undefined || edited === undefined) throw new Error('a document is missing');
    await admin.putDocument({ ...edited, content: edited.content.replaceAll('before', 'after') }, namespace);
    await admin.removeDocument(gone, namespace);
    const described = (name: string): string | undefined =>
      toolsOf(servers(following, namespace).find((server) => server.name === name))[0]?.description;
    await until('the edit is there', () => described(called(171)) === 'after');
    await until('one is gone', () => names(following, namespace).length === 179);
    expect(names(following, namespace).sort()).toEqual(all.filter((name) => name !== called(170)));
    expect(described(called(172))).toBe('before');
  });

  test.each([
    ['the index is no JSON', 'index', '{"id":'],
    ['the index is of another form', 'index', '[]'],
    ['the server is no JSON', 'server', 'half'],
    ['the server names no service', 'server', '{"name":"x","protocol":"http","remoteServerConfig":{}}'],
    ['the tools are cut off', 'tools', '{"tools":[{"name":"get_we'],
    ['a tool has no template', 'tools', '{"tools":[{"name":"get_weather"}],"toolsMeta":{}}'],
    ['the tools are encrypted', 'tools', '{"specificationType":"encrypted","encryptData":{}}'],
  ] as const)('keeps a server as it was while %s, and lets the others go on', async (_, group, content) => {
    const [name, other] = [fresh('broken'), fresh('other')];
    await admin.create(name, { protocol: 'http', tools: restTools('good') });
    const following = await follow(nacos);
    await until('it is there', () => hasEndpoint(following, name));
    const before = serverOf(following, name);
    const document = await admin.document(name, group);
    await admin.putDocument({ ...document, content });
    await until('it is told', () => problems(following).some((line) => line.startsWith(`servers[${name}]`)));
    await admin.create(other);
    await until('another one is there', () => names(following).includes(other));
    expect(serverOf(following, name)).toEqual(before);
    await admin.putDocument({ ...document, content: document.content.replaceAll('good', 'mended') });
    await until('nothing is wrong any more', () => problems(following).every((line) => !line.includes(name)));
    await admin.remove(name);
  });

  test('has the prompts of a document beside tools and alone, edits and the deletion too, and keeps them while it is wrong', async () => {
    const [shop, guides] = [fresh('shop'), fresh('guides')];
    await admin.create(shop, { protocol: 'http', tools: restTools('now') });
    const following = await follow(nacos);
    const put = (name: string, content: string): Promise<void> =>
      admin.putDocument({ dataId: `${name}-mcp-prompts.json`, groupName: 'mcp-prompts', content });
    const prompt = (text: string): object => ({ name: 'one', messages: [{ role: 'user', text }] });
    const promptsIn = (name: string): unknown =>
      (serverOf(following, name)?.['rest'] as { prompts?: object[] } | undefined)?.prompts;
    await put(shop, JSON.stringify({ prompts: [{ ...prompt('a'), title: null }] }));
    await put(guides, JSON.stringify({ prompts: [prompt('b')] }));
    await until('both are there', () => promptsIn(shop) !== undefined && promptsIn(guides) !== undefined);
    expect(promptsIn(shop)).toEqual([prompt('a')]);
    expect(toolsOf(serverOf(following, shop))).toHaveLength(2);
    expect(serverOf(following, guides)).toEqual({
      name: guides,
      prefix: `${guides}_`,
      rest: { prompts: [prompt('b')] },
    });
    for (const name of [shop, guides]) {
      await put(name, '{"prompts":[');
      await until('it is told', () => problems(following).some((line) => line.startsWith(`servers[${name}]`)));
    }
    expect([promptsIn(shop), promptsIn(guides)]).toEqual([[prompt('a')], [prompt('b')]]);
    await put(shop, JSON.stringify({ prompts: [prompt('c')] }));
    await put(guides, JSON.stringify({ prompts: [prompt('d')] }));
    await until('the edits are there', () => JSON.stringify([promptsIn(shop), promptsIn(guides)]).includes('"d"'));
    await until('nothing is wrong any more', () => problems(following).every((line) => !line.includes(shop)));
    expect(promptsIn(shop)).toEqual([prompt('c')]);
    for (const name of [shop, guides]) {
      await admin.removeDocument({ dataId: `${name}-mcp-prompts.json`, groupName: 'mcp-prompts' });
    }
    await until('they are gone', () => promptsIn(shop) === undefined && !names(following).includes(guides));
    expect(toolsOf(serverOf(following, shop))).toHaveLength(2);
  });

  test('leaves out prompts for an MCP server, which has its own, and says so', async () => {
    const name = fresh('own');
    await admin.create(name);
    const following = await follow(nacos);
    const content = JSON.stringify({ prompts: [{ name: 'a', messages: [{ role: 'user', text: 'a' }] }] });
    await admin.putDocument({ dataId: `${name}-mcp-prompts.json`, groupName: 'mcp-prompts', content });
    await until('it is told', () => problems(following).some((line) => line.includes('has its own prompts')));
    expect(serverOf(following, name)).not.toHaveProperty('rest');
    await admin.removeDocument({ dataId: `${name}-mcp-prompts.json`, groupName: 'mcp-prompts' });
  });

  test('keeps a server as it was while a document of it is not there', async () => {
    const name = fresh('half');
    await admin.create(name, { protocol: 'http', tools: restTools('good') });
    const following = await follow(nacos);
    await until('it is there', () => hasEndpoint(following, name));
    const before = serverOf(following, name);
    const document = await admin.document(name, 'tools');
    await admin.removeDocument(document);
    await until('it is told', () =>
      problems(following).some((line) => line.includes(`${document.dataId} is not there yet`)),
    );
    expect(serverOf(following, name)).toEqual(before);
    await admin.putDocument(document);
    await until('it is there again', () => problems(following).every((line) => !line.includes(name)));
  });

  test('follows the instances of a service: weight, health, and those that are switched off', async () => {
    const [name, serviceName] = [fresh('scaled'), fresh('service')];
    await admin.register(serviceName, '192.0.2.1:80', { weight: '1' });
    await admin.create(name, { endpoint: { groupName: 'DEFAULT_GROUP', serviceName } });
    const following = await follow(nacos);
    const endpoints = (): unknown => serverOf(following, name)?.endpoints;
    await until('the first is there', () => JSON.stringify(endpoints()) === '[{"address":"192.0.2.1","port":80}]');
    const { generation = 0 } = following.catalogs.get('public')?.given ?? {};
    await admin.register(serviceName, '192.0.2.2:80', { weight: '0.5' });
    await admin.register(serviceName, '192.0.2.3:80', { weight: '0' });
    await admin.register(serviceName, '192.0.2.4:80', { enabled: 'false' });
    await admin.register(serviceName, '192.0.2.5:0');
    await until('the second is there', () => (endpoints() as unknown[]).length === 2);
    expect(endpoints()).toEqual([
      { address: '192.0.2.1', port: 80, weight: 2 },
      { address: '192.0.2.2', port: 80, weight: 1 },
    ]);
    await admin.deregister(serviceName, '192.0.2.1:80');
    await until('the first is gone', () => JSON.stringify(endpoints()) === '[{"address":"192.0.2.2","port":80}]');
    // The last one goes: that may be a restart, and is believed later.
    await admin.deregister(serviceName, '192.0.2.2:80');
    await looked(following);
    expect(endpoints()).toEqual([{ address: '192.0.2.2', port: 80 }]);
    const edits = (following.catalogs.get('public')?.given?.generation ?? 0) - generation;
    expect(edits).toBe(0);
  });

  test('follows the instances of a server that has an address: those that are put beside it, and their weight', async () => {
    const name = fresh('direct');
    await admin.create(name, { endpoint: '192.0.2.1:80' });
    const following = await follow(nacos);
    const service = `${name}::1.0.0`;
    const group = { groupName: 'mcp-endpoints' };
    await admin.register(service, '192.0.2.2:80', { ...group, weight: '0.5' });
    await admin.register(service, '192.0.2.3:80', { ...group, weight: '0' });
    await admin.register(service, '192.0.2.4:80', { ...group, enabled: 'false' });
    await admin.register(service, '192.0.2.5:80', { ...group, clusterName: 'OTHER' });
    await until('the second is there', () => serverOf(following, name)?.endpoints?.length === 2);
    await looked(following);
    const both = [
      { address: '192.0.2.1', port: 80, weight: 2 },
      { address: '192.0.2.2', port: 80, weight: 1 },
    ];
    expect(serverOf(following, name)?.endpoints).toEqual(both);
    // What one of them is asked for says the same as the list of all.
    const client = new NacosClient({ addresses: [nacos.address], credentials: () => user });
    const stop = new AbortController().signal;
    const alone = await readInstances(client, { namespaceId: 'public', ...group, serviceName: service }, stop);
    expect((await readOwnServices(client, 'public', stop)).get(service)).toEqual(alone);
    expect(alone.endpoints).toEqual(both);
    await admin.deregister(service, '192.0.2.2:80', group);
    await until('the second is gone', () => serverOf(following, name)?.endpoints?.length === 1);
  });

  test('has the cookie of a balancer that is an instance of the service', async () => {
    const [name, serviceName] = [fresh('balanced'), fresh('service')];
    await admin.register(serviceName, '192.0.2.9:80', { metadata: '{"stickyCookie":"AWSALB"}' });
    await admin.create(name, { endpoint: { groupName: 'DEFAULT_GROUP', serviceName } });
    const following = await follow(nacos);
    await until('it is there', () => serverOf(following, name)?.['stickyCookie'] === 'AWSALB');
    expect(serverOf(following, name)?.endpoints).toEqual([{ address: '192.0.2.9', port: 80 }]);
  });

  test('has servers of other namespaces in catalogs of their own', async () => {
    const namespace = fresh('team');
    await admin.makeNamespace(namespace);
    const name = fresh('theirs');
    const following = await follow(nacos, { namespaces: [namespace, 'public'] });
    await admin.create(name, { namespace });
    await until('it is there', () => names(following, namespace).includes(name));
    expect(names(following, namespace)).toEqual([name]);
    expect(names(following)).not.toContain(name);
  });

  test('a namespace is exported to files, which a directory of catalogs takes as they are', async () => {
    const namespace = fresh('exported');
    await admin.makeNamespace(namespace);
    await admin.create('files', { namespace, endpoint: '192.0.2.7:8081' });
    await admin.create('weather', { namespace, protocol: 'http', tools: restTools('now') });
    await admin.create('other', { namespace, protocol: 'dubbo' });
    const following = await follow(nacos, { namespaces: [namespace] });
    await until('both are there', () => ['files', 'weather'].every((name) => hasEndpoint(following, name, namespace)));
    const directory = folder();
    const said = { out: '', err: '' };
    const io = {
      out: (text: string) => void (said.out += text),
      err: (text: string) => void (said.err += text),
      interactive: false,
      env: { SLUICE_NACOS_USERNAME: user.username, SLUICE_NACOS_PASSWORD: user.password },
    };
    const args = ['render', '--from', 'nacos', nacos.address, '--nacos-namespace', `team-x=${namespace}`];
    expect(await main([...args, '--into', directory], io)).toBe(0);
    expect(said.out.split('\n').slice(0, -1)).toEqual(
      ['files', 'weather', 'virtual.servers'].map((name) => join(directory, 'team-x', `${name}.yaml`)),
    );
    expect(said.err).toMatch(/^servers\[other\]: is left out: its protocol is "dubbo"/);
    expect(await main(['check', join(directory, 'team-x')], io)).toBe(0);
    expect(await main([...args, '--into', directory], io)).toBe(2);
    expect(said.err).toContain('files.yaml is there already');

    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const catalogs = new Catalogs({ state: folder(), store: new ArtifactStore([]), log });
    await catalogs.open();
    const source = new CatalogDirectory({ directory, catalogs });
    onTestFinished(() => source.stop());
    await source.start();
    expect(catalogs.problems()).toEqual([]);
    expect(catalogs.get('team-x')?.given?.catalog.servers).toEqual(servers(following, namespace));
  });

  test('says that a namespace is not there, and gives nothing out', async () => {
    const following = await follow(nacos, { namespaces: ['nowhere'] });
    expect(error(following)).toContain('Nacos has no namespace nowhere');
    expect(following.catalogs.get('nowhere')?.given).toBeUndefined();
    expect(following.catalogs.problems()).toHaveLength(1);
  });

  test('believes that the last server is gone only where the namespace is not empty', async () => {
    const namespace = fresh('emptied');
    await admin.makeNamespace(namespace);
    await admin.create('only', { namespace });
    const following = await follow(nacos, { namespaces: [namespace] });
    await until('it is there', () => names(following, namespace).length === 1);
    for (const group of ['index', 'server'] as const) {
      await admin.removeDocument(await admin.document('only', group, namespace), namespace);
    }
    await until('it is told', () => error(following).includes('no document at all'));
    expect(names(following, namespace)).toEqual(['only']);
    await admin.putDocument({ dataId: 'note', groupName: 'any', content: '{}' }, namespace);
    await until('it is gone', () => names(following, namespace).length === 0);
  });

  test('goes to the next address where one is down', async () => {
    const following = await follow(nacos, { addresses: ['http://127.0.0.1:1', nacos.address] });
    expect(error(following)).toBe('');
    expect(following.sync.states()[0]?.address).toBe(`${nacos.address}/nacos`);
  });

  test('a wrong password, and none, wipe nothing', async () => {
    const state = folder();
    const first = await follow(nacos, { state });
    const before = names(first);
    expect(before.length).toBeGreaterThan(0);
    await first.stop();
    const wrong = await follow(nacos, { state, password: 'another' });
    expect(error(wrong)).toMatch(/the login was answered with 500: the password may be wrong/);
    expect(names(wrong)).toEqual(before);
    await wrong.stop();
    const none = await follow(nacos, { state, password: undefined });
    expect(error(none)).toContain('Nacos wants a login');
    expect(names(none)).toEqual(before);
    const told = [...wrong.log, ...none.log].join('\n');
    expect(told).not.toContain('another');
  });

  describe('when Nacos dies', () => {
    test('gives out what it had, over a restart of its own too, and goes on when Nacos is back', async () => {
      const name = fresh('outlives');
      await admin.create(name, { exportPath: '/before' });
      const state = folder();
      const following = await follow(nacos, { state });
      await until('it is there', () => hasEndpoint(following, name));
      const before = servers(following);
      await nacos.kill();
      await until('it is told', () => error(following) !== '');
      expect(servers(following)).toEqual(before);
      await following.stop();
      const restarted = await follow(nacos, { state });
      expect(servers(restarted)).toEqual(before);
      await nacos.start({ authCache: true });
      await until(
        'it is followed again',
        () => error(restarted) === '' || error(restarted).includes('answered with 403'),
      );
      await admin.logIn();
      await admin.update(name, { exportPath: '/after' });
      await until('the edit is there', () => serverOf(restarted, name)?.path === '/after');
      expect(names(restarted)).toEqual(before.map((server) => server.name));
    });

    test('follows a Nacos whose client API is open, and logs in anew before a token ends', async () => {
      await nacos.kill();
      await nacos.start({ auth: false, adminAuth: true, tokenTtl: 3 });
      await admin.logIn();
      const name = fresh('renewed');
      await admin.create(name, { exportPath: '/0' });
      const following = await follow(nacos);
      expect(names(following)).toContain(name);
      const errors = new Set<string>();
      const began = Date.now();
      while (Date.now() - began < 6_000) {
        await looked(following);
        errors.add(error(following));
      }
      expect([...errors]).toEqual(['']);
      expect(following.log.filter((line) => line.includes('cannot be followed'))).toEqual([]);
    });

    test('follows a Nacos where everything is open, and takes the loss of its database for no deletion', async () => {
      await nacos.kill();
      await nacos.start({ auth: false, adminAuth: false });
      const following = await follow(nacos, { password: undefined });
      expect(error(following)).toBe('');
      const before = servers(following);
      expect(before.length).toBeGreaterThan(0);
      await nacos.kill();
      nacos.wipe();
      await nacos.start({ auth: false, adminAuth: false });
      await until('it is told', () => error(following).includes('no document at all'));
      expect(servers(following)).toEqual(before);
    });
  });
});
