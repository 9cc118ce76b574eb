// Who may speak to the gateway: DNS rebinding, web pages, CORS. MCP 2025-11-25, transports: security warning.
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bothProtocols, type RawRequest, send } from './clients/raw.ts';
import { callMessage, initializeMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted, status } from './upstreams/scripted.ts';

const page = 'https://inspector.example.com';
const exposed = 'mcp-session-id, x-mcp-gateway, www-authenticate';

describeGateway('access checks', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: upstream.url }],
    plugin: { origins: [page] },
  }));
  const initialize = (headers: Readonly<Record<string, string>>, request: RawRequest = {}): ReturnType<typeof post> =>
    post(gateway.current.url, initializeMessage(), { ...request, headers });
  const port = (): string => new URL(gateway.current.url).port;

  describe.each(bothProtocols)('over %s', (http) => {
    const authority = http === 'HTTP/2' ? ':authority' : 'host';

    it('serves loopback names and pages of the gateway itself', async () => {
      for (const host of [`localhost:${port()}`, `127.0.0.1:${port()}`, `app.localhost:${port()}`, 'localhost']) {
        const answer = await initialize({ [authority]: host, origin: `http://${host}` }, { http });
        expect(answer.status, host).toBe(200);
        expect(answer.headers['access-control-allow-origin']).toBe(`http://${host}`);
      }
    });

    it('refuses a name that was rebound (DNS rebinding, CWE-350), whatever its page says about itself', async () => {
      upstream.forget();
      for (const headers of [
        { [authority]: `evil.example:${port()}` },
        { [authority]: `evil.example:${port()}`, origin: `http://evil.example:${port()}` },
        { [authority]: `evil.example:${port()}`, 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'localhost' },
        { [authority]: `evil.example:${port()}`, origin: page },
      ]) {
        const answer = await initialize(headers, { http });
        expect(answer.status).toBe(403);
        expect(JSON.parse(answer.text)).toMatchObject({
          id: 0,
          error: { code: -31002, data: { reason: 'host_forbidden' } },
        });
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
      expect(upstream.requests).toEqual([]);
    });

    it('refuses pages of other origins (CWE-346), and keeps the connection of their client', async () => {
      for (const origin of ['https://evil.example', 'null', 'http://localhost:1', `${page}:443`, `${page}, ${page}`]) {
        const answer = await initialize(
          { origin, ...(http === 'HTTP/1.1' ? { connection: 'keep-alive' } : {}) },
          { http },
        );
        expect(answer.status, origin).toBe(403);
        expect(JSON.parse(answer.text)).toMatchObject({
          error: { code: -31003, data: { reason: 'origin_forbidden' } },
        });
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
        expect(answer.headers['connection']).not.toBe('close');
      }
    });

    it('answers a preflight of an allowed page without asking a server', async () => {
      upstream.forget();
      const headers = {
        origin: page,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,mcp-param-region,x-other',
      };
      const answer = await send(gateway.current.url, { http, method: 'OPTIONS', headers });
      expect(answer.status).toBe(204);
      expect(answer.text).toBe('');
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': page,
        'access-control-allow-methods': 'GET, POST, DELETE',
        'access-control-max-age': '7200',
        vary: 'origin',
      });
      expect(answer.headers['access-control-allow-headers']).toMatch(
        /^content-type, authorization, .*, mcp-param-region$/,
      );
      expect(upstream.requests).toEqual([]);
    });

    it('refuses a preflight of another page, and OPTIONS that is none', async () => {
      const evil = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
      expect((await send(gateway.current.url, { http, method: 'OPTIONS', headers: evil })).status).toBe(403);
      const plain = await send(gateway.current.url, { http, method: 'OPTIONS' });
      expect(plain.status).toBe(405);
      expect(plain.headers['allow']).toBe('GET, POST, DELETE');
    });

    it('lets an allowed page read replies, errors and what servers answer, and says nothing of what servers allow', async () => {
      const foreign = {
        'content-type': 'application/json',
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'x-secret',
        vary: 'accept',
      };
      upstream.answers['tools/call'] = (request, reply) => {
        reply.head(200, foreign);
        reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{"content":[]}}`);
      };
      const session = await openSession(gateway.current.url, { http });
      const call = await session.post(callMessage('"one_t"'), { headers: { origin: page } });
      expect(call.status).toBe(200);
      expect(call.headers).toMatchObject({
        'access-control-allow-origin': page,
        'access-control-expose-headers': exposed,
        vary: 'accept, origin',
      });
      expect(call.headers['access-control-allow-credentials']).toBeUndefined();

      const unknown = await session.post(callMessage('"nothing"'), { headers: { origin: page } });
      expect(unknown.headers['access-control-allow-origin']).toBe(page);
      upstream.answers['tools/call'] = status(500, undefined, '<p>', { ...foreign, 'content-type': 'text/html' });
      const failed = await session.post(callMessage('"one_t"'), { headers: { origin: page } });
      expect(JSON.parse(failed.text)).toMatchObject({ error: { data: { reason: 'upstream_status' } } });
      expect(failed.headers['access-control-allow-origin']).toBe(page);

      // To a client that is no page they are removed all the same.
      upstream.answers['tools/call'] = (request, reply) => {
        reply.head(200, foreign);
        reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{"content":[]}}`);
      };
      const plain = await session.post(callMessage('"one_t"'));
      expect(Object.keys(plain.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(plain.headers['vary']).toBe('accept');
    });
  });

  it('leaves hosts and origins of other applications on the listener alone', async () => {
    const headers = { host: 'evil.example', origin: 'https://evil.example' };
    const answer = await send(`${gateway.current.origin}/other`, { method: 'GET', headers });
    expect(answer.status).toBe(404);
    expect(answer.text).toBe('');
  });
});

describeGateway('named hosts', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted();
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: upstream.url }],
    plugin: { hosts: ['mcp.example.com'] },
  }));

  it('are served, and loopback names on loopback beside them', async () => {
    const statuses: Record<string, number> = {};
    for (const host of ['mcp.example.com', 'MCP.example.com:443', 'localhost', 'other.example.com', '192.0.2.7']) {
      statuses[host] = (await post(gateway.current.url, initializeMessage(), { headers: { host } })).status;
    }
    expect(statuses).toEqual({
      'mcp.example.com': 200,
      'MCP.example.com:443': 200,
      localhost: 200,
      'other.example.com': 403,
      '192.0.2.7': 403,
    });
  });
});

/** Of this machine, not loopback; absent where it has no network. */
const address = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

describeGateway('a listener on every address, whose clients are told apart by X-Forwarded-For', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted();
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: upstream.url }],
    adjust: (bootstrap) => {
      const [listener] = bootstrap.static_resources.listeners;
      listener.address.socket_address.address = '0.0.0.0';
      Object.assign(listener.filter_chains[0].filters[0].typed_config, { use_remote_address: false });
    },
  }));
  const initialize = async (to: string, headers: Record<string, string>): Promise<number> => {
    const { port } = new URL(gateway.current.url);
    return (await post(`http://${to}:${port}/mcp`, initializeMessage(), { headers })).status;
  };

  it('is on loopback for who connects there, whatever they say where they come from', async () => {
    expect(await initialize('127.0.0.1', { host: 'localhost' })).toBe(200);
    expect(await initialize('127.0.0.1', { host: 'evil.example' })).toBe(403);
    expect(await initialize('127.0.0.1', { host: 'evil.example', 'x-forwarded-for': '192.0.2.7' })).toBe(403);
  });

  it.skipIf(address === undefined)('is on the network for all others, also if they claim to be here', async () => {
    expect(await initialize(address ?? '', { host: 'mcp.example.com' })).toBe(200);
    expect(await initialize(address ?? '', { host: 'localhost' })).toBe(403);
    expect(await initialize(address ?? '', { host: 'localhost', 'x-forwarded-for': '127.0.0.1' })).toBe(403);
  });
});
