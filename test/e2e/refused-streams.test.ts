// A server that ends HTTP/2 connections while it is asked: what it refuses with REFUSED_STREAM it has not looked at.
import { once } from 'node:events';
import { type Http2Server, type ServerHttp2Session, constants, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { overHttp2 } from './adjust.ts';
import { callMessage, listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';

const results: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'refusing', version: '1' },
  },
  'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
  'tools/call': { content: [{ type: 'text', text: 'done' }] },
};

describeGateway('what an HTTP/2 server refuses unseen', () => {
  /** The methods that it was asked for, the refused ones too. */
  const asked: string[] = [];
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server;
  beforeAll(async () => {
    server = createServer();
    server.on('session', (session) => sessions.add(session));
    server.on('stream', (stream) => {
      let body = '';
      stream.on('error', () => undefined);
      stream.setEncoding('utf8').on('data', (text: string) => (body += text));
      stream.on('end', () => {
        const { id, method = '' } = (body === '' ? {} : JSON.parse(body)) as { id?: unknown; method?: string };
        const isFirst = !asked.includes(method);
        asked.push(method);
        const result = results[method];
        if (isFirst) stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else if (result === undefined) stream.respond({ ':status': 202 }, { endStream: true });
        else {
          stream.respond({ ':status': 200, 'content-type': 'application/json', 'mcp-session-id': 'one' });
          stream.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
        }
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    for (const session of sessions) session.destroy();
    server.close();
    await once(server, 'close');
  });
  const gateway = useGateway(() => ({
    servers: [{ name: 'refusing', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` }],
    adjust: overHttp2('refusing'),
  }));

  it('is sent once more: handshakes, lists and calls', async () => {
    const session = await openSession(gateway.current.url);
    expect((await session.post(listMessage())).text).toContain('"refusing_echo"');
    expect((await session.post(callMessage('"refusing_echo"'))).text).toContain('"done"');
    for (const method of ['initialize', 'notifications/initialized', 'tools/list', 'tools/call']) {
      expect(asked.filter((each) => each === method)).toHaveLength(2);
    }
  });
});
