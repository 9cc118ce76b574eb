// What Nacos answers, as it was recorded from a real one, and what stands in its place: by table.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { fromNacos } from '../../cli/render/nacos/export.ts';
import { Catalogs } from '../../plugin-server/catalog/catalogs.ts';
import { ArtifactStore } from '../../plugin-server/index.ts';
import { NacosError, readAnswer } from '../../plugin-server/nacos/answer.ts';
import { NacosClient } from '../../plugin-server/nacos/client.ts';
import { parseCredentials } from '../../plugin-server/nacos/credentials.ts';
import { instancesOf, readOwnServices } from '../../plugin-server/nacos/instances.ts';
import { readListing } from '../../plugin-server/nacos/listing.ts';
import { NacosNamespace } from '../../plugin-server/nacos/namespace.ts';
import { describeServer, readIndex, serverName } from '../../plugin-server/nacos/server.ts';
import { NacosSync } from '../../plugin-server/nacos/sync.ts';
import { until } from '../e2e/until.ts';
import { freePort } from '../free-ports.ts';

const never = new AbortController().signal;

describe('an answer', () => {
  test('has its data', () => {
    expect(readAnswer(200, '{"code":0,"message":"success","data":[1]}')).toEqual([1]);
  });

  test.each([
    [
      'an error of Nacos',
      409,
      '{"code":20005,"message":"resource conflict","data":"mcp server has existed"}',
      'resource conflict: mcp server has existed (code 20005)',
      20005,
    ],
    [
      'an error with status 200',
      200,
      '{"code":20004,"message":"resource not found","data":null}',
      'resource not found (code 20004)',
      20004,
    ],
    [
      "Spring's JSON",
      403,
      '{"timestamp":"2026-11-29T15:00:00.000+08:00","status":403,"error":"Forbidden","message":"Code: 401, Message: token expired!.","path":"/nacos/v3/admin/cs/config/list"}',
      'Forbidden: Code: 401, Message: token expired!.',
      undefined,
    ],
    [
      'plain text',
      400,
      "Required parameter 'dataId' is not present\nat x",
      "Required parameter 'dataId' is not present",
      undefined,
    ],
    [
      'a page',
      200,
      '<!DOCTYPE html><html><body>Welcome</body></html>',
      'it answered with a web page, not as Nacos',
      undefined,
    ],
    ['other JSON', 200, '{"status":"UP"}', 'it answered 200 with what is no answer of Nacos', undefined],
    ['half an answer', 200, '{"code":0,"message":"succ', 'it answered 200 with what is no answer of Nacos', undefined],
    ['nothing', 503, '', 'it answered 503', undefined],
    ['control characters', 500, 'a\u0000\u001b[31mb', 'a [31mb', undefined],
  ])('that is %s is an error that says so', (_, status, text, message, code) => {
    expect(() => readAnswer(status, text)).toThrow(new NacosError(message, status, code));
  });
});

interface Fake {
  readonly address: string;
  readonly requests: readonly string[];
}

type Reply = (path: string, response: ServerResponse, count: number, query: URLSearchParams) => void;

/** Answers as it is told. */
async function fake(reply: Reply): Promise<Fake> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    requests.push(`${request.method ?? ''} ${pathname} ${request.headers.authorization ?? ''}`.trim());
    reply(pathname, response, requests.length, searchParams);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const ok = (data: unknown): string => JSON.stringify({ code: 0, message: 'success', data });
const login = '/nacos/v3/auth/user/login';
const loginAnswer = (token: string, tokenTtl = 18_000): string =>
  JSON.stringify({ accessToken: token, tokenTtl, globalAdmin: true, username: 'nacos' });
const credentials = () => ({ username: 'nacos', password: 'secret' });

describe('a client', () => {
  test.each([
    ['answers with a page', (response: ServerResponse) => response.end('<html>')],
    ['answers 502', (response: ServerResponse) => response.writeHead(502).end('bad gateway')],
    ['closes the connection', (response: ServerResponse) => response.destroy()],
    [
      'leads elsewhere',
      (response: ServerResponse) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
  ])('goes to the next address where one %s, and stays there', async (_, answer) => {
    const first = await fake((_path, response) => void answer(response));
    const second = await fake((_path, response) => void response.end(ok('here')));
    const client = new NacosClient({ addresses: [first.address, second.address] });
    expect(await client.get('/x', {}, never)).toBe('here');
    expect(await client.get('/x', {}, never)).toBe('here');
    expect([first.requests.length, second.requests.length]).toEqual([1, 2]);
  });

  test('says of each address why it failed, where none answers', async () => {
    const page = await fake((_path, response) => void response.end('<html>'));
    const down = `http://127.0.0.1:${await freePort()}`;
    const client = new NacosClient({ addresses: [page.address, down] });
    await expect(client.get('/x', {}, never)).rejects.toThrow(new RegExp(`web page.*; ${down}/nacos: .*ECONNREFUSED`));
  });

  test('has no patience without end', async () => {
    const silent = await fake(() => undefined);
    const client = new NacosClient({ addresses: [silent.address], timeout: 50 });
    await expect(client.get('/x', {}, never)).rejects.toThrow('timeout');
  });

  test('takes an error of Nacos for its answer, and asks no other address', async () => {
    const first = await fake(
      (_path, response) => void response.writeHead(404).end('{"code":50000,"message":"not found","data":null}'),
    );
    const client = new NacosClient({ addresses: [first.address, 'http://127.0.0.1:1'] });
    await expect(client.get('/x', {}, never)).rejects.toMatchObject({ code: 50000 });
  });

  test('logs in before it asks, once for many, and renews at 80 % of the life', async () => {
    const server = await fake(
      (path, response, count) => void response.end(path === login ? loginAnswer(`t${count}`, 0.05) : ok(1)),
    );
    const client = new NacosClient({ addresses: [server.address], credentials });
    await Promise.all([client.get('/x', {}, never), client.get('/x', {}, never)]);
    expect(server.requests.filter((line) => line.includes(login))).toHaveLength(1);
    expect(server.requests.filter((line) => line.endsWith('Bearer t1'))).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 60));
    await client.get('/x', {}, never);
    expect(server.requests.filter((line) => line.includes(login))).toHaveLength(2);
  });

  test('logs in anew where a token is refused before its time, once for each request', async () => {
    const good = new Set(['t1', 't2']);
    let logins = 0;
    const server = await fake((path, response) => {
      const token = server.requests.at(-1)?.split('Bearer ')[1] ?? '';
      if (path === login) response.end(loginAnswer(`t${++logins}`));
      else if (good.has(token)) response.end(ok(token));
      else response.writeHead(403).end(JSON.stringify({ error: 'Forbidden', message: 'token expired!.', path }));
    });
    const client = new NacosClient({ addresses: [server.address], credentials });
    let now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
    onTestFinished(() => {
      clock.mockRestore();
    });
    expect(await client.get('/x', {}, never)).toBe('t1');
    good.delete('t1');
    now += 60_000;
    expect(await client.get('/x', {}, never)).toBe('t2');
    good.clear();
    now += 60_000;
    await expect(client.get('/x', {}, never)).rejects.toThrow('Forbidden: token expired!.');
    const get = (token: string): string => `GET /nacos/x Bearer ${token}`;
    const post = `POST ${login}`;
    expect(server.requests).toEqual([post, get('t1'), get('t1'), post, get('t2'), get('t2'), post, get('t3')]);
  });

  test('does not ask again and again for a login that is refused, and never says the password', async () => {
    const server = await fake((_path, response) => void response.writeHead(500).end('No message available'));
    const client = new NacosClient({ addresses: [server.address], credentials });
    const failures = await Promise.all(
      Array.from({ length: 5 }, () => client.get('/x', {}, never).catch((error: unknown) => String(error))),
    );
    expect(server.requests).toEqual([`POST ${login}`]);
    expect(failures.join()).toContain('the password may be wrong');
    expect(failures.join()).not.toContain('secret');
  });

  test('asks for a login where there is none', async () => {
    const server = await fake(
      (path, response) => void response.writeHead(403).end(JSON.stringify({ error: 'Forbidden', message: 'x', path })),
    );
    const client = new NacosClient({ addresses: [server.address] });
    await expect(client.get('/x', {}, never)).rejects.toThrow('Nacos wants a login');
  });
});

describe('a listing', () => {
  const page = (totalCount: number, ...names: string[]): string => {
    const pageItems = names.map((dataId) => ({ groupName: 'mcp-tools', dataId, md5: '0' }));
    return ok({ totalCount, pageNumber: 1, pagesAvailable: 1, pageItems });
  };
  /** Serves the documents that `listed` gives for a page, which begins with 1. */
  async function paged(listed: (pageNo: number) => readonly string[]): Promise<NacosClient> {
    const server = await fake((_path, response, _count, query) => {
      const pageNo = Number(query.get('pageNo'));
      const all = listed(pageNo);
      response.end(page(all.length, ...all.slice((pageNo - 1) * 500, pageNo * 500)));
    });
    return new NacosClient({ addresses: [server.address] });
  }
  const many = Array.from({ length: 1_200 }, (_, index) => `d${index}`);

  test.each([
    ['half a page', page(3, 'a', 'b'), 'is not complete: 2 of 3'],
    ['the same row twice', page(2, 'a', 'a'), 'is not complete: 1 of 2'],
    ['more rows than it says', page(1, 'a', 'b'), 'is not complete: 2 of 1'],
    ['no rows', ok({ totalCount: 2, pageItems: null }), 'is not complete: 0 of 2'],
    ['another form', ok([]), 'has a form that is not known'],
  ])('with %s is none', async (_, answer, message) => {
    const server = await fake((_path, response) => void response.end(answer));
    const client = new NacosClient({ addresses: [server.address] });
    await expect(readListing(client, 'public', undefined, never)).rejects.toThrow(message);
  });

  test('of several pages is read to its end', async () => {
    const client = await paged(() => many);
    expect((await readListing(client, 'public', undefined, never))['mcp-tools'].size).toBe(1_200);
  });

  test('of several pages has a document that goes from one to another while they are read', async () => {
    let moved = 0;
    const client = await paged((pageNo) => {
      // One goes from the first page, and another one comes at the end: the total stays.
      if (pageNo === 2) moved = 1;
      return moved === 0 ? many : [...many.slice(1), 'new'];
    });
    const before = await readListing(await paged(() => many), 'public', undefined, never);
    expect(before['mcp-tools'].has('d500')).toBe(true);
    const withoutLast = await readListing(client, 'public', undefined, never);
    expect(withoutLast['mcp-tools'].has('d500')).toBe(false);
    moved = 0;
    const listing = await readListing(client, 'public', before, never);
    expect([...listing['mcp-tools'].keys()].sort()).toEqual([...many, 'new'].sort());
    // What is gone is gone, once nothing moves.
    const later = await readListing(client, 'public', listing, never);
    expect([...later['mcp-tools'].keys()].sort()).toEqual([...many.slice(1), 'new'].sort());
  });

  test('leaves out what is in other groups, whose names begin as ours do', async () => {
    const rows = ['mcp-server', 'mcp-other', 'mcp-prompts'].map((groupName) => ({ groupName, dataId: 'a', md5: '0' }));
    const server = await fake((_path, response) => void response.end(ok({ totalCount: 3, pageItems: rows })));
    const client = new NacosClient({ addresses: [server.address] });
    const listing = await readListing(client, 'public', undefined, never);
    expect(Object.entries(listing).map(([group, { size }]) => [group, size])).toEqual([
      ['mcp-server-versions', 0],
      ['mcp-server', 1],
      ['mcp-tools', 0],
      ['mcp-prompts', 1],
    ]);
  });
});

const instance = { ip: '192.0.2.1', port: 80, weight: 1, healthy: true, enabled: true };

/**
 * A Nacos with these documents, by group and dataId, and one instance of each service; it lets nobody list services.
 * @param refuse answers a request for a document, where it wants to
 */
function serving(
  documents: Readonly<Record<string, Readonly<Record<string, object>>>>,
  refuse: (dataId: string | null, response: ServerResponse) => boolean = () => false,
): Promise<Fake> {
  const texts = Object.entries(documents).flatMap(([groupName, group]) =>
    Object.entries(group).map(([dataId, document]) => ({ groupName, dataId, content: JSON.stringify(document) })),
  );
  const pageItems = texts.map(({ groupName, dataId, content }) => ({
    ...{ groupName, dataId },
    md5: createHash('md5').update(content).digest('hex'),
  }));
  const answers: Record<string, (query: URLSearchParams) => string> = {
    '/nacos/v3/admin/cs/config/list': () => ok({ totalCount: pageItems.length, pageItems }),
    '/nacos/v3/client/cs/config': (query) =>
      ok({ content: texts.find(({ dataId }) => dataId === query.get('dataId'))?.content, md5: '' }),
    '/nacos/v3/client/ns/instance/list': () => ok([instance]),
  };
  return fake((path, response, _count, query) => {
    const answer = answers[path];
    if (path === '/nacos/v3/client/cs/config' && refuse(query.get('dataId'), response)) return;
    if (answer === undefined) response.writeHead(403).end(JSON.stringify({ error: 'Forbidden', message: 'no', path }));
    else response.end(answer(query));
  });
}

const indexOf = (name: string): object => ({ id: name, name, latestPublishedVersion: '1' });
const remote = { remoteServerConfig: { serviceRef: { serviceName: 'x' } } };
const toolsOf = (text: string): object => ({
  tools: [{ name: 'get', description: text, inputSchema: { type: 'object' } }],
  toolsMeta: { get: { templates: { 'json-go-template': { requestTemplate: { url: '/x' } } } } },
});
const specOf = (name: string): object => ({
  ...{ name, protocol: 'http', toolsDescriptionRef: `${name}-1-mcp-tools.json` },
  ...remote,
});

/** Two servers, each with an index, a description and tools. @param description of the tool of the first one */
const bigAndSmall = (description: string): Record<string, Record<string, object>> => ({
  'mcp-server-versions': { 'big-mcp-versions.json': indexOf('big'), 'small-mcp-versions.json': indexOf('small') },
  'mcp-server': { 'big-1-mcp-server.json': specOf('big'), 'small-1-mcp-server.json': specOf('small') },
  'mcp-tools': { 'big-1-mcp-tools.json': toolsOf(description), 'small-1-mcp-tools.json': toolsOf('new') },
});

test.each([
  ['3 MiB', 'x'.repeat(3 << 20)],
  ['10 MB whose characters take two', '"'.repeat(10_000_000)],
])('a document of %s keeps one server as it was, and no other', async (_, description) => {
  const server = await serving(bigAndSmall(description));
  const namespace = new NacosNamespace('here', 'public', new NacosClient({ addresses: [server.address] }));
  const before = { name: 'big', prefix: 'big_', url: 'http://before.example/' };
  for (let look = 0; look < 2; look++) {
    const { catalog, problems } = await namespace.look({ servers: [before], virtualServers: [] }, never);
    expect(catalog.servers.find(({ name }) => name === 'big')).toEqual(before);
    expect(catalog.servers.find(({ name }) => name === 'small')).toMatchObject({
      rest: { tools: [{ description: 'new' }] },
    });
    expect(problems).toEqual([
      { path: 'servers[big]', message: 'big-1-mcp-tools.json is larger than 2097152 bytes', severity: 'warning' },
    ]);
  }
  // It is not read at each look.
  expect(server.requests.filter((line) => line.includes('/cs/config') && !line.includes('list'))).toHaveLength(6);
});

const springs403 = JSON.stringify({ status: 403, error: 'Forbidden', message: 'no permission', path: '/x' });

describe.each([
  ['big-mcp-versions.json', 'big-mcp-versions.json'],
  ['big-1-mcp-server.json', 'big'],
  ['big-1-mcp-tools.json', 'big'],
  ['big-mcp-prompts.json', 'big'],
])('where %s is refused', (dataId, called) => {
  test.each([
    [500, '{"code":30000,"message":"server error","data":null}', 'server error (code 30000)'],
    [403, springs403, 'Forbidden: no permission'],
    [500, 'caused: broken', 'caused: broken'],
  ])('with %s, its server stays as it was, and the others go on', async (status, body, cause) => {
    let isRefused = true;
    const prompts = [{ name: 'plain', messages: [{ role: 'user', text: 'Plainly' }] }];
    const documents = { ...bigAndSmall('new'), 'mcp-prompts': { 'big-mcp-prompts.json': { prompts } } };
    const server = await serving(documents, (asked, response) => {
      if (!isRefused || asked !== dataId) return false;
      response.writeHead(status).end(body);
      return true;
    });
    let now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
    onTestFinished(() => {
      clock.mockRestore();
    });
    const namespace = new NacosNamespace('here', 'public', new NacosClient({ addresses: [server.address] }));
    const tool = { name: 'before', requestTemplate: { url: '/before' } };
    const before = { name: 'big', prefix: 'big_', rest: { tools: [tool] } };
    const given = { servers: [before], virtualServers: [] };
    const reads = (): number => server.requests.filter((line) => line.includes('/client/cs/config')).length;
    for (let look = 0; look < 3; look++) {
      const { catalog, problems } = await namespace.look(given, never);
      expect(catalog.servers.map(({ name }) => name).sort()).toEqual(['big', 'small']);
      const big = catalog.servers.find(({ name }) => name === 'big');
      if (dataId === 'big-mcp-prompts.json') expect(big).not.toMatchObject({ rest: { prompts: [{ name: 'plain' }] } });
      else expect(big).toEqual(before);
      const message = expect.stringContaining(`${dataId} cannot be read: ${cause}`) as string;
      expect(problems).toContainEqual({ path: `servers[${called}]`, message, severity: 'warning' });
    }
    // It is not asked for at each look.
    const asked = reads();
    await namespace.look(given, never);
    expect(reads()).toBe(asked);
    isRefused = false;
    now += 60_000;
    const { catalog, problems } = await namespace.look(given, never);
    expect(problems).toEqual([]);
    expect(catalog.servers.find(({ name }) => name === 'big')).toMatchObject({
      rest: { tools: [{ description: 'new' }], prompts: [{ name: 'plain' }] },
    });
  });
});

test('where no index is given out, the look fails, and nothing is taken away', async () => {
  const server = await serving(bigAndSmall('new'), (_dataId, response) => {
    response.writeHead(403).end(springs403);
    return true;
  });
  const namespace = new NacosNamespace('here', 'public', new NacosClient({ addresses: [server.address] }));
  await expect(namespace.look(undefined, never)).rejects.toThrow(
    'big-mcp-versions.json cannot be read: Forbidden: no permission',
  );
});

test('an index that is too large is told of, and takes nothing away', async () => {
  const documents = bigAndSmall('new');
  const large = { ...indexOf('big'), description: 'x'.repeat(3 << 20) };
  documents['mcp-server-versions'] = { ...documents['mcp-server-versions'], 'big-mcp-versions.json': large };
  const server = await serving(documents);
  const namespace = new NacosNamespace('here', 'public', new NacosClient({ addresses: [server.address] }));
  const before = { name: 'big', prefix: 'big_', url: 'http://before.example/' };
  const { catalog, problems } = await namespace.look({ servers: [before], virtualServers: [] }, never);
  expect(catalog.servers.map(({ name }) => name).sort()).toEqual(['big', 'small']);
  expect(problems).toEqual([
    {
      path: 'servers[big-mcp-versions.json]',
      message: 'big-mcp-versions.json is larger than 2097152 bytes',
      severity: 'warning',
    },
  ]);
});

test('a document that Nacos lists before it gives it out is read as soon as it does, long before the next look', async () => {
  const index = (description: string): string =>
    JSON.stringify({ ...{ id: '1', name: 'shop', latestPublishedVersion: '1' }, description });
  const listed = index('new');
  let reads = 0;
  const answers: Record<string, (query: URLSearchParams) => string> = {
    '/nacos/v3/admin/cs/config/list': () => {
      const row = { groupName: 'mcp-server-versions', dataId: '1-mcp-versions.json' };
      return ok({ totalCount: 1, pageItems: [{ ...row, md5: createHash('md5').update(listed).digest('hex') }] });
    },
    // Its cache follows what it lists.
    '/nacos/v3/client/cs/config': () => ok({ content: ++reads < 3 ? index('old') : listed, md5: '' }),
  };
  const server = await fake((path, response, _count, query) => {
    response.end(answers[path]?.(query) ?? JSON.stringify({ error: 'Forbidden', message: 'no', path }));
  });
  const state = mkdtempSync(join(tmpdir(), 'sluice-catalogs-'));
  const nothing = (): void => undefined;
  const log = { info: nothing, warn: nothing, error: nothing };
  const catalogs = new Catalogs({ state, store: new ArtifactStore([]), log });
  await catalogs.open();
  const namespaces = new Map([['here', 'public']]);
  const sync = new NacosSync({ addresses: [server.address], namespaces, catalogs, log, interval: 600_000 });
  await sync.start();
  onTestFinished(async () => {
    await sync.stop();
    rmSync(state, { recursive: true, force: true });
  });
  expect(reads).toBe(1);
  await until('it is read', () => reads === 3);
});

test('an export has variables in the place of secrets, and says which', async () => {
  const template = {
    requestTemplate: { url: '/x', headers: [{ key: 'x-api-key', value: 'hush' }], security: { id: 'k' } },
  };
  const server = await serving({
    'mcp-server-versions': { '1-mcp-versions.json': { id: '1', name: 'shop', latestPublishedVersion: '1.0.0' } },
    'mcp-server': {
      '1-1.0.0-mcp-server.json': {
        ...{ id: '1', name: 'shop', protocol: 'http', toolsDescriptionRef: '1-1.0.0-mcp-tools.json' },
        remoteServerConfig: { serviceRef: { serviceName: 'shop' } },
      },
    },
    'mcp-tools': {
      '1-1.0.0-mcp-tools.json': {
        tools: [{ name: 'get', inputSchema: { type: 'object' } }],
        toolsMeta: { get: { templates: { 'json-go-template': template } } },
        securitySchemes: [{ id: 'k', type: 'http', scheme: 'bearer', defaultCredential: 'hush' }],
      },
    },
  });
  const { catalog, leftOut } = await fromNacos(
    { addresses: [server.address], namespace: { name: 'public', id: 'public' }, credentialsFile: undefined },
    {},
  );
  expect(catalog.servers).toMatchObject([
    {
      name: 'shop',
      rest: {
        config: { shop_get_x_api_key: { env: 'SHOP_GET_X_API_KEY' } },
        securitySchemes: [{ id: 'k', defaultCredential: { env: 'SHOP_K' } }],
        tools: [{ requestTemplate: { headers: [{ key: 'x-api-key', value: '{{.config.shop_get_x_api_key}}' }] } }],
      },
    },
  ]);
  expect(JSON.stringify({ catalog, leftOut })).not.toContain('hush');
  const advice = (name: string): string => `set ${name} where Envoy runs, and name it in catalog.env of the gateway`;
  expect(leftOut).toEqual([
    {
      place: 'servers[shop].rest.securitySchemes[0].defaultCredential',
      why: `is a secret, which stays out: ${advice('SHOP_K')}`,
    },
    {
      place: 'servers[shop].rest.tools[0].requestTemplate.headers[0].value',
      why: `is a secret, which stays out: ${advice('SHOP_GET_X_API_KEY')}`,
    },
  ]);
});

describe("services of Nacos' own group", () => {
  const read = async (answer: string): Promise<ReadonlyMap<string, unknown>> => {
    const server = await fake((_path, response) => void response.end(answer));
    return readOwnServices(new NacosClient({ addresses: [server.address] }), 'public', never);
  };

  test('have the instances that Nacos gives to who asks for one of them', async () => {
    const service = (serviceName: string, groupName: string, clusterMap: object | null): object => ({
      ...{ serviceName, groupName, clusterMap },
    });
    const off = { ...instance, ip: '192.0.2.9', enabled: false };
    const pageItems = [
      service('a::1.0.0', 'mcp-endpoints', { DEFAULT: { hosts: [instance, off] }, OTHER: { hosts: [off] } }),
      service('b::1.0.0', 'mcp-endpoints', {}),
      service('c::1.0.0', 'mcp-endpoints', null),
      service('a::1.0.0', 'other-mcp-endpoints', { DEFAULT: { hosts: [off] } }),
    ];
    expect([...(await read(ok({ totalCount: 4, pageItems })))]).toEqual([
      ['a::1.0.0', { endpoints: [{ address: '192.0.2.1', port: 80 }] }],
      ['b::1.0.0', { endpoints: [] }],
      ['c::1.0.0', { endpoints: [] }],
    ]);
  });

  test('are asked for one by one where they cannot be listed', async () => {
    const server = await serving({
      'mcp-server-versions': {
        '1-mcp-versions.json': { id: '1', name: 'explore', latestPublishedVersion: '1.0.0' },
      },
      'mcp-server': {
        '1-1.0.0-mcp-server.json': {
          ...{ id: '1', name: 'explore', protocol: 'mcp-streamable' },
          remoteServerConfig: {
            serviceRef: { namespaceId: 'public', groupName: 'mcp-endpoints', serviceName: 'explore::1.0.0' },
            exportPath: '/mcp',
          },
        },
      },
    });
    const namespace = new NacosNamespace('here', 'public', new NacosClient({ addresses: [server.address] }));
    for (let look = 0; look < 2; look++) {
      const { catalog, problems } = await namespace.look(undefined, never);
      expect(problems).toEqual([]);
      expect(catalog.servers).toMatchObject([{ name: 'explore', endpoints: [{ address: '192.0.2.1', port: 80 }] }]);
    }
    // What was refused is not asked for at each look.
    expect(server.requests.filter((line) => line.includes('/ns/service/list'))).toHaveLength(1);
    expect(server.requests.filter((line) => line.includes('/ns/instance/list'))).toHaveLength(2);
  });

  test.each([
    ['another form', ok([])],
    [
      'an instance without a port',
      ok({
        pageItems: [
          { serviceName: 'a', groupName: 'mcp-endpoints', clusterMap: { DEFAULT: { hosts: [{ ip: '192.0.2.1' }] } } },
        ],
      }),
    ],
  ])('in %s are none', async (_, answer) => {
    await expect(read(answer)).rejects.toThrow('has a form that is not known');
  });
});

describe('documents', () => {
  test.each([
    [
      'a version',
      '{"id":"1","name":"Explore","latestPublishedVersion":"1.0.12"}',
      { id: '1', name: 'Explore', version: '1.0.12' },
    ],
    [
      'is_latest that differs',
      '{"id":"1","name":"x","enabled":true,"latestPublishedVersion":"1.0.12","versionDetails":[{"version":"1.0.11","is_latest":true},{"version":"1.0.12"}]}',
      { id: '1', name: 'x', version: '1.0.12' },
    ],
    [
      'a server that is switched off',
      '{"id":"1","name":"x","enabled":false,"latestPublishedVersion":"1"}',
      { id: '1', name: 'x', version: undefined },
    ],
    [
      'one that was deleted',
      '{"id":"1","name":"x","status":"deleted","latestPublishedVersion":"1"}',
      { id: '1', name: 'x', version: undefined },
    ],
    [
      'a draft alone',
      '{"id":"1","name":"x","latestPublishedVersion":null}',
      { id: '1', name: 'x', version: undefined },
    ],
  ])('an index with %s is read', (_, text, entry) => {
    expect(readIndex(text)).toEqual(entry);
  });

  const spec = (more: object = {}): string =>
    JSON.stringify({
      id: '1',
      name: 'explore',
      protocol: 'https',
      frontProtocol: 'mcp-sse',
      remoteServerConfig: {
        serviceRef: { namespaceId: 'public', groupName: 'DEFAULT_GROUP', serviceName: 'explore' },
        exportPath: '',
      },
      ...more,
    });
  const input = {
    type: 'object',
    properties: {
      a: { type: 'string', description: 'first' },
      b: { type: 'object', properties: { c: { type: 'integer' } }, required: ['c'], minProperties: 1 },
    },
    required: ['a'],
  };
  const tools = (template: unknown, more: object = {}): string =>
    JSON.stringify({
      tools: [{ name: 't', description: 'x', inputSchema: input, _meta: {} }],
      toolsMeta: { t: { templates: { 'json-go-template': template } } },
      ...more,
    });

  test('a REST server has TLS, its tools and a credential of the environment', () => {
    const text = tools(
      { requestTemplate: { url: '/v0' }, argsPosition: { a: 'query' }, responseTemplate: null },
      {
        securitySchemes: [{ id: 'k', type: 'apiKey', in: 'header', name: 'x', defaultCredential: '${env.KEY}' }],
      },
    );
    expect(describeServer('explore', spec(), text).server).toEqual({
      name: 'explore',
      prefix: 'explore_',
      service: 'public/DEFAULT_GROUP/explore',
      path: '/',
      tls: true,
      rest: {
        tools: [
          {
            name: 't',
            description: 'x',
            args: [
              { name: 'a', type: 'string', description: 'first', required: true, position: 'query' },
              {
                name: 'b',
                type: 'object',
                properties: { c: { type: 'integer' } },
                allOf: [{ required: ['c'], minProperties: 1 }],
              },
            ],
            requestTemplate: { url: '/v0' },
          },
        ],
        securitySchemes: [{ id: 'k', type: 'apiKey', in: 'header', name: 'x', defaultCredential: { env: 'KEY' } }],
      },
    });
  });

  test('a REST tool keeps its title, its annotations and the schema of its result', () => {
    const more = {
      title: 'A title',
      annotations: { readOnlyHint: true },
      outputSchema: { type: 'object', properties: { sky: { type: 'string' } } },
    };
    const text = JSON.stringify({
      tools: [{ name: 't', description: null, inputSchema: { type: 'object' }, ...more }],
      toolsMeta: { t: { templates: { 'json-go-template': { requestTemplate: { url: '/v0' } } } } },
    });
    expect(describeServer('explore', spec(), text).server['rest']).toEqual({
      tools: [{ name: 't', ...more, args: [], requestTemplate: { url: '/v0' } }],
    });
  });

  test.each([
    [
      'a secret of Nacos',
      spec(),
      tools({ requestTemplate: { url: '/?k={{ ${nacos.test/test}.key }}' } }),
      'the tool "t" refers to "${nacos.test/test}"',
    ],
    [
      'a secret in a scheme',
      spec(),
      tools({ requestTemplate: {} }, { securitySchemes: [{ id: 'k', defaultCredential: 'hush' }] }),
      'securitySchemes[0].defaultCredential: a catalog holds no secret',
    ],
    [
      'a secret in a header',
      spec(),
      tools({ requestTemplate: { headers: [{ key: 'authorization', value: 'Bearer hush' }] } }),
      'tools[0].requestTemplate.headers[0].value: a catalog holds no secret',
    ],
    ['no service', spec({ remoteServerConfig: null }), undefined, 'it names no service'],
    ['a local server', spec({ protocol: 'stdio' }), undefined, 'its protocol is "stdio"'],
    [
      'a path with a query',
      spec({
        protocol: 'mcp-streamable',
        remoteServerConfig: { serviceRef: { serviceName: 'x' }, exportPath: '/a?b' },
      }),
      undefined,
      'exportPath is no path',
    ],
    [
      'a list for a template',
      spec(),
      tools({ requestTemplate: [] }),
      'the tool "t": requestTemplate of its json-go-template',
    ],
  ])('a server with %s is not described', (_, server, toolsText, message) => {
    expect(() => describeServer('x', server, toolsText)).toThrow(message);
  });

  test.each([
    ['Weather', 'weather'],
    ['get_it now', 'get-it-now'],
    ['天气 API', 'api'],
    ['天气', ''],
    ['-a-', 'a'],
    ['x'.repeat(100), 'x'.repeat(63)],
  ])('a server called %s is called %s', (name, here) => {
    expect(serverName(name)).toBe(here);
  });
});

describe('instances', () => {
  const instance = (ip: string, more: object = {}) => ({
    ip,
    port: 80,
    weight: 1,
    healthy: true,
    enabled: true,
    ...more,
  });

  test.each([
    [
      'in order, whatever order they come in',
      [instance('b'), instance('a')],
      [
        { address: 'a', port: 80 },
        { address: 'b', port: 80 },
      ],
    ],
    ['the healthy ones', [instance('a', { healthy: false }), instance('b')], [{ address: 'b', port: 80 }]],
    ['all, where none is healthy', [instance('a', { healthy: false })], [{ address: 'a', port: 80 }]],
    ['none that is switched off', [instance('a', { enabled: false }), instance('b', { weight: 0 })], []],
    [
      'with whole numbers for weights',
      [instance('a', { weight: 0.1 }), instance('b', { weight: 1 })],
      [
        { address: 'a', port: 80, weight: 1 },
        { address: 'b', port: 80, weight: 10 },
      ],
    ],
    [
      'without a weight that is everyone’s',
      [instance('a', { weight: 5 }), instance('b', { weight: 5 })],
      [
        { address: 'a', port: 80 },
        { address: 'b', port: 80 },
      ],
    ],
  ])('are taken %s', (_, instances, endpoints) => {
    expect(instancesOf(instances)).toEqual({ endpoints });
  });

  test.each([
    ['of the first one that names one', [{ 'preserved.register.source': 'SPRING' }, { stickyCookie: 'LB' }, {}], 'LB'],
    [
      'of none that takes no request',
      [{ stickyCookie: 'LB' }].map((metadata) => ({ metadata, enabled: false })),
      undefined,
    ],
    ['of none where it is no text', [{ stickyCookie: 7 }], undefined],
  ])('name the cookie of their balancer in the metadata %s', (_, metadata, cookie) => {
    const instances = metadata.map((each, index) =>
      instance(`i${index}`, 'metadata' in each ? each : { metadata: each }),
    );
    expect(instancesOf(instances).stickyCookie).toBe(cookie);
  });
});

test('a file of credentials has one line', () => {
  expect(parseCredentials('# of sluice\nnacos  a b\n', 'f')).toEqual({ username: 'nacos', password: 'a b' });
  for (const text of ['', 'nacos', 'a b\nc d'])
    expect(() => parseCredentials(text, 'f')).toThrow('it has to be one line');
});
