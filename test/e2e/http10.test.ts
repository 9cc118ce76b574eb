// Clients that speak HTTP/1.0, as nginx does to its upstreams unless it is told otherwise.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callMessage, initializeMessage, listMessage, mcpHeaders } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, events, startScripted } from './upstreams/scripted.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What nginx says of itself. */
const host = { host: 'gateway.example', connection: 'close' };

describeGateway('HTTP/1.0', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['echo'], sessionId: 'a' });
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'mine', url: upstream.url }],
    plugin: { hosts: [host.host] },
  }));

  /** Sends one message. @returns what came until the connection ended */
  async function post(message: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const { hostname, port, pathname } = new URL(gateway.current.url);
    const all = { ...mcpHeaders, 'content-length': String(Buffer.byteLength(message)), ...headers };
    const socket = connect(Number(port), hostname);
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    socket.write([`POST ${pathname} HTTP/1.0`, ...lines, '', message].join('\r\n'));
    const [head = '', ...body] = (await text(socket)).split('\r\n\r\n');
    const [statusLine = '', ...fields] = head.split('\r\n');
    const pairs = fields
      .map((field) => field.split(': '))
      .map(([name = '', value = '']) => [name.toLowerCase(), value]);
    return {
      status: Number(statusLine.split(' ')[1]),
      headers: Object.fromEntries(pairs) as Record<string, string>,
      body: body.join('\r\n\r\n'),
    };
  }

  it('has a whole session', async () => {
    const initialized = await post(initializeMessage(), host);
    expect(initialized).toMatchObject({ status: 200, headers: { connection: 'close' } });
    const session = { ...host, 'mcp-session-id': initialized.headers['mcp-session-id'] ?? '' };
    const list = await post(listMessage(), session);
    expect(JSON.parse(list.body)).toMatchObject({ result: { tools: [{ name: 'mine_echo' }] } });
    const call = await post(callMessage('"mine_echo"'), session);
    expect(JSON.parse(call.body)).toMatchObject({ id: 1, result: {} });
  });

  it('gets the parts of a stream without chunks, and the end of the connection for their end', async () => {
    const initialized = await post(initializeMessage(), host);
    const parts = ['data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n', 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n']; // prettier-ignore
    upstream.answers = { 'tools/call': events(...parts) };
    const session = { ...host, 'mcp-session-id': initialized.headers['mcp-session-id'] ?? '' };
    const call = await post(callMessage('"mine_echo"'), session);
    expect(call).toMatchObject({ status: 200, body: parts.join('') });
    expect(call.headers).not.toHaveProperty('transfer-encoding');
    upstream.answers = {};
  });

  it('has to say which host it means', async () => {
    expect(await post(initializeMessage(), { connection: 'close' })).toMatchObject({ status: 400 });
  });
});
