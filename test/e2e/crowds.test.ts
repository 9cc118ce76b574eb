// Many clients at once, and clients that go away in the middle of something.
import { connect as connect2 } from 'node:http2';
import { connect as connect1 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Http, bothProtocols } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, mcpHeaders, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Scripted, never, startScripted } from './upstreams/scripted.ts';

const call = callMessage('"server_echo"', '{"x":1}');

describeGateway('requests', () => {
  let server: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'server', url: server.url }],
    plugin: { limits: { handshakeTimeout: '30s', listTimeout: '30s' } }, // a crowd of tests may keep this machine busy
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it.each([
      ['in the middle of its headers', 0],
      ['in the middle of its body', 60],
    ])('of a client that leaves %s leave nothing behind', async (_, sent) => {
      const session = await openSession(gateway.current.url, { http });
      server.forget();
      await Promise.all(
        Array.from({ length: 20 }, () => leave(gateway.current.origin, http, session.id, call.slice(0, sent), 20)),
      );
      await until(
        'no request is held',
        async () => (await gateway.current.stats()).get('http.mcp.downstream_rq_active') === 0,
      );
      expect(server.requests).toEqual([]);
      expect((await session.post(call)).status).toBe(200);
    });

    it.each(['tools/call', 'tools/list', 'initialize'])(
      'of a client that leaves while %s runs leave nothing behind',
      async (method) => {
        const session = await openSession(gateway.current.url, { http });
        server.forget();
        server.answers = { [method]: never };
        const body = { 'tools/call': call, 'tools/list': listMessage(), initialize: initializeMessage() }[method] ?? '';
        const left = 10;
        const leaving = Array.from({ length: left }, async () => {
          await leave(gateway.current.origin, http, session.id, body, () =>
            until('the server is asked', () => server.of(method).length >= left),
          );
        });
        await Promise.all(leaving);
        server.answers = {};
        await until(
          'no request is held',
          async () => (await gateway.current.stats()).get('http.mcp.downstream_rq_active') === 0,
        );
        expect((await session.post(call)).status).toBe(200);
        expect((await session.post(listMessage())).status).toBe(200);
      },
    );

    it('in crowds are kept apart', async () => {
      server.answers = {
        'tools/call': async (request, reply) => {
          const { params } = JSON.parse(request.body.toString()) as { params: { arguments: { mine: number } } };
          await sleep(params.arguments.mine % 7);
          const body = `{"jsonrpc":"2.0","id":${request.id},"result":{"yours":${params.arguments.mine}}}`;
          reply.head(200, { 'content-type': 'application/json' });
          reply.end(body);
        },
      };
      const clients = Array.from({ length: 200 }, async (_, mine) => {
        const session = await openSession(gateway.current.url, { http });
        const answers = [
          await session.post(callMessage('"server_echo"', `{"mine":${mine}}`, `"id of ${mine}"`)),
          await session.post(listMessage(String(mine))),
          await session.post(callMessage('"server_echo"', `{"mine":${mine}}`, String(mine))),
        ];
        return [session.id, ...answers.map(({ text }) => text)];
      });
      const all = await Promise.all(clients);
      server.answers = {};
      for (const [mine, [, first, list, last]] of all.entries()) {
        expect(first).toBe(`{"jsonrpc":"2.0","id":"id of ${mine}","result":{"yours":${mine}}}`);
        expect(list).toBe(
          `{"jsonrpc":"2.0","id":${mine},"result":{"tools":[{"name":"server_echo","inputSchema":{"type":"object"}}]}}`,
        );
        expect(last).toBe(`{"jsonrpc":"2.0","id":${mine},"result":{"yours":${mine}}}`);
      }
      expect(new Set(all.map(([id]) => id)).size).toBe(all.length);
    });
  });

  it('do not cost the client its connection', async () => {
    const { id } = await openSession(gateway.current.url);
    const requests = [
      ['HTTP/1.1 404', '{"jsonrpc":"2.0","id":1,"method":"ping"}', 'forged'],
      ['HTTP/1.1 200', '{"jsonrpc":"2.0","id":2,"method":"ping"}', id],
      ['HTTP/1.1 200', callMessage('"no"', '{}', '3'), id],
      ['HTTP/1.1 405', '{"jsonrpc":"2.0","id":4,"method":"ping"}', id, 'PUT'],
      ['HTTP/1.1 202', '{"jsonrpc":"2.0","method":"notifications/initialized"}', id],
      ['HTTP/1.1 200', callMessage('"server_echo"', '{}', '6'), id],
      // Last, as Envoy itself closes an HTTP/1.1 connection after a 400 that no upstream gave.
      ['HTTP/1.1 400', '{', id],
    ] as const;
    const { hostname, port } = new URL(gateway.current.origin);
    const socket = connect1(Number(port), hostname);
    socket.on('error', () => undefined);
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    for (const [expected, body, session, method = 'POST'] of requests) {
      said = '';
      const head = `${method} /mcp HTTP/1.1\r\nhost: localhost\r\nmcp-session-id: ${session}\r\ncontent-length: ${body.length}\r\n\r\n`;
      socket.write(head + body);
      await until(`${body} is answered`, () => isWhole(said));
      expect(said.slice(0, expected.length), body).toBe(expected);
    }
    socket.destroy();
  });
});

/** Whether all of an HTTP/1.1 response has come: what is missing of it would be taken for a part of the next one. */
function isWhole(response: string): boolean {
  const end = response.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = response.slice(0, end);
  if (/^transfer-encoding: chunked$/im.test(head)) return response.endsWith('\r\n0\r\n\r\n');
  const [, size = '0'] = /^content-length: (\d+)$/im.exec(head) ?? [];
  return response.length >= end + 4 + Number(size);
}

/** Sends the beginning of a call, and goes away. @param when after so many ms, or when that has come */
async function leave(
  origin: string,
  http: Http,
  id: string,
  sent: string,
  when: number | (() => Promise<void>),
): Promise<void> {
  const wait = (): Promise<void> => (typeof when === 'number' ? sleep(when) : when());
  const whole = typeof when !== 'number';
  const size = whole ? sent.length : 10_000;
  if (http === 'HTTP/2') {
    const connection = connect2(origin);
    connection.on('error', () => undefined);
    const stream = connection.request({
      ':method': 'POST',
      ':path': '/mcp',
      ...mcpHeaders,
      'mcp-session-id': id,
      'content-length': String(size),
    });
    stream.on('error', () => undefined);
    stream.write(sent);
    if (whole) stream.end();
    await wait();
    stream.close(8); // CANCEL, as a browser's AbortController does
    await sleep(5);
    connection.destroy();
    return;
  }
  const { hostname, port } = new URL(origin);
  const socket = connect1(Number(port), hostname);
  socket.on('error', () => undefined);
  const head = Object.entries({
    ...mcpHeaders,
    'mcp-session-id': id,
    host: 'localhost',
    'content-length': String(size),
  });
  const text = `POST /mcp HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
  socket.write(sent === '' ? text : `${text}\r\n${sent}`);
  await wait();
  socket.destroy();
}
