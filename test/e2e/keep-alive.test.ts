// A refusal is an answer like any other: it must not cost a client its connection.
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

describeGateway('a connection over HTTP/1.1', () => {
  let server: Scripted;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
  });
  afterAll(async () => {
    agent.destroy();
    await server.stop();
  });
  const gateway = useGateway(() => ({ servers: [{ name: 'server', url: server.url }] }));

  /** Status of the answer, and the client's port: another one is another connection. */
  async function post(body: string, headers: Record<string, string> = {}): Promise<[number | undefined, number]> {
    const sent = request(gateway.current.url, { method: 'POST', agent, headers });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const port = answer.socket.localPort ?? 0;
    await text(answer);
    return [answer.statusCode, port];
  }

  it('goes on after every kind of refusal', async () => {
    const [first, port] = await post('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    expect(first).toBe(400);
    const others = [
      await post('not JSON'),
      await post('[]'),
      await post('{"jsonrpc":"2.0","id":1,"method":"ping"}', { 'mcp-session-id': 'forged' }),
      await post('{}', { origin: 'https://elsewhere.example' }),
      await post('{}', { 'x-mcp-virtualserver': 'no/such' }),
    ];
    expect(others).toEqual([
      [400, port],
      [400, port],
      [404, port],
      [403, port],
      [404, port],
    ]);
  });
});
