// What the plugin server asks gateways themselves: their status, and test calls, for operators alone.
import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { send } from '../plugin-server/client.ts';
import { type Folders, type LiveServer, folders, startLive, useKept, write } from './support.ts';

const configuration = {
  sessions: { keys: [{ id: 3, env: 'KEY' }] },
  servers: [
    { name: 'wiki', url: 'https://wiki.tools.example/mcp?key=shared' },
    { name: 'shop', cluster: 'shop', authority: 'shop.example', rest: { tools: [tool('get-item')] } },
  ],
};
const publishToken = 'a-publish-token-for-tests';
const statusToken = 'a-status-token-for-tests';
const status = {
  gateway: 'sluice',
  version: 'sluice/0.1.0',
  configuration: '7d6b9c3f10a2e584',
  servers: [],
  limits: [],
};

const kept = useKept('edge', configuration);

function tool(name: string): object {
  return { name, description: name, requestTemplate: { url: '/', method: 'GET' } };
}

interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What answers where a gateway would. */
async function answering(answer: (seen: Seen) => { status?: number; type?: string; body: string }) {
  const seen: Seen[] = [];
  const http = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const part of request.setEncoding('utf8')) body += String(part);
      const one = { path: request.url ?? '', headers: request.headers, body };
      seen.push(one);
      const { status = 200, type = 'application/json', body: text } = answer(one);
      response.writeHead(status, { 'content-type': type, ...(status === 307 && { location: '/elsewhere' }) }).end(text);
    })();
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.close();
    http.closeAllConnections();
  });
  return { seen, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp` };
}

async function serving(endpoints?: string): Promise<{ where: Folders; server: LiveServer }> {
  const where = folders();
  kept(where);
  if (endpoints !== undefined) write(where, 'edge', endpoints, 'endpoints');
  return { where, server: await startLive(where, { publishToken, tokensRequired: true }) };
}

const operator = { authorization: `Bearer ${publishToken}` };
const json = { ...operator, 'content-type': 'application/json' };

async function tried(server: LiveServer, wish: unknown, headers: Record<string, string> = json) {
  const body = Buffer.from(typeof wish === 'string' ? wish : JSON.stringify(wish));
  const { status, body: text } = await send(server.url, '/gateways/edge/try', { method: 'POST', headers, body });
  return { status, value: JSON.parse(text.toString()) as Record<string, unknown> & { error?: { code: string } } };
}

async function statuses(server: LiveServer) {
  const { status, body } = await send(server.url, '/gateways/edge/endpoints', { headers: operator });
  return { status, text: body.toString() };
}

test('a gateway is told with what is in it, and without what a URL may hide', async () => {
  const { server } = await serving();
  const { body } = await send(server.url, '/gateways/edge', { headers: operator });
  expect(JSON.parse(body.toString())).toMatchObject({
    contents: {
      endpoint: '/mcp',
      hostMode: 'hold',
      catalogs: [],
      virtualServers: [],
      sessions: { keys: [3], ttl: '24h' },
      servers: [
        { name: 'wiki', kind: 'mcp', prefix: 'wiki_', at: 'https://wiki.tools.example/mcp' },
        { name: 'shop', kind: 'rest', prefix: 'shop_', at: 'cluster shop', tools: ['get-item'] },
      ],
    },
  });
});

test('each endpoint is asked for its status, with its token, which nobody else is told', async () => {
  const well = await answering(() => ({ body: JSON.stringify({ ...status, secret: statusToken }) }));
  const closed = await answering(() => ({ status: 401, body: '{}' }));
  const moved = await answering(() => ({ status: 307, body: '' }));
  const { server } = await serving(
    `# both\n${well.url}/ ${statusToken}\n\n${closed.url}\n${moved.url}\nhttp://127.0.0.1:1/mcp\n`,
  );
  const { text } = await statuses(server);
  expect(JSON.parse(text)).toEqual({
    gateway: 'edge',
    endpoints: [
      { url: well.url, status },
      { url: closed.url, problem: 'its status needs a token: put it behind the URL in the file endpoints' },
      { url: moved.url, problem: 'HTTP 307, and no status of a gateway' },
      {
        url: 'http://127.0.0.1:1/mcp',
        problem: expect.stringMatching(/^it cannot be reached: fetch failed/) as string,
      },
    ],
  });
  expect(text).not.toContain(statusToken);
  expect(well.seen.map(({ path, headers }) => [path, headers.authorization])).toEqual([
    ['/mcp/-/status', `Bearer ${statusToken}`],
  ]);
  expect(closed.seen[0]?.headers.authorization).toBeUndefined();
  expect(moved.seen).toHaveLength(1);
});

test.each([
  ['nowhere', 'line 1 begins with no URL'],
  ['file:///etc/passwd', 'line 1 begins with no URL'],
  ['http://me:secret-word@host/mcp', 'line 1 has a URL with a user'],
  ['# a\nhttp://host/mcp?token=secret-word', 'line 2 has a URL with a user'],
  ['http://host/mcp a secret-word', 'line 1 is not "<URL>"'],
  ['http://host/mcp "secret-word"', 'line 1 has a token with characters'],
  ['http://host/mcp\n'.repeat(51), 'it has more than 50 endpoints'],
])('a file that cannot be used is told, without what it says: %j', async (content, why) => {
  const { server } = await serving(content);
  const { status, text } = await statuses(server);
  expect([status, text]).toEqual([503, expect.stringContaining(JSON.stringify(why).slice(1, -1))]);
  expect(text).toContain('endpoints_invalid');
  expect(text).not.toContain('secret-word');
});

test('a test call is one request of an MCP client at the endpoint, with the credential that came for it', async () => {
  const message = { jsonrpc: '2.0', id: 1, result: { content: [] } };
  const stream = await answering(() => ({
    type: 'text/event-stream',
    body: `: first\n\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\n\ndata: ${JSON.stringify(message)}\n\n`,
  }));
  const other = await answering(() => ({ status: 503, type: 'text/plain', body: 'no healthy upstream' }));
  const { server } = await serving(`${stream.url} ${statusToken}\n${other.url}\n`);
  const wish = { method: 'tools/call', tool: 'Grüße', arguments: { id: 7 }, authorization: 'Bearer of-a-caller' };
  expect(await tried(server, wish)).toMatchObject({
    status: 200,
    value: { endpoint: stream.url, status: 200, answer: message, milliseconds: expect.any(Number) as number },
  });
  const [call] = stream.seen;
  expect(call?.headers).toMatchObject({
    authorization: 'Bearer of-a-caller',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': `=?base64?${Buffer.from('Grüße').toString('base64')}?=`,
  });
  expect(JSON.parse(call?.body ?? '')).toMatchObject({
    method: 'tools/call',
    params: { name: 'Grüße', arguments: { id: 7 } },
  });
  expect((await tried(server, { method: 'tools/list', endpoint: other.url })).value).toMatchObject({
    status: 503,
    text: 'no healthy upstream',
  });
  expect(other.seen[0]?.headers.authorization).toBeUndefined();
  expect(server.log.filter(({ message }) => String(message).includes('test call'))).toMatchObject([
    { gateway: 'edge', tool: 'Grüße', by: 'token' },
    { gateway: 'edge' },
  ]);
});

test('nobody makes a test call but an operator, from this page or a program, and nowhere but at an endpoint', async () => {
  const { url, seen } = await answering(() => ({ body: '{}' }));
  const { server } = await serving(`${url}\n`);
  const wish = { method: 'tools/list' };
  const { host } = new URL(server.url);
  for (const [headers, status, code] of [
    [{ 'content-type': 'application/json' }, 401, 'token_required'],
    [{ ...operator, 'content-type': 'text/plain' }, 400, 'bad_request'],
    [{ ...json, origin: 'https://evil.example' }, 403, 'foreign_page'],
    [{ ...json, origin: 'null' }, 403, 'foreign_page'],
    [{ ...json, 'sec-fetch-site': 'cross-site' }, 403, 'foreign_page'],
    [{ ...json, 'sec-fetch-site': 'same-site' }, 403, 'foreign_page'],
  ] as const) {
    const answer = await tried(server, wish, headers);
    expect([answer.status, answer.value.error?.code]).toEqual([status, code]);
  }
  for (const [refused, status, code] of [
    ['no JSON', 400, 'bad_request'],
    [{ method: 'initialize' }, 400, 'bad_request'],
    [{ method: 'tools/call' }, 400, 'bad_request'],
    [{ ...wish, authorization: 'a\r\nb: c' }, 400, 'bad_request'],
    [{ ...wish, endpoint: 'http://127.0.0.1:1/mcp' }, 404, 'unknown_endpoint'],
    [{ ...wish, cursor: 'x'.repeat(70_000) }, 413, 'too_large'],
  ] as const) {
    const answer = await tried(server, refused);
    expect([answer.status, answer.value.error?.code]).toEqual([status, code]);
  }
  expect(seen).toEqual([]);
  expect(
    (await tried(server, wish, { ...json, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).status,
  ).toBe(200);
  expect(seen).toHaveLength(1);
});

test('a test call has limits: four at a time, and a megabyte of an answer', async () => {
  const large = await answering(() => ({ body: `{"jsonrpc":"2.0","id":1,"result":"${'x'.repeat(1 << 20)}"}` }));
  const { server, where } = await serving(`${large.url}\n`);
  const wish = { method: 'tools/list' };
  expect(await tried(server, wish)).toMatchObject({ status: 413, value: { error: { code: 'too_large' } } });
  write(where, 'edge', 'http://127.0.0.1:1/mcp\n', 'endpoints');
  expect(await tried(server, wish)).toMatchObject({ status: 502, value: { error: { code: 'try_unanswered' } } });

  const held: (() => void)[] = [];
  const slow = createServer((_request, response) => void held.push(() => response.end('{"result":{}}'))).listen(
    0,
    '127.0.0.1',
  );
  await once(slow, 'listening');
  onTestFinished(() => void slow.close());
  write(where, 'edge', `http://127.0.0.1:${(slow.address() as AddressInfo).port}/mcp\n`, 'endpoints');
  const calls = Array.from({ length: 5 }, () => tried(server, wish));
  const refused = await Promise.race(calls);
  expect(refused).toMatchObject({ status: 503, value: { error: { code: 'tries_under_way' } } });
  while (held.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const end of held) end();
  const ended = await Promise.all(calls);
  expect(ended.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 503]);
});

test('without the file it is said what to do', async () => {
  const { server } = await serving();
  expect(JSON.parse((await statuses(server)).text)).toEqual({ gateway: 'edge', endpoints: [] });
  expect(await tried(server, { method: 'tools/list' })).toMatchObject({
    status: 404,
    value: { error: { code: 'no_endpoints', message: expect.stringContaining('beside its sluice.yaml') as string } },
  });
});
