// Tokens of callers, exchanged for those of servers (RFC 8693) at a token endpoint that verifies them.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { type RawAnswer, send } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, post } from './clients/session.ts';
import { framings, upload } from './clients/upload.ts';
import { describeGateway, hostMode } from './engine.ts';
import { useGateway } from './gateway.ts';
import { addFilterBefore, jwt, jwtAuthn, publicKeys } from './token-filter.ts';
import { until } from './until.ts';
import { type RestService, startRestService } from './upstreams/rest.ts';
import { type Scripted, startScripted, status } from './upstreams/scripted.ts';
import { type TokenEndpoint, startTokenEndpoint } from './upstreams/token-endpoint.ts';

const secret = 's p&e';

describeGateway('tokens that are exchanged', () => {
  let endpoint: TokenEndpoint;
  let orders: Scripted;
  let open: Scripted;
  let shop: RestService;
  beforeAll(async () => {
    endpoint = await startTokenEndpoint(publicKeys(), `gateway:${encodeURIComponent(secret).replaceAll('%20', '+')}`);
    orders = await startScripted({ tools: ['list'], sessionId: 'session-of-orders' });
    open = await startScripted({ tools: ['look'] });
    shop = await startRestService();
  });
  afterAll(() => Promise.all([endpoint.stop(), orders.stop(), open.stop(), shop.stop()]));
  beforeEach(() => {
    endpoint.asked.length = 0;
    endpoint.instead = undefined;
    endpoint.lifetime = 300;
    endpoint.delay = 0;
    orders.forget();
    orders.answers = {};
  });
  const exchange = (more: object): object => ({
    type: 'exchange',
    tokenEndpoint: endpoint.url,
    cluster: 'id',
    client: { id: 'gateway', env: 'EXCHANGE_SECRET' },
    ...more,
  });
  const gateway = useGateway(() => ({
    servers: [
      {
        name: 'orders',
        url: orders.url,
        protocol: '2025-11-25',
        listCache: { ttl: '1h' },
        credentials: exchange({ audience: 'https://orders.example', scopes: ['orders:read', 'orders:write'] }),
      },
      { name: 'open', url: open.url },
      {
        name: 'shop',
        url: shop.url,
        credentials: exchange({ audience: 'shop', resource: 'https://shop.example/api' }),
        rest: { tools: [{ name: 'item', args: [], requestTemplate: { url: '/items/1', method: 'GET' } }] },
      },
    ],
    plugin: { identity: { jwt: 'verified' }, limits: { handshakeTimeout: '1s' }, log: 'debug' },
    env: { EXCHANGE_SECRET: secret },
    adjust: (bootstrap) => {
      addFilterBefore(bootstrap, jwtAuthn());
    },
  }));

  let tokens = 0;
  /** Another token each time. */
  const caller = (sub: string): Record<string, string> => ({
    authorization: `Bearer ${jwt({ iss: 'https://id.example', sub, jti: String(++tokens) })}`,
  });

  /** A session, in which messages come with the same headers, or with these. */
  async function opened(
    headers: Record<string, string>,
  ): Promise<((body: string, more?: Record<string, string>) => Promise<RawAnswer>) & { readonly id: string }> {
    const { url } = gateway.current;
    const answer = await post(url, initializeMessage(), { headers });
    const id = answer.headers['mcp-session-id'];
    if (typeof id !== 'string') throw new Error(answer.text);
    const own = { ...headers, 'mcp-session-id': id };
    const say = (body: string, more: Record<string, string> = {}): Promise<RawAnswer> =>
      body === '' ? send(url, { method: 'DELETE', headers: own }) : post(url, body, { headers: { ...own, ...more } });
    return Object.assign(say, { id });
  }
  const sent = (): unknown[] => [...new Set(orders.requests.map(({ headers }) => headers['authorization']))];

  it('are asked for once, and sent with everything that the server is told', async () => {
    const ada = caller('ada');
    const say = await opened(ada);
    expect(toolNames(await say(listMessage()))).toEqual(['orders_list', 'open_look', 'shop_item']);
    expect((await say(callMessage('"orders_list"'))).text).toContain('"done"');
    expect((await say(callMessage('"shop_item"'))).text).toContain('Tea');
    await say('');
    expect(sent()).toEqual([expect.stringMatching(/^Bearer ada-at-https---orders-example-\d+$/)]);
    expect(shop.last().headers.authorization).toMatch(/^Bearer ada-at-shop-\d+$/);
    const said = orders.requests.map(({ rpcMethod, method }) => rpcMethod ?? method);
    expect(said).toEqual(['initialize', 'notifications/initialized', 'tools/list', 'tools/call', 'DELETE']);
    const [first] = endpoint.asked.filter(({ form }) => form.get('audience') !== 'shop');
    expect(endpoint.asked.length).toBe(2);
    expect(Object.fromEntries(first?.form ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'https://orders.example',
      scope: 'orders:read orders:write',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: ada['authorization']?.slice(7),
    });
  });

  it('are those of the caller alone, and so are lists that are kept', async () => {
    for (const sub of ['bob', 'eve']) {
      orders.forget();
      const say = await opened(caller(sub));
      await say(listMessage());
      expect(sent()).toEqual([expect.stringMatching(new RegExp(`^Bearer ${sub}-at-`))]);
      expect(orders.of('tools/list').length).toBe(1);
    }
  });

  it('are asked for once where many requests of a caller come at once', async () => {
    const headers = caller('ann');
    endpoint.delay = 100;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post(gateway.current.url, initializeMessage(), { headers })),
    );
    expect(answers.map(({ status: code }) => code)).toEqual(Array(8).fill(200));
    expect(endpoint.asked.filter(({ form }) => form.get('audience') !== 'shop').length).toBe(1);
  });

  it('are asked for anew once they have expired, or the server refuses them', async () => {
    endpoint.lifetime = 5;
    const say = await opened(caller('kim'));
    const before = endpoint.asked.length;
    await say(callMessage('"orders_list"'));
    expect(endpoint.asked.length).toBe(before + 1);
    endpoint.lifetime = 300;
    await say(callMessage('"orders_list"'));
    await say(callMessage('"orders_list"'));
    expect(endpoint.asked.length).toBe(before + 2);
    orders.answers = { 'tools/call': status(401, 'application/json', '{"error":"invalid_token"}') };
    expect(refusal(await say(callMessage('"orders_list"')))).toMatchObject({ reason: 'upstream_unauthorized' });
    orders.answers = {};
    expect((await say(callMessage('"orders_list"'))).text).toContain('"done"');
    expect(endpoint.asked.length).toBe(before + 3);
  });

  it('are there before a call that is too large to wait for them', async () => {
    const say = await opened(caller('lee'));
    const text = 'x'.repeat(3 << 20);
    const large = callMessage('"orders_list"', JSON.stringify({ text }));
    const next = caller('lee');
    // Of a pair Envoy may hold more than it can, before the module is asked.
    const reasons = hostMode === 'pair' ? ['token_exchange_failed', 'body_too_large'] : ['token_exchange_failed'];
    expect(reasons).toContain(refusal(await say(large, next))['reason']);
    expect(orders.of('tools/call')).toEqual([]);
    await say(listMessage(), next);
    expect((await say(large, next)).text).toContain('"done"');
    const call = orders.last('tools/call');
    expect(call.headers['authorization']).toMatch(/^Bearer lee-at-/);
    expect(call.body.length).toBeGreaterThan(text.length);
  });

  it.each(framings)('are waited for by a call that comes in parts, over %s', async (framing) => {
    endpoint.delay = 50;
    for (const size of [100, 900_000]) {
      const say = await opened(caller('pia'));
      const { authorization = '' } = caller('pia');
      const body = (name: string): Buffer => Buffer.from(callMessage(name, JSON.stringify({ text: 'x'.repeat(size) })));
      const bytes = body('"orders_list"');
      const headers = { authorization, 'mcp-session-id': say.id, 'mcp-protocol-version': '2025-11-25' };
      const sent = upload(gateway.current.url, { framing, headers, size: bytes.length });
      const half = bytes.length / 2;
      await sent.write(bytes.subarray(0, half));
      await sent.write(bytes.subarray(half));
      sent.end();
      expect((await sent.answer).text).toContain('"done"');
      expect(orders.last('tools/call').headers['authorization']).toMatch(/^Bearer pia-at-/);
      expect(orders.last('tools/call').body.equals(body('"list"'))).toBe(true);
    }
  });

  it('are asked for by a request that waits for them, where the one that was asking is gone', async () => {
    const headers = { ...caller('gus'), 'content-type': 'application/json', accept: 'application/json' };
    endpoint.delay = 900;
    const leaving = new AbortController();
    const { url } = gateway.current;
    const gone = fetch(url, { method: 'POST', headers, body: initializeMessage(), signal: leaving.signal });
    await until('both tokens are asked for', () => endpoint.asked.length === 2);
    const waiting = post(url, initializeMessage(), { headers });
    await sleep(200);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    endpoint.delay = 0;
    expect((await waiting).status).toBe(200);
    expect(endpoint.asked.length).toBe(4);
  });

  it('are had by a request without a body, too', async () => {
    const say = await opened(caller('ida'));
    const { url } = gateway.current;
    const headers = { ...caller('ida'), 'mcp-session-id': say.id };
    const stream = await send(url, { method: 'GET', headers: { ...headers, accept: 'text/event-stream' } });
    expect(stream.status).toBe(405);
    expect((await send(url, { method: 'DELETE', headers: { ...headers, ...caller('ida') } })).status).toBe(200);
    expect(orders.requests.map(({ method }) => method)).toContain('DELETE');
    expect(sent().length).toBe(2);
  });

  it('that are refused leave their server out, and no other', async () => {
    const say = await opened(caller('nobody'));
    expect(toolNames(await say(listMessage()))).toEqual(['open_look', 'shop_item']);
    const answer = await say(callMessage('"orders_list"'));
    const row = { status: 200, id: 1, code: -31013, reason: 'token_exchange_failed', server: 'orders' };
    expect(refusal(answer)).toEqual(row);
    expect(message(answer).error?.message).toContain('HTTP 403: access_denied');
    expect(message(answer).error?.message).toContain('Get a new token');
    expect(orders.requests).toEqual([]);
    expect((await say(callMessage('"open_look"'))).text).toContain('"done"');
  });

  it.each<[string, NonNullable<TokenEndpoint['instead']>, RegExp]>([
    ['503', (response) => response.writeHead(503).end('busy'), /HTTP 503/],
    ['500 with words', (response) => response.writeHead(500).end('{"error":"oops ey secret"}'), /HTTP 500\. Try/],
    ['a page', (response) => response.writeHead(200).end('<html>'), /no JSON object/],
    ['no token', (response) => response.writeHead(200).end('{"token_type":"Bearer"}'), /no access_token/],
    [
      'another type',
      (response) => response.writeHead(200).end('{"access_token":"a","token_type":"N_A"}'),
      /not Bearer/,
    ],
    [
      'a line',
      (response) => response.writeHead(200).end('{"access_token":"a\\nb","token_type":"Bearer"}'),
      /no access_token/,
    ],
    ['an end', (response) => response.destroy(), /no connection|cut off/],
    ['nothing', () => undefined, /no answer/],
  ])('fail with their cause where the endpoint answers with %s', async (_, instead, said) => {
    const say = await opened(caller('zoe'));
    expect((await say(callMessage('"orders_list"'))).text).toContain('"done"');
    endpoint.instead = instead;
    const answer = await say(callMessage('"orders_list"'), caller('zoe'));
    expect(refusal(answer)).toMatchObject({ code: -31013, reason: 'token_exchange_failed', server: 'orders' });
    expect(message(answer).error?.message).toMatch(said);
  });

  it('stand in no log, no status, no configuration', async () => {
    const headers = caller('max');
    const say = await opened(headers);
    await say(callMessage('"orders_list"'));
    const seen = gateway.current.log() + (await gateway.current.configuration());
    for (const text of [headers['authorization'] ?? '', '-at-https---orders', '-at-shop', secret]) {
      expect(seen).not.toContain(text.replace('Bearer ', ''));
    }
    expect(seen).toContain('token_exchange_failed');
  });
});
