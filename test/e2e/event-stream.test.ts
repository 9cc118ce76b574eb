// The event stream of a session: what a server says that belongs to no request of its client.
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { withEndpoints } from './adjust.ts';
import { refusal } from './clients/answers.ts';
import { bothProtocols, type Http, type RawAnswer, send } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, openSession, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type AskingServer, startAskingServer } from './upstreams/asking.ts';
import { type RestService, startRestService } from './upstreams/rest.ts';
import { type Answer, type Scripted, startScripted, status } from './upstreams/scripted.ts';
import { startStateful, type Stateful } from './upstreams/stateful.ts';

const CHANGED = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}';

function get(url: string, session: Session, http: Http = 'HTTP/1.1', lastEventId?: string): Promise<RawAnswer> {
  const headers = {
    accept: 'text/event-stream',
    'mcp-session-id': session.id,
    'mcp-protocol-version': '2025-06-18',
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  return send(url, { http, method: 'GET', headers });
}

describeGateway('the event stream of one server', () => {
  let server: Scripted;
  let streams: Parameters<Answer>[1][] = [];
  beforeAll(async () => {
    server = await startScripted({
      sessionId: 'session-of-one',
      initialized: {
        protocolVersion: '2025-03-26',
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { subscribe: true, listChanged: true },
        },
      },
    });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    server.forget();
    streams = [];
    server.answers = {
      GET: (_, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 'session-of-one' });
        reply.write(': hello\n\n');
        streams.push(reply);
      },
      DELETE: (_, reply) => {
        for (const stream of streams) stream.end();
        return status(200)(_, reply);
      },
    };
  });
  const gateway = useGateway(() => ({ servers: [{ name: 'one', url: server.url }] }));

  it.each(bothProtocols)('passes as it comes, and ends with the session, over %s', async (http) => {
    const session = await openSession(gateway.current.url, { http });
    const stream = get(gateway.current.url, session, http);
    await until('the server has it', () => streams.length === 1);
    const { headers } = server.last('GET');
    expect(headers).toMatchObject({
      'mcp-session-id': 'session-of-one',
      'mcp-protocol-version': '2025-03-26',
      accept: 'text/event-stream',
    });
    streams[0]?.write(`data: ${CHANGED}\n\n`);
    expect((await session.end()).status).toBe(200);
    const { status, headers: answered, text } = await stream;
    expect(status).toBe(200);
    expect(answered['content-type']).toBe('text/event-stream');
    expect(answered['mcp-session-id']).toBeUndefined();
    expect(text).toContain(': hello\n\n');
    expect(text).toContain(CHANGED);
    expect(refusal(await get(gateway.current.url, session, http))).toMatchObject({ status: 404 });
  });

  it('offers what the server offers', async () => {
    const { initialized } = await openSession(gateway.current.url);
    const { result } = JSON.parse(initialized.text) as { result: { capabilities: object } };
    expect(result.capabilities).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
    });
  });

  it.each([404, 405])('is none where the server answers %s', async (code) => {
    server.answers = { ...server.answers, GET: status(code, 'text/plain', 'no') };
    const session = await openSession(gateway.current.url);
    const answer = await get(gateway.current.url, session);
    expect(refusal(answer)).toMatchObject({ status: 405, reason: 'method_not_allowed' });
    expect(answer.headers['allow']).toBe('POST, DELETE');
  });

  it('is none without a session, and takes no body', async () => {
    const headers = { accept: 'text/event-stream' };
    expect((await send(gateway.current.url, { method: 'GET', headers })).status).toBe(405);
    const session = await openSession(gateway.current.url);
    const withBody = await send(gateway.current.url, {
      method: 'GET',
      headers: { ...headers, 'mcp-session-id': session.id },
      body: CHANGED,
    });
    expect(withBody.status).toBe(400);
    expect(server.of('GET')).toEqual([]);
  });
});

describeGateway('the event stream of an SDK server', () => {
  let one: AskingServer;
  beforeAll(async () => {
    one = await startAskingServer('one');
  });
  afterAll(() => one.stop());
  const gateway = useGateway(() => ({ servers: [{ name: 'one', url: one.url, prefix: '' }] }));

  it.each(bothProtocols)('tells an SDK client of changes, over %s', async (http) => {
    const { client, transport, close } = await connectSdk(gateway.current.url, http);
    let changes = 0;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      changes++;
    });
    expect(client.getServerCapabilities()).toMatchObject({ tools: { listChanged: true } });
    await until('the client was told', async () => {
      await client.callTool({ name: 'change' });
      return changes > 0;
    });
    await transport.terminateSession();
    expect(one.sessions.size).toBe(0);
    await close();
  });
});

describeGateway('the event stream of several servers', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    const initialized = { capabilities: { tools: { listChanged: true } } };
    one = await startScripted({ sessionId: 'session-of-one', initialized });
    two = await startScripted({ sessionId: 'session-of-two', initialized });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  beforeEach(() => {
    for (const server of [one, two]) server.forget();
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    plugin: { virtualServers: [{ name: 'a/b', tools: ['one_*'] }] },
  }));

  it('is none, and nothing is promised that would need it', async () => {
    const session = await openSession(gateway.current.url);
    expect(JSON.parse(session.initialized.text)).toMatchObject({ result: { capabilities: { tools: {} } } });
    expect(session.initialized.text).not.toContain('listChanged');
    expect(refusal(await get(gateway.current.url, session))).toMatchObject({ status: 405 });
    expect([one, two].flatMap((server) => server.of('GET'))).toEqual([]);
  });

  it('goes on where it broke off, for the server that the last event came from', async () => {
    const ask = '{"jsonrpc":"2.0","id":7,"method":"ping"}';
    const session = await openSession(gateway.current.url);
    for (const [name, server] of [
      ['one', one],
      ['two', two],
    ] as const) {
      server.answers = {
        'tools/call': (request, reply) => {
          reply.head(200, { 'content-type': 'text/event-stream' });
          reply.end(`id: 1/${name}\ndata: {"jsonrpc":"2.0","id":${request.id},"result":{"content":[]}}\n\n`);
        },
        GET: status(200, 'text/event-stream', `id: 2/${name}\ndata: ${ask}\n\n`),
        POST: status(202),
      };
      const called = await session.post(callMessage(`"${name}_tool"`));
      const [, id = ''] = /^id: ?(\S+)$/m.exec(called.text) ?? [];
      expect(id).not.toContain(name);
      const stream = await get(gateway.current.url, session, 'HTTP/1.1', id);
      expect(stream.status).toBe(200);
      expect(server.last('GET').headers['last-event-id']).toBe(`1/${name}`);
      expect(/^id: ?(\S+)$/m.exec(stream.text)?.[1]).not.toContain(name);
      // What comes in it is rewritten as in the stream of a call.
      const [, asked = ''] = /"id":("[^"]+")/.exec(stream.text) ?? [];
      expect((await session.post(`{"jsonrpc":"2.0","id":${asked},"result":{}}`)).status).toBe(202);
      expect(server.last('POST').body.toString()).toBe('{"jsonrpc":"2.0","id":7,"result":{}}');
      const stranger = await openSession(gateway.current.url);
      for (const by of [stranger, session]) {
        const other = by === stranger ? id : `${id}A`;
        expect((await get(gateway.current.url, by, 'HTTP/1.1', other)).status).toBe(405);
      }
    }
  });

  it('is that of the one server which a virtual server has', async () => {
    one.answers = { GET: status(200, 'text/event-stream', `data: ${CHANGED}\n\n`) };
    const url = `${gateway.current.url}/a/b`;
    const session = await openSession(url);
    expect(session.initialized.text).toContain('listChanged');
    const { status: code, text } = await get(url, session);
    expect({ code, text }).toEqual({ code: 200, text: `data: ${CHANGED}\n\n` });
    expect(two.of('GET')).toEqual([]);
  });
});

describeGateway('the event stream of a server with three instances, beside a REST service', () => {
  let instances: Stateful[];
  let service: RestService;
  beforeAll(async () => {
    instances = await Promise.all(['red', 'green', 'blue'].map((name) => startStateful(name)));
    service = await startRestService();
    for (const { server, name } of instances) {
      server.answers = {
        ...server.answers,
        GET: (request, reply) => {
          const isKnown = instances.find((one) => one.name === name)?.latest() === request.headers['mcp-session-id'];
          reply.head(isKnown ? 200 : 404, { 'content-type': 'text/event-stream' });
          reply.end(`data: ${CHANGED.replace('"2.0"', `"2.0","params":{"_meta":{"from":"${name}"}}`)}\n\n`);
        },
      };
    }
  });
  afterAll(() => Promise.all([service.stop(), ...instances.map(({ server }) => server.stop())]));
  const tool = { name: 'empty', args: [], requestTemplate: { url: '/empty', method: 'GET' } };
  const gateway = useGateway(() => ({
    servers: [
      { name: 'notes', url: instances[0]?.server.url ?? '' },
      { name: 'shop', url: service.url, rest: { tools: [tool] } },
    ],
    adjust: withEndpoints(
      'notes',
      instances.map(({ server }) => server.url),
    ),
  }));

  it('comes from the instance that opened the session', async () => {
    const from = new Set<string>();
    for (let i = 0; i < 6; i++) {
      for (const { server } of instances) server.forget();
      const session = await openSession(gateway.current.url);
      const opened = instances.find(({ server }) => server.of('initialize').length > 0);
      for (let again = 0; again < 3; again++) {
        const answer = await get(gateway.current.url, session);
        expect({ status: answer.status, text: answer.text }).toMatchObject({
          status: 200,
          text: expect.stringContaining(`"from":"${opened?.name ?? ''}"`) as string,
        });
      }
      from.add(opened?.name ?? '');
    }
    expect(from.size, 'instances that opened a session').toBeGreaterThan(1);
  });
});

describeGateway('the event stream of REST services alone', () => {
  let service: RestService;
  beforeAll(async () => {
    service = await startRestService();
  });
  afterAll(() => service.stop());
  const tool = { name: 'empty', args: [], requestTemplate: { url: '/empty', method: 'GET' } };
  const gateway = useGateway(() => ({ servers: [{ name: 'shop', url: service.url, rest: { tools: [tool] } }] }));

  it('is none', async () => {
    const session = await openSession(gateway.current.url);
    expect(refusal(await get(gateway.current.url, session))).toMatchObject({
      status: 405,
      reason: 'method_not_allowed',
    });
  });
});
