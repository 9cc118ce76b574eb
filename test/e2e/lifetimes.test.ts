// Lists of servers of 2026-07-28, which say for how long they may be kept: until then no server is asked.
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mcpHeaders } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';

const modern = '2026-07-28';
const lifetime = { ttlMs: 600_000, cacheScope: 'public' };

describeGateway('lists that say how long they last', () => {
  const asked: string[] = [];
  const servers: Server[] = [];
  const start = async (name: string): Promise<Server> => {
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        asked.push(name);
        const { id } = JSON.parse(body) as { id: string };
        const result = { resultType: 'complete', tools: [{ name: 't', inputSchema: { type: 'object' } }], ...lifetime };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  beforeAll(async () => {
    servers.push(await start('one'), await start('two'));
  });
  afterAll(() => {
    for (const server of servers) server.close().closeAllConnections();
  });

  // One worker: one that asks at the same time as another has not seen its list yet.
  const gateway = useGateway(() => ({
    workers: 1,
    servers: ['one', 'two'].map((name, index) => {
      const { port } = servers[index]?.address() as AddressInfo;
      return { name, url: `http://127.0.0.1:${port}/mcp`, protocol: modern };
    }),
  }));

  const list = async (): Promise<{ tools: { name: string }[]; ttlMs: number; cacheScope: string }> => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': modern,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const answer = await fetch(gateway.current.url, {
      method: 'POST',
      headers: { ...mcpHeaders, 'mcp-protocol-version': modern, 'mcp-method': 'tools/list' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'tools/list', params: { _meta } }),
    });
    return ((await answer.json()) as { result: Awaited<ReturnType<typeof list>> }).result;
  };

  it('are asked for once', async () => {
    const first = await list();
    const second = await list();
    expect(first.tools.map(({ name }) => name)).toEqual(['one_t', 'two_t']);
    expect(second.tools).toEqual(first.tools);
    expect([second.cacheScope, second.ttlMs > 0 && second.ttlMs <= first.ttlMs]).toEqual(['public', true]);
    expect(asked.toSorted()).toEqual(['one', 'two']);
  });
});
