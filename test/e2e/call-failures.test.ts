import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withRoute, withoutCluster } from './adjust.ts';
import { message, refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, openSession, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type GatewayOptions, expectSound, startGateway, useGateway } from './gateway.ts';
import { type Answer, type Scripted, compressed, never, reset, startScripted, status } from './upstreams/scripted.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

const html = '<!doctype html><p>Internal Server Error';
const challenge = { 'www-authenticate': 'Bearer realm="upstream"', 'x-of-server': 'secret' };
const rpcError = '{"jsonrpc":"2.0", "id":"c","error":{"code":-32602,"message":"no such city","data":1.0}}';

const elsewhere = { location: 'http://10.0.0.7:3001/mcp/' };
const redirect = (code: number): Answer => status(code, undefined, '', elsewhere);

const failures: readonly (readonly [string, Answer, string, RegExp])[] = [
  ['500 in HTML', status(500, 'text/html', html), 'upstream_status', /HTTP 500/],
  ['503 in HTML', status(503, 'text/html', html), 'upstream_status', /HTTP 503/],
  ['504 in plain text', status(504, 'text/plain', 'upstream request timeout'), 'upstream_status', /HTTP 504/],
  ['400 without a body', status(400), 'upstream_status', /HTTP 400/],
  ['404 in HTML, where there is no session', status(404, 'text/html', html), 'upstream_status', /HTTP 404/],
  ['401 with a challenge', status(401, 'text/plain', 'who are you', challenge), 'upstream_unauthorized', /HTTP 401/],
  [
    '401 with a challenge, in JSON',
    status(401, 'application/json', rpcError, challenge),
    'upstream_unauthorized',
    /HTTP 401/,
  ],
  ['403', status(403, 'text/plain', 'no'), 'upstream_unauthorized', /HTTP 403/],
  [
    'the end of the connection',
    reset,
    'upstream_unreachable',
    /ended before its answer: the server ended it\. What it was asked may have run/,
  ],
  ...[301, 302, 303, 307, 308].map(
    (code) =>
      [`a redirect ${code}`, redirect(code), 'upstream_status', new RegExp(`HTTP ${code}, a redirect`)] as const,
  ),
  ['a 304, which is none', status(304), 'upstream_status', /HTTP 304(?!,)/],
  [
    'a redirect in JSON',
    status(307, 'application/json', rpcError, elsewhere),
    'upstream_status',
    /HTTP 307, a redirect, which the gateway does not follow/,
  ],
  [
    'a compressed answer that the client did not ask for',
    compressed((id) => gzipSync(`{"jsonrpc":"2.0","id":${id},"result":{}}`)),
    'upstream_protocol',
    /compressed, although the gateway accepts no content-encoding: gzip/,
  ],
  ['nothing', never, 'upstream_timeout', /no answer/],
];

describeGateway('a call that its server fails', () => {
  let stateless: Scripted;
  let stateful: Scripted;
  let down: Scripted;
  const env = { KEY: randomBytes(32).toString('base64url') };
  beforeAll(async () => {
    stateless = await startScripted({ tools: ['echo'] });
    stateful = await startScripted({ tools: ['echo'], sessionId: 'lost' });
    down = await startScripted({ tools: ['echo'] });
  });
  afterAll(async () => {
    await Promise.all([stateless.stop(), stateful.stop(), down.stop()]);
  });
  const options = (): GatewayOptions => ({
    servers: [
      { name: 'stateless', url: stateless.url, callTimeout: '1s' },
      { name: 'stateful', url: stateful.url },
      { name: 'down', url: down.url },
    ],
    plugin: { sessions: { keys: [{ id: 1, env: 'KEY' }] } },
    env,
  });
  const gateway = useGateway(options);

  describe.each(bothProtocols)('over %s', (http) => {
    it.each(failures)('with %s becomes a row of the table', async (_, answer, reason, says) => {
      const session = await openSession(gateway.current.url, { http });
      stateless.answers = { 'tools/call': answer };
      const failed = await session.post(callMessage('"stateless_echo"', '{}', '"c"'));
      stateless.answers = {};
      expect(refusal(failed)).toEqual({ status: 200, id: 'c', code: -32603, reason, server: 'stateless' });
      expect(message(failed).error?.message).toMatch(says);
      expect(failed.headers['content-type']).toBe('application/json');
      // In passing, the length is not known with the headers.
      expect([undefined, String(failed.body.length)]).toContain(failed.headers['content-length']);
      expect(failed.headers['x-mcp-gateway']).toMatch(/^sluice\//);
      expect(failed.headers).not.toHaveProperty('www-authenticate');
      expect(failed.headers).not.toHaveProperty('location');
      expect(failed.text).not.toContain('10.0.0.7');
      expect(failed.text).not.toContain('doctype');
      expect((await session.post(callMessage('"stateless_echo"'))).status, 'and the next one is served').toBe(200);
    });

    it.each([400, 404, 422, 500])('in JSON, with HTTP %d, is the server’s own answer', async (code) => {
      const session = await openSession(gateway.current.url, { http });
      stateless.answers = { 'tools/call': status(code, 'application/json', rpcError) };
      const answer = await session.post(callMessage('"stateless_echo"', '{}', '"c"'));
      stateless.answers = {};
      expect([answer.status, answer.text]).toEqual([code, rpcError]);
    });

    it.each([
      ['without a body', status(404)],
      ['in HTML', status(404, 'text/html', html)],
    ])('because it loses every session (404 %s) is a row of the table, after one more try', async (_, answer) => {
      const session = await openSession(gateway.current.url, { http });
      stateful.answers = { 'tools/call': answer };
      stateful.forget();
      const lost = await session.post(callMessage('"stateful_echo"', '{}', '9'));
      stateful.answers = {};
      expect(refusal(lost)).toEqual({
        status: 200,
        id: 9,
        code: -32603,
        reason: 'upstream_status',
        server: 'stateful',
      });
      expect(message(lost).error?.message).toContain('HTTP 404');
      expect(stateful.requests.filter(({ body }) => body.includes('tools/call'))).toHaveLength(2);
    });

    it('because it is down says so, and is served again when it is back', async () => {
      const session = await openSession(gateway.current.url, { http });
      await down.stop();
      expect(refusal(await session.post(callMessage('"down_echo"', '{}', '0')))).toEqual({
        ...{ status: 200, id: 0, code: -32603, reason: 'upstream_unreachable', server: 'down' },
      });
      await down.start();
      expect((await session.post(callMessage('"down_echo"'))).text).toContain('"result"');
    });

    it('because Envoy has no cluster for it says so', async () => {
      const session = await openSession(gateway.current.url, { http });
      const other = await startGateway({ ...options(), adjust: withoutCluster('down') });
      try {
        const answer = await resumeSession(other.url, session.id, { http }).post(
          callMessage('"down_echo"', '{}', '"c"'),
        );
        expect(refusal(answer)).toEqual({
          status: 200,
          id: 'c',
          code: -32603,
          reason: 'upstream_unknown_cluster',
          server: 'down',
        });
        await openSession(other.url, { http });
        expect(other.log()).toMatch(/\[warning\]\[wasm\].* down: upstream_unknown_cluster: the cluster does not exist/);
        await expectSound(other);
      } finally {
        await other.stop();
      }
    });

    it.each([
      ['response', { timeout: '0.3s' }],
      ['silence', { idle_timeout: '0.3s' }],
      ['length', { max_stream_duration: { max_stream_duration: '0.3s' } }],
    ])('because its route allows less time than the gateway is a timeout as well: of %s', async (_, limit) => {
      const other = await startGateway({ ...options(), adjust: withRoute('stateful', limit) });
      try {
        const session = await openSession(other.url, { http });
        stateful.answers = { 'tools/call': never };
        const answer = await session.post(callMessage('"stateful_echo"', '{}', '"c"'));
        stateful.answers = {};
        expect(refusal(answer)).toEqual({
          ...{ status: 200, id: 'c', code: -32603, reason: 'upstream_timeout', server: 'stateful' },
        });
        await expectSound(other);
      } finally {
        await other.stop();
      }
    });

    it('because it was down when the session began is served once it is up', async () => {
      await down.stop();
      const session = await openSession(gateway.current.url, { http });
      const failed = await session.post(callMessage('"down_echo"'));
      expect(refusal(failed)).toMatchObject({ status: 200, reason: 'upstream_unreachable', server: 'down' });
      await down.start();
      expect((await session.post(callMessage('"down_echo"'))).status).toBe(200);
    });

    it('in the middle of its answer is cut off, not completed', async () => {
      const session = await openSession(gateway.current.url, { http });
      stateless.answers = {
        'tools/call': (_, reply) => {
          reply.head(200, { 'content-type': 'text/event-stream' });
          reply.write('data: {"jsonrpc"');
          setTimeout(() => {
            reply.reset();
          }, 50);
        },
      };
      await expect(session.post(callMessage('"stateless_echo"'))).rejects.toThrow();
      stateless.answers = {};
    });

    it('is no failure where the answer begins in time and lasts longer than the timeout', async () => {
      const session = await openSession(gateway.current.url, { http });
      stateless.answers = {
        'tools/call': (request, reply) => {
          reply.head(200, { 'content-type': 'text/event-stream' });
          reply.write(': working\n\n');
          setTimeout(() => {
            reply.end(`data: {"jsonrpc":"2.0","id":${request.id},"result":{}}\n\n`);
          }, 1_500);
        },
      };
      const answer = await session.post(callMessage('"stateless_echo"', '{}', '5'));
      expect(answer.text).toBe(': working\n\ndata: {"jsonrpc":"2.0","id":5,"result":{}}\n\n');
      stateless.answers = {};
    });
  });

  describe('at a real server', () => {
    let server: SdkServer;
    beforeAll(async () => {
      server = await startSdkServer({ name: 'real' });
    });
    const behind = useGateway(() => ({ servers: [{ name: 'real', url: server.url }] }));

    it('that restarted serves the SDK client as if it had not', async () => {
      const first = await connectSdk(behind.current.url, 'HTTP/1.1');
      await first.client.callTool({ name: 'real_echo' });
      await server.stop();
      server = await startSdkServer({ name: 'real', port: server.port });
      expect(await first.client.callTool({ name: 'real_echo' })).toHaveProperty('content');
      expect(await first.client.callTool({ name: 'real_echo' })).toHaveProperty('content');
      await first.close();
      await server.stop();
    });
  });
});

describeGateway('a call of the only server', () => {
  let server: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({ servers: [{ name: 'one', url: server.url }] }));

  // Nothing can have to be rewritten in it.
  it.each(bothProtocols)('in a coding that the client asked for gets it as it is, over %s', async (http) => {
    const session = await openSession(gateway.current.url, { http });
    const body = gzipSync('{"jsonrpc":"2.0","id":1,"result":{}}');
    server.answers = { 'tools/call': compressed(() => body) };
    for (const accepted of ['gzip', 'br, GZIP;q=0.5', '*']) {
      const headers = { 'accept-encoding': accepted };
      const answer = await session.post(callMessage('"one_echo"'), { headers });
      expect([answer.status, answer.headers['content-encoding']], accepted).toEqual([200, 'gzip']);
      expect(answer.body.equals(body)).toBe(true);
    }
    const other = await session.post(callMessage('"one_echo"'), { headers: { 'accept-encoding': 'br' } });
    server.answers = {};
    expect(refusal(other)).toMatchObject({ status: 200, reason: 'upstream_protocol', server: 'one' });
  });
});
