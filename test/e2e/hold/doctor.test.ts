// `sluice doctor` at gateways with something wrong, and behind proxies with faults.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOfTar } from '../../../common/archive.ts';
import { connectionManager, withoutCluster } from '../adjust.ts';
import { callMessage, listMessage, openSession } from '../clients/session.ts';
import { type Faults, examine, startProxy } from '../doctor.ts';
import { describeGateway, hostMode } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { jwt, publicKeys } from '../token-filter.ts';
import { type Scripted, result, startScripted } from '../upstreams/scripted.ts';

const statusToken = 'a-token-of-the-operator';
const issuer = 'https://id.example.com';
const planted = 'planted-secret-0123456789';

const folder = mkdtempSync(join(tmpdir(), 'sluice-doctor-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describeGateway('sluice doctor at a gateway', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['get'] });
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'up', url: upstream.url, credentials: { type: 'header', header: 'x-key', env: 'UP_KEY' } }],
    plugin: {
      status: { env: 'STATUS_TOKEN' },
      sessions: { keys: [{ id: 1, env: 'SESSION_KEY' }] },
      origins: ['https://page.example'],
      root: 'team/all',
      limits: { requestBody: '4Mi' },
      virtualServers: [
        { name: 'team/all', tools: ['*'] },
        { name: 'team/none', tools: ['nothing_*'] },
        { name: 'team/bare', tools: ['*'], overrides: [{ tool: 'up_*', name: '*' }] },
        { name: 'team/short', tools: ['*'], toolSearch: { enabled: true } },
      ],
    },
    env: { STATUS_TOKEN: statusToken, UP_KEY: planted, SESSION_KEY: Buffer.alloc(32, 7).toString('base64url') },
    adjust: (bootstrap) => {
      Object.assign(bootstrap, { node: { id: 'n', cluster: 'c', metadata: { api_token: planted } } });
    },
  }));
  const url = (): string => gateway.current.url;

  it('finds nothing at one that is as it should be', async () => {
    const seen = await examine([url(), '--tool', 'up_get', '--origin', 'https://page.example']);
    expect(seen.findings.filter(({ state }) => state === 'problem' || state === 'warning')).toEqual([]);
    expect(seen.code).toBe(0);
    expect(seen.of('empty-list')).toMatchObject({ state: 'ok', found: 'listed tools: 1' });
    expect(seen.of('replicas-differ')?.state).toBe('ok');
  });

  it.each([
    ['another path', '/other', [], 'wrong-path'],
    ['a virtual server that does not exist', '/mcp/team/nobody', [], 'virtual-server'],
    ['a virtual server without tools', '/mcp/team/none', [], 'empty-list'],
    ['a tool that does not exist', '/mcp', ['--tool', 'up_gte'], 'unknown-tool'],
    ['another page', '/mcp', ['--origin', 'https://other.example'], 'origin'],
    ['another host', '/mcp', ['--header', 'host: evil.example'], 'host'],
  ])('finds %s', async (_, path, args, symptom) => {
    const seen = await examine([gateway.current.origin + path, ...args]);
    expect(seen.problems).toContain(symptom);
    expect(seen.code).toBe(1);
    const { cause, nextStep, sent, found } = seen.of(symptom) ?? {};
    for (const text of [cause, nextStep, sent, found]) expect(text).toMatch(/\S/);
    if (symptom === 'unknown-tool') expect(found).toContain('did you mean "up_get"?');
  });

  it('takes the refusal of a server without a prefix for one', async () => {
    upstream.answers['tools/call'] = result('{"content":[{"type":"text","text":"not found"}],"isError":true}');
    const seen = await examine([`${url()}/team/bare`]);
    delete upstream.answers['tools/call'];
    expect(seen.problems).toEqual([]);
    expect(seen.of('unknown-tool')).toMatchObject({
      state: 'ok',
      found: expect.stringContaining('no prefix') as string,
    });
  });

  it('judges no tool by a list that is short on purpose', async () => {
    const seen = await examine([`${url()}/team/short`, '--tool', 'up_get']);
    expect(seen.of('unknown-tool')).toMatchObject({
      state: 'unjudged',
      found: expect.stringContaining('search_tools') as string,
    });
  });

  it('reads more from the admin address, and packs it without secrets', async () => {
    const file = join(folder, `${hostMode}.tar`);
    const seen = await examine([
      url(),
      '--admin',
      gateway.current.adminUrl,
      '--bundle',
      file,
      '--header',
      `x-a: ${planted}`,
    ]);
    expect(seen.of('admin')?.state).toBe('ok');
    expect(seen.of('no-endpoint')?.state).toBe('ok');
    expect(seen.of('secrets')).toMatchObject({ state: 'problem', found: 'node.metadata.api_token' });
    expect(seen.of('configuration')?.found).toContain('"nothing_*" can match no tool');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(file);
    expect(bytes.includes(planted)).toBe(false);
    const files = await filesOfTar(bytes, { bytes: 64 << 20, files: 100 });
    expect([...files.keys()].sort()).toEqual(
      [
        ...['envoy/clusters.txt', 'envoy/config_dump.json', 'envoy/server_info.json', 'envoy/stats.txt'],
        ...['findings.json', 'status.json', 'versions.json'],
      ].map((name) => `sluice-support/${name}`),
    );
    expect(files.get('sluice-support/envoy/config_dump.json')?.content.toString()).toContain('"requestBody"');
    // What is there already is not written over, and what cannot be written is told before anything is looked at.
    for (const [name, why] of [
      [file, 'already: name another file'],
      [join(folder, 'nowhere', 'a.tar'), 'there is no folder'],
    ] as const) {
      const refused = await examine([url(), '--bundle', name]);
      expect([refused.code, refused.findings]).toEqual([3, []]);
      expect(refused.text).toContain(why);
    }
  });

  it('judges no proxy by an event stream that has ended', async () => {
    const answers: Faults['answers'] = ({ method, headers }, response) => {
      if (method !== 'GET' || headers.accept !== 'text/event-stream') return false;
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': '15' }).end('id: 1\ndata: \n\n');
      return true;
    };
    const proxy = await startProxy(gateway.current.origin, { answers });
    try {
      const seen = await examine([`${proxy.url}/mcp`]);
      expect(seen.of('buffering')).toMatchObject({
        state: 'unjudged',
        found: expect.stringContaining('stays open') as string,
      });
    } finally {
      proxy.stop();
    }
  });

  describe('behind a proxy', () => {
    const large = (length: string | undefined): boolean => Number(length) > 1 << 20;
    it.each<[string, Faults, string[]]>([
      ['takes the session id out of answers', { ofResponses: ['mcp-session-id'] }, ['session-id-lost']],
      ['takes the session id out of requests', { ofRequests: ['mcp-session-id'] }, ['session-header-lost']],
      ['takes the revision out of requests', { ofRequests: ['mcp-protocol-version'] }, ['version-header']],
      ['redirects', { answers: replying(308, { location: 'https://a.example/' }, () => true) }, ['redirect']],
      [
        'has no room for large bodies',
        { answers: replying(413, {}, ({ headers }) => large(headers['content-length'])) },
        ['body-limit'],
      ],
      ['allows no DELETE', { answers: replying(405, {}, ({ method }) => method === 'DELETE') }, ['delete']],
      ['refuses types', { answers: replying(406, {}, ({ method }) => method === 'POST') }, ['media-type']],
      ['takes no POST', { answers: replying(405, {}, ({ method }) => method === 'POST') }, ['wrong-path']],
      [
        'keeps event streams',
        { answers: ({ method, headers }) => method === 'GET' && headers.accept === 'text/event-stream' },
        ['buffering'],
      ],
      [
        'stands before a module that is not there',
        { answers: replying(503, { server: 'envoy' }, () => true) },
        ['module-failed'],
      ],
      ['is no gateway', { answers: replying(200, {}, () => true, '{}') }, ['no-module']],
      [
        'speaks no revision with sessions',
        { answers: replying(400, { 'x-mcp-gateway': 'sluice/0' }, () => true, unspokenRevision) },
        ['revision'],
      ],
      ['ends connections', { answers: ({ socket }) => !socket.destroy().writable }, ['unreachable']],
    ])('finds that it %s', async (_, faults, problems) => {
      const proxy = await startProxy(gateway.current.origin, faults);
      try {
        const seen = await examine([`${proxy.url}/mcp`]);
        expect(seen.problems.filter((symptom) => symptom !== 'status-token')).toEqual(problems);
        expect(seen.code).toBe(1);
      } finally {
        proxy.stop();
      }
    });

    it('finds that several gateways have keys of their own', async () => {
      let count = 0;
      const proxy = await startProxy(gateway.current.origin, {
        // Every third request comes to one that does not know the session.
        answers: (request, response) =>
          ++count % 3 === 0 &&
          replying(404, { 'x-mcp-gateway': 'sluice/0' }, () => true, unknownSession)(request, response),
      });
      const seen = await examine([`${proxy.url}/mcp`]);
      proxy.stop();
      expect(seen.problems).toContain('session-forgotten');
    });

    it('finds that nothing speaks TLS, and that nothing is there', async () => {
      const tls = await examine([url().replace('http:', 'https:')]);
      expect(tls.problems).toEqual(['tls']);
      expect((await examine(['http://127.0.0.1:1/mcp'])).problems).toEqual(['unreachable']);
    });
  });

  it('finds a server that is down, and a limit that requests meet', async () => {
    const session = await openSession(url());
    await session.post(callMessage('"up_get"', JSON.stringify('x'.repeat(5 << 20))));
    await upstream.stop();
    await session.post(listMessage());
    const seen = await examine([url()], { SLUICE_STATUS_TOKEN: statusToken });
    await upstream.start();
    expect(seen.of('server-down')).toMatchObject({
      state: 'problem',
      found: expect.stringContaining('up (') as string,
    });
    expect(seen.of('limits-met')?.found).toContain('limits.requestBody: 1 times');
    expect(seen.text).not.toContain(statusToken);
  });
});

describeGateway('sluice doctor at a gateway whose servers fail', () => {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://server');
    if (pathname === '/slow') return; // it never answers
    const [status, text] = answersOf[pathname] ?? [404, ''];
    request.resume().once('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(text));
  });
  const at = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const names = ['absent', 'slow', 'refusing', 'failing', 'babbling', 'looping'];
  const gateway = useGateway(() => ({
    servers: names.map((name) => ({ name, url: at(`/${name}`) })),
    plugin: { status: { env: 'STATUS_TOKEN' }, limits: { handshakeTimeout: '300ms' } },
    env: { STATUS_TOKEN: statusToken },
    adjust: withoutCluster('absent'),
  }));

  it('finds each of them, and what it fails at', async () => {
    const seen = await examine([gateway.current.url], { SLUICE_STATUS_TOKEN: statusToken });
    expect(seen.code).toBe(1);
    for (const [symptom, name] of [
      ['server-cluster', 'absent'],
      ['server-slow', 'slow'],
      ['server-credentials', 'refusing'],
      ['server-error', 'failing'],
      ['server-protocol', 'babbling'],
      ['loop', 'looping'],
    ] as const) {
      const found = expect.stringMatching(new RegExp(`^${name} \\(`)) as string;
      expect(seen.of(symptom), symptom).toMatchObject({ state: 'problem', found });
      for (const text of [seen.of(symptom)?.cause, seen.of(symptom)?.nextStep]) expect(text).toMatch(/\S/);
    }
  });

  it("finds what Envoy's admin address tells: that it is not ready, and that a configuration was refused", async () => {
    const pages: Record<string, readonly [number, string]> = {
      '/ready': [503, 'INITIALIZING'],
      '/stats': [200, 'wasmcustom.sluice_config.result=refused.end: 2\nlistener_manager.lds.update_rejected: 0\n'],
    };
    const admin = await startProxy(gateway.current.adminUrl, {
      answers: ({ url = '' }, response) => {
        const page = pages[url];
        if (page !== undefined) response.writeHead(page[0]).end(page[1]);
        return page !== undefined;
      },
    });
    const seen = await examine([gateway.current.url, '--admin', admin.url]);
    admin.stop();
    expect(seen.of('not-ready')).toMatchObject({ state: 'problem', found: '503 INITIALIZING' });
    expect(seen.of('configuration-refused')).toMatchObject({
      state: 'problem',
      found: 'wasmcustom.sluice_config.result=refused.end: 2',
    });
  });
});

/** What servers answer that are no servers of MCP, by path. */
const answersOf: Readonly<Record<string, readonly [number, string]>> = {
  '/refusing': [401, '{}'],
  '/failing': [500, '{}'],
  '/babbling': [200, 'what?'],
  '/looping': [508, '{}'],
};

const unspokenRevision = JSON.stringify({
  jsonrpc: '2.0',
  id: null,
  error: { code: -32000, message: 'no such revision', data: { reason: 'unsupported_version' } },
});

const unknownSession = JSON.stringify({
  jsonrpc: '2.0',
  id: null,
  error: { code: -32001, message: 'no session', data: { reason: 'session_unknown' } },
});

/** Answers the requests that `fits` takes. */
function replying(
  status: number,
  headers: Record<string, string>,
  fits: (request: Parameters<NonNullable<Faults['answers']>>[0]) => boolean,
  body = '',
): NonNullable<Faults['answers']> {
  return (request, response) => {
    if (!fits(request)) return false;
    const isAnnounced = request.headers.expect !== undefined;
    request.resume();
    if (isAnnounced) response.writeHead(status, headers).end(body);
    else request.once('end', () => response.writeHead(status, headers).end(body));
    return true;
  };
}

describeGateway('sluice doctor at a gateway that asks for tokens', () => {
  const file = join(folder, 'jwks.json');
  writeFileSync(file, publicKeys());
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['get'] });
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'up', url: upstream.url }],
    plugin: { auth: { authorizationServers: [issuer], issuers: [{ issuer, jwks: { file } }] } },
  }));
  const good = jwt({ iss: issuer, sub: 'ada' });

  it('finds the way to a token, and that it is good', async () => {
    const seen = await examine([gateway.current.url], { SLUICE_TOKEN: good });
    expect(seen.problems).toEqual([]);
    for (const symptom of ['challenge', 'metadata', 'token', 'empty-list']) expect(seen.of(symptom)?.state).toBe('ok');
    expect(seen.of('status-off')?.state).toBe('warning');
    expect(seen.text).not.toContain(good);
  });

  it('judges no session without a token', async () => {
    const seen = await examine([gateway.current.url]);
    expect([seen.problems, seen.of('session-forgotten')?.state]).toEqual([[], 'unjudged']);
  });

  it('tells a bad token from one that does not come through', async () => {
    const bad = jwt({ iss: issuer, sub: 'ada', exp: 1_000_000_000 });
    expect((await examine([gateway.current.url], { SLUICE_TOKEN: bad })).problems).toEqual(['token']);
    const proxy = await startProxy(gateway.current.origin, { ofRequests: ['authorization'] });
    expect((await examine([`${proxy.url}/mcp`], { SLUICE_TOKEN: good })).problems).toContain('token-lost');
    proxy.stop();
  });

  it('finds a challenge, or metadata, that does not come through', async () => {
    const proxy = await startProxy(gateway.current.origin, {
      ofResponses: ['www-authenticate'],
      answers: replying(404, {}, ({ url = '' }) => url.startsWith('/.well-known/')),
    });
    const { problems } = await examine([`${proxy.url}/mcp`]);
    proxy.stop();
    expect(problems).toEqual(['challenge', 'metadata']);
  });
});

describeGateway('sluice doctor at an Envoy without the module', () => {
  const gateway = useGateway(() => ({
    servers: [{ name: 'up', url: 'http://127.0.0.1:1/mcp' }],
    adjust: (bootstrap) => {
      const filters: unknown[] = connectionManager(bootstrap).http_filters;
      filters.splice(0, filters.length - 1); // all but the router
    },
  }));

  it('finds the default-deny route, and which rule the configuration breaks', async () => {
    const seen = await examine([gateway.current.url, '--admin', gateway.current.adminUrl]);
    expect(seen.problems).toContain('default-deny');
    expect(seen.of('configuration')).toMatchObject({ title: expect.stringContaining('rule filter') as string });
  });
});
