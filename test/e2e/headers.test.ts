import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionManager, overHttp2, withoutEarlyMutation } from './adjust.ts';
import { refusal } from './clients/answers.ts';
import { bothProtocols, send } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Recorded, type Scripted, result, startScripted } from './upstreams/scripted.ts';

const clientCredentials = { authorization: 'Bearer of-the-client', cookie: 'c=1', 'proxy-authorization': 'Basic eA==' };

const modern = 'io.modelcontextprotocol/protocolVersion';

describeGateway('headers', () => {
  let none: Scripted;
  let fixed: Scripted;
  let passed: Scripted;
  beforeAll(async () => {
    none = await startScripted({ tools: ['echo'], sessionId: 'session-of-none' });
    fixed = await startScripted({
      tools: ['echo'],
      sessionId: 'session-of-fixed',
      initialized: { protocolVersion: '2025-03-26' },
    });
    passed = await startScripted({ tools: ['echo'] });
  });
  afterAll(async () => {
    await Promise.all([none.stop(), fixed.stop(), passed.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'none', url: `${none.url}?tenant=a` },
      { name: 'fixed', url: fixed.url, credentials: { type: 'header', header: 'authorization', env: 'FIXED_TOKEN' } },
      { name: 'passed', url: passed.url, credentials: { type: 'passthrough', headers: ['authorization', 'x-user'] } },
    ],
    plugin: { name: 'front', headers: { response: ['x-of-server', 'x-shop-*'] } },
    env: { FIXED_TOKEN: 'Bearer of-the-gateway' },
    adjust: withoutEarlyMutation,
  }));

  it('may announce trailers that never come', async () => {
    // Node's HTTP/1.1 client would not send this.
    const session = await openSession(gateway.current.url, { http: 'HTTP/2' });
    const answer = await session.post(callMessage('"none_echo"'), { headers: { trailer: 'x-end' } });
    expect(answer.status).toBe(200);
  });

  describe('in trailers', () => {
    let server: Scripted;
    beforeAll(async () => {
      server = await startScripted({ tools: ['echo'], http2: true });
    });
    afterAll(() => server.stop());
    const passing = useGateway(() => ({
      servers: [{ name: 'one', url: server.url, credentials: { type: 'passthrough', headers: ['x-user'] } }],
      adjust: (bootstrap) => {
        overHttp2('one')(bootstrap);
        Object.assign(connectionManager(bootstrap), { http_protocol_options: { enable_trailers: true } });
      },
    }));

    it.each(bothProtocols)('reach neither a server nor a client, over %s', async (http) => {
      server.answers = {
        'tools/call': (request, reply) => {
          reply.head(200, { 'content-type': 'application/json', trailer: 'server-timing' });
          reply.write(`{"jsonrpc":"2.0","id":${request.id},`);
          reply.end('"result":{}}', { 'server-timing': 'db;dur=1', 'set-cookie': 'a=1' });
        },
      };
      const session = await openSession(passing.current.url, { http });
      const answer = await session.post(callMessage('"one_echo"', '{}', '4'), {
        withoutLength: true,
        trailers: { 'x-user': 'ada', 'x-mcp-servername': 'two', authorization: 'Bearer of-the-client' },
      });
      expect(answer.text).toBe('{"jsonrpc":"2.0","id":4,"result":{}}');
      expect(answer.trailers).toEqual({});
      expect(answer.headers).not.toHaveProperty('trailer');
      const call = server.last('tools/call');
      expect(call.body.toString()).toBe(callMessage('"echo"', '{}', '4'));
      expect(call.trailers).toEqual({});
      expect(call.headers).not.toHaveProperty('trailer');
    });
  });

  describe.each(bothProtocols)('over %s', (http) => {
    /** Everything that a session has the gateway send, by server. */
    async function wholeSession(
      headers: Record<string, string>,
    ): Promise<Record<'none' | 'fixed' | 'passed', Recorded[]>> {
      for (const upstream of [none, fixed, passed]) upstream.forget();
      const initialized = await post(gateway.current.url, initializeMessage(), { http, headers });
      const session = {
        ...headers,
        'mcp-session-id': String(initialized.headers['mcp-session-id']),
        'mcp-protocol-version': '2025-11-25',
      };
      await post(gateway.current.url, listMessage(), { http, headers: session });
      for (const name of ['none', 'fixed', 'passed']) {
        await post(gateway.current.url, callMessage(`"${name}_echo"`), { http, headers: session });
      }
      await send(gateway.current.url, { http, method: 'DELETE', headers: session });
      return { none: [...none.requests], fixed: [...fixed.requests], passed: [...passed.requests] };
    }

    it("keep the client's credentials from every server that is not to have them", async () => {
      const sent = await wholeSession({ ...clientCredentials, 'x-user': 'ada' });
      expect(sent.none.map(({ rpcMethod, method }) => rpcMethod ?? method)).toEqual([
        ...['initialize', 'notifications/initialized', 'tools/list', 'tools/call', 'DELETE'],
      ]);
      for (const { headers } of sent.none) {
        for (const name of [...Object.keys(clientCredentials), 'x-user']) expect(headers).not.toHaveProperty(name);
      }
      for (const { headers } of sent.fixed) {
        expect(headers['authorization']).toBe('Bearer of-the-gateway');
        expect(headers).not.toHaveProperty('cookie');
        expect(headers, 'what another server is passed').not.toHaveProperty('x-user');
      }
      expect(sent.passed).toHaveLength(4); // it keeps no session that could be ended
      for (const { headers } of sent.passed) {
        expect(headers).toMatchObject({ authorization: 'Bearer of-the-client', 'x-user': 'ada' });
        expect(headers).not.toHaveProperty('cookie');
        expect(headers).not.toHaveProperty('proxy-authorization');
      }
    });

    it('send credentials on where the client has none, too', async () => {
      const sent = await wholeSession({});
      for (const { headers } of sent.fixed) expect(headers['authorization']).toBe('Bearer of-the-gateway');
      for (const { headers } of [...sent.none, ...sent.passed]) expect(headers).not.toHaveProperty('authorization');
    });

    it('carry to each server its own session and revision, and never those of the gateway', async () => {
      const sent = await wholeSession({});
      const behind = (requests: Recorded[]) =>
        requests.slice(1).map(({ headers }) => [headers['mcp-session-id'], headers['mcp-protocol-version']]);
      expect(behind(sent.none)).toEqual(Array(4).fill(['session-of-none', '2025-11-25']));
      expect(behind(sent.fixed)).toEqual(Array(4).fill(['session-of-fixed', '2025-03-26']));
      expect(behind(sent.passed)).toEqual(Array(3).fill([undefined, '2025-11-25']));
    });

    it('name the gateway to every server, and each server by its own path and authority', async () => {
      const sent = await wholeSession({ via: '1.1 corner-shop' });
      for (const { headers, path } of sent.none) {
        expect(headers['via']).toBe('1.1 corner-shop, 1.1 sluice-front');
        expect(path).toBe('/mcp?tenant=a');
        expect(headers['host']).toBe(new URL(none.url).host);
      }
    });

    it('keep their bytes beyond ASCII, whatever they encode, in both directions', async () => {
      const bytes = Buffer.from([0xe9, 0x20, 0xc3, 0xa9, 0x80, 0xff]).toString('latin1');
      none.answers = {
        'tools/call': (request, reply) => {
          reply.head(200, { 'content-type': 'application/json', 'x-of-server': bytes });
          reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{}}`);
        },
      };
      const session = await openSession(gateway.current.url, { http });
      const { status, headers } = await session.post(callMessage('"none_echo"'), { headers: { 'x-note': bytes } });
      expect(status).toBe(200);
      expect(none.last('tools/call').headers['x-note']).toBe(bytes);
      expect(headers['x-of-server']).toBe(bytes);
      none.answers = {};
    });

    it('of an upstream session do not reach the client', async () => {
      none.answers = {
        'tools/call': (request, reply) => {
          reply.head(200, {
            'content-type': 'application/json',
            'mcp-session-id': 'session-of-none',
          });
          reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{}}`);
        },
      };
      const session = await openSession(gateway.current.url, { http });
      const { headers } = await session.post(callMessage('"none_echo"'));
      expect(headers).not.toHaveProperty('mcp-session-id');
      none.answers = {};
    });

    it('of a response reach the client where they are about the message, or the configuration names them', async () => {
      const kept = {
        'cache-control': 'no-store',
        'content-language': 'uk',
        'retry-after': '7',
        vary: 'accept',
        'x-accel-buffering': 'no',
        'x-of-server': 'named',
        'x-shop-a': 'by its beginning',
      };
      const ended = {
        'set-cookie': 'a=1',
        'clear-site-data': '"*"',
        'strict-transport-security': 'max-age=1',
        'alt-svc': 'h3=":1"',
        'server-timing': 'db;dur=1',
        link: '<https://a.example>; rel=preload',
        nel: '{}',
        'report-to': '{}',
        refresh: '0; url=https://a.example',
        location: 'https://a.example',
        'content-security-policy': "default-src 'none'",
        'service-worker-allowed': '/',
        'access-control-allow-origin': '*',
        'x-powered-by': 'a shop',
        'x-shop': 'not quite',
      };
      none.answers = {
        'tools/call': (request, reply) => {
          reply.head(200, { 'content-type': 'application/json', ...kept, ...ended });
          reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{}}`);
        },
      };
      const session = await openSession(gateway.current.url, { http });
      const { headers } = await session.post(callMessage('"none_echo"'));
      none.answers = {};
      expect(headers).toMatchObject({ 'content-type': 'application/json', ...kept });
      for (const name of Object.keys(ended)) expect(headers).not.toHaveProperty(name);
    });

    it('are the same in a list and in a call, whatever the client says of itself', async () => {
      const ofClient = {
        accept: 'application/json, text/plain, */*',
        'content-type': 'application/json; charset=utf-8',
        'accept-encoding': 'gzip, br',
        origin: gateway.current.origin,
        referer: `${gateway.current.origin}/page`,
        'sec-fetch-mode': 'cors',
        'sec-ch-ua': '"x"',
        'if-none-match': '"a"',
        range: 'bytes=0-1',
        'last-event-id': '7',
        'x-http-method-override': 'DELETE',
        'x-original-url': '/admin',
        'x-forwarded-uri': '/admin',
        'x-envoy-original-dst-host': '127.0.0.1:1',
        'x-envoy-original-path': '/admin',
        'x-envoy-expected-rq-timeout-ms': '1',
        'mcp-method': 'resources/read',
        'mcp-name': 'other',
        'mcp-param-city': 'Kyjiw',
      };
      const sent = await wholeSession(ofClient);
      const ofProxies = ['content-length', 'transfer-encoding', 'connection', 'x-request-id', 'x-forwarded-proto'];
      const told = ['x-mcp-servername', 'x-mcp-method', 'x-mcp-toolname', 'x-envoy-expected-rq-timeout-ms'];
      const own = ['user-agent', 'x-forwarded-for', 'x-envoy-internal', 'x-envoy-external-address'];
      const seen = ({ headers: all }: Recorded): object =>
        Object.fromEntries(
          Object.entries(all).filter(([name]) => ![...ofProxies, ...told, ...own].includes(name.toLowerCase())),
        );
      for (const requests of Object.values(sent)) {
        const [list = [], call = []] = ['tools/list', 'tools/call'].map((of) =>
          requests.filter(({ rpcMethod }) => rpcMethod === of),
        );
        expect(call.map(seen)).toEqual(list.map(seen));
        expect(call).toHaveLength(1);
        expect(call[0]?.headers).toMatchObject({
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'accept-encoding': 'identity',
        });
        expect(call[0]?.headers['x-envoy-expected-rq-timeout-ms']).not.toBe('1');
      }
    });

    it('need not name a type where the body is JSON', async () => {
      const session = await openSession(gateway.current.url, { http });
      const headers = { 'mcp-session-id': session.id, 'mcp-protocol-version': '2025-11-25' };
      const answer = await send(gateway.current.url, {
        http,
        method: 'POST',
        headers,
        body: callMessage('"none_echo"'),
      });
      expect(answer.status).toBe(200);
      expect(none.last('tools/call').headers).toMatchObject({
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
      });
    });

    it.each(['1.1 sluice-front', '1.0 a, 1.1 sluice-front', '1.1 sluice-front (x), 1.1 b'])(
      'stop a request that went in a circle: Via %j',
      async (via) => {
        const answer = await post(gateway.current.url, initializeMessage(), { http, headers: { via } });
        expect(refusal(answer)).toEqual({ status: 508, id: 0, code: -32603, reason: 'loop' });
      },
    );

    it.each(['1.1 sluice', '1.1 sluice-fronts', '1.1 other'])(
      'let a request through that only looks like it: Via %j',
      async (via) => {
        expect((await post(gateway.current.url, initializeMessage(), { http, headers: { via } })).status).toBe(200);
      },
    );

    it('are what a route may trust: the client sets none of them', async () => {
      const forged = {
        'x-mcp-servername': 'fixed',
        'x-mcp-method': 'x',
        'x-mcp-toolname': 'x',
        'x-mcp-promptname': 'x',
        'x-mcp-resourceuri': 'x',
        'x-mcp-cluster': 'fixed',
        'x-envoy-original-dst-host': '127.0.0.1:1',
        'X-MCP-ServerName': 'fixed',
      };
      const session = await openSession(gateway.current.url, { http });
      fixed.forget();
      await session.post(callMessage('"none_echo"'), {
        headers: http === 'HTTP/1.1' ? forged : { ...lowerCase(forged), 'x-mcp-servername': ['fixed', 'passed'] },
      });
      const { headers } = none.last('tools/call');
      expect(headers).toMatchObject({
        'x-mcp-servername': 'none',
        'x-mcp-method': 'tools/call',
        'x-mcp-toolname': 'echo',
      });
      expect(headers).not.toHaveProperty('x-mcp-promptname');
      expect(headers).not.toHaveProperty('x-mcp-resourceuri');
      expect(headers).not.toHaveProperty('x-mcp-cluster');
      expect(headers).not.toHaveProperty('x-envoy-original-dst-host');
      expect(fixed.requests).toEqual([]);
    });

    it.each(['2024-01-01', 'DRAFT-2026-v1', '2025-11-25, 2025-06-18', 'x'])(
      'name a revision that nobody knows: %s',
      async (version) => {
        const session = await openSession(gateway.current.url, { http });
        const answer = await session.post(listMessage('7'), { headers: { 'mcp-protocol-version': version } });
        expect(refusal(answer)).toEqual({ status: 400, id: 7, code: -32000, reason: 'unsupported_version' });
      },
    );

    it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
      'may name any revision that the gateway speaks: %s',
      async (version) => {
        const session = await openSession(gateway.current.url, { http });
        const answer = await session.post(listMessage('7'), { headers: { 'mcp-protocol-version': version } });
        expect(answer.status).toBe(200);
      },
    );

    it.each([
      ['their headers', listMessage('"x"'), { 'mcp-protocol-version': '2026-07-28' }],
      [
        'their bodies',
        `{"jsonrpc":"2.0","id":"x","method":"tools/list","params":{"_meta":{"a":{"b":1},"${modern}":"2026-07-28"}}}`,
        {},
      ],
      [
        'a claim written with escapes',
        `{"jsonrpc":"2.0","id":"x","method":"tools/list","params":{"_meta":{"${modern.replace('m', '\\u006d')}":"2026-07-28"}}}`,
        {},
      ],
    ])('of the stateless revision have to say what they speak: one claims it in %s', async (_, body, headers) => {
      const answer = await post(gateway.current.url, body, { http, headers });
      expect(refusal(answer)).toEqual({ status: 400, id: 'x', code: -32602, reason: 'invalid_request' });
    });

    it('of clients of several revisions begin with a method that is there where a server speaks the newest', async () => {
      const meta = `{"${modern}":"2026-07-28","${modern.replace('protocolVersion', 'clientCapabilities')}":{}}`;
      const message = (params: string) => `{"jsonrpc":"2.0","id":"probe","method":"server/discover"${params}}`;
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' };
      const notFound = { id: 'probe', code: -32601, reason: 'method_not_found' };
      const claimed = await post(gateway.current.url, message(`,"params":{"_meta":${meta}}`), { http, headers });
      expect(refusal(claimed)).toEqual({ status: 404, ...notFound });
      expect(refusal(await post(gateway.current.url, message(''), { http }))).toEqual({ status: 200, ...notFound });
    });

    it.each(['team-a/reader', ''])('narrow to no virtual server that there is not: %j', async (name) => {
      const answer = await post(gateway.current.url, initializeMessage(), {
        http,
        headers: { 'x-mcp-virtualserver': name },
      });
      expect(refusal(answer)).toMatchObject({ status: 200, id: 0, reason: 'unknown_virtual_server' });
    });
  });

  it.each([
    [{ 'x-envoy-retry-on': '5xx', 'x-envoy-max-retries': '3' }],
    [{ 'x-envoy-upstream-rq-timeout-ms': '1', 'x-envoy-internal': 'true' }],
    [{ 'x-envoy-hedge-on-per-try-timeout': 'true', 'x-envoy-upstream-rq-per-try-timeout-ms': '1' }],
  ])('do not let a client tell Envoy how often and how long a tool runs: %o', async (headers) => {
    none.answers = {
      'tools/call': async (_, reply) => {
        await sleep(50);
        reply.head(500, { 'content-type': 'text/plain' });
        reply.end('failed');
      },
    };
    const session = await openSession(gateway.current.url);
    none.forget();
    const answer = await session.post(callMessage('"none_echo"'), { headers });
    none.answers = {};
    expect(refusal(answer)).toMatchObject({ status: 200, reason: 'upstream_status', server: 'none' });
    expect(none.of('tools/call')).toHaveLength(1);
  });

  it('repeated by a client are read as one, or the last of them counts', async () => {
    const via = ['1.1 sluice-front', '1.1 b'];
    expect(refusal(await post(gateway.current.url, initializeMessage(), { headers: { via } }))['reason']).toBe('loop');
    const session = await openSession(gateway.current.url);
    const ids = [session.id, 'forged'];
    const answer = await session.post(callMessage('"none_echo"'), { headers: { 'mcp-session-id': ids } });
    expect(refusal(answer)).toMatchObject({ status: 404, reason: 'session_unknown' });
    await session.post(callMessage('"none_echo"'), { headers: { 'mcp-session-id': ids.toReversed() } });
    expect(none.last('tools/call').headers['mcp-session-id']).toBe('session-of-none');
    await session.post(callMessage('"passed_echo"'), { headers: { 'mcp-session-id': ids.toReversed() } });
    expect(passed.last('tools/call').headers).not.toHaveProperty('mcp-session-id');
  });

  it('hold no secret that the configuration shows', async () => {
    const shown = await gateway.current.configuration();
    expect(shown).toContain('FIXED_TOKEN');
    expect(shown).not.toContain('of-the-gateway');
    expect(gateway.current.log()).not.toContain('of-the-gateway');
  });

  it('answer with what the servers say where they say it in JSON', async () => {
    none.answers = { 'tools/call': result('{"x":1}') };
    const session = await openSession(gateway.current.url);
    expect((await session.post(callMessage('"none_echo"', '{}', '4'))).text).toBe(
      '{"jsonrpc":"2.0","id":4,"result":{"x":1}}',
    );
    none.answers = {};
  });
});

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
