// Servers whose HTTP is odd: what Envoy makes of it, and with it the gateway, is the same on both engines.
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { initializeMessage, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';

const head = 'content-type: application/json\r\n';

/** What the server does, its bytes, whether it ends the connection, and the row that it becomes. */
const table: readonly (readonly [string, string, boolean, string])[] = [
  ['ends within its headers', `HTTP/1.1 200 OK\r\n${head}`, true, 'upstream_protocol'],
  ['ends without a byte', '', true, 'upstream_unreachable'],
  ['has no such status', `HTTP/1.1 000 Odd\r\n${head}content-length: 2\r\n\r\n{}`, false, 'upstream_protocol'],
  [
    'has another transfer coding',
    `HTTP/1.1 200 OK\r\n${head}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    false,
    'upstream_protocol',
  ],
  [
    'switches protocols unasked',
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    false,
    'upstream_status',
  ],
  [
    'has more headers than Envoy takes',
    `HTTP/1.1 200 OK\r\n${head}${'x-more: 1\r\n'.repeat(120)}content-length: 2\r\n\r\n{}`,
    false,
    'upstream_protocol',
  ],
];

describeGateway('a server that', () => {
  let server: Server;
  let answer: (asked: string) => string = () => '';
  let ends = false;
  let asked = 0;
  const sockets = new Set<Socket>();
  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        asked++;
        const said = answer(bytes.toString());
        if (ends) socket.end(said);
        else socket.write(said);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const gateway = useGateway(() => ({
    servers: [{ name: 'odd', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` }],
  }));

  it.each(table)('%s', async (_, bytes, closes, reason) => {
    answer = () => bytes;
    ends = closes;
    asked = 0;
    const failed = await post(gateway.current.url, initializeMessage());
    expect(refusal(failed)).toMatchObject({ status: 200, reason, server: 'odd' });
    // Sent once more only where no byte of an answer has come.
    expect(asked).toBe(bytes === '' ? 2 : 1);
  });

  it.each(['{}', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'])('sends more behind its answer: %j', async (more) => {
    const told = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'odd', version: '1' } };
    answer = (sent) => {
      const id = /"id":("[^"]*"|\d+)/.exec(sent)?.[1];
      if (id === undefined) return 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n';
      const body = `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(told)}}`;
      return `HTTP/1.1 200 OK\r\n${head}content-length: ${body.length}\r\n\r\n${body}${more}`;
    };
    ends = false;
    const answered = await post(gateway.current.url, initializeMessage());
    expect(message(answered)).toMatchObject({ result: { serverInfo: { name: 'sluice' } } });
  });
});
