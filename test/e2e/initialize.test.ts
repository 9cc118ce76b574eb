import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { bothProtocols, send } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { initializeMessage, listMessage, openSession, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Answer, type Scripted, events, startScripted, status } from './upstreams/scripted.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

describeGateway('initialize', () => {
  let json: SdkServer;
  let streaming: SdkServer;
  let scripted: Scripted;
  beforeAll(async () => {
    json = await startSdkServer({ name: 'json', json: true, instructions: 'Speak "softly".' });
    streaming = await startSdkServer({ name: 'streaming', instructions: 'Listen\nwell.' });
    const capabilities = { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true }, logging: {} };
    scripted = await startScripted({ initialized: { capabilities }, sessionId: 'upstream-session' });
  });
  afterAll(async () => {
    await Promise.all([json.stop(), streaming.stop(), scripted.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'json', url: json.url },
      { name: 'streaming', url: streaming.url, prefix: 'st.' },
      { name: 'scripted', url: scripted.url },
    ],
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it('gives the SDK client one server that speaks for all', async () => {
      const { client, transport, close } = await connectSdk(gateway.current.url, http);
      expect(client.getServerVersion()).toEqual({ name: 'sluice', version: expect.any(String) as string });
      expect(client.getServerCapabilities(), 'only what the gateway serves').toEqual({
        tools: {},
        prompts: {},
        resources: {},
        logging: {},
      });
      expect(client.getInstructions()).toBe(
        '# json (its tools begin with json_)\n\nSpeak "softly".\n\n# streaming (its tools begin with st.)\n\nListen\nwell.',
      );
      expect(transport.protocolVersion).toBe('2025-11-25');
      expect(transport.sessionId).toMatch(/^[\x21-\x7e]{1,4096}$/);
      await client.ping();
      await close();
    });

    it.each([
      ['2024-11-05', '2024-11-05'],
      ['2025-03-26', '2025-03-26'],
      ['2025-06-18', '2025-06-18'],
      ['2025-11-25', '2025-11-25'],
      ['2026-07-28', '2025-11-25'],
      ['1999-12-31', '2025-11-25'],
      ['', '2025-11-25'],
    ])('answers the offer of revision %j with %s and offers its servers the same', async (offered, negotiated) => {
      const body = initializeMessage(offered);
      const answer = await post(gateway.current.url, body, { http });
      expect(answer.status).toBe(200);
      expect(message(answer).result?.['protocolVersion']).toBe(negotiated);
      const sent = JSON.parse(scripted.last('initialize').body.toString()) as { params: Record<string, unknown> };
      expect(sent.params).toEqual({
        protocolVersion: negotiated,
        capabilities: {}, // nothing that the gateway could not carry to the client
        clientInfo: (JSON.parse(body) as { params: { clientInfo: object } }).params.clientInfo,
      });
    });

    it('is the same with a slash behind the endpoint', async () => {
      for (const behind of ['/', '/?x=1']) {
        const { id } = await openSession(gateway.current.url + behind, { http });
        for (const url of [gateway.current.url, `${gateway.current.url}/`]) {
          expect((await resumeSession(url, id, { http }).post(listMessage())).text).toContain('"st.');
        }
      }
    });

    it('says in a header that the gateway answered', async () => {
      const { initialized } = await openSession(gateway.current.url, { http });
      expect(initialized.headers['x-mcp-gateway']).toMatch(/^sluice\/\d+\.\d+\.\d+/);
      expect(initialized.headers['content-type']).toBe('application/json');
    });

    it('has confirmed every upstream session by the time it answers', async () => {
      scripted.forget();
      await openSession(gateway.current.url, { http });
      expect(scripted.requests.map(({ rpcMethod }) => rpcMethod)).toEqual(['initialize', 'notifications/initialized']);
      const [first, confirmed] = scripted.requests;
      expect(first?.headers).not.toHaveProperty('mcp-session-id');
      expect(confirmed?.headers['mcp-session-id']).toBe('upstream-session');
      expect(confirmed?.headers['mcp-protocol-version']).toBe('2025-11-25');
      expect(confirmed?.body.toString()).toBe('{"jsonrpc":"2.0","method":"notifications/initialized"}');
      expect(first?.headers['accept']).toBe('application/json, text/event-stream');
      expect(first?.headers['content-type']).toBe('application/json');
    });

    it("accepts the client's notifications with 202 and nothing else, and sends them to nobody", async () => {
      const session = await openSession(gateway.current.url, { http });
      scripted.forget();
      for (const method of ['notifications/initialized', 'notifications/cancelled', 'notifications/of-tomorrow']) {
        const answer = await session.post(`{"jsonrpc":"2.0","method":"${method}"}`);
        expect(answer.status, method).toBe(202);
        expect(answer.body.length, method).toBe(0);
        expect(answer.headers, method).not.toHaveProperty('content-type');
      }
      expect(scripted.requests).toEqual([]);
    });

    it.each(['GET', 'PUT', 'PATCH', 'OPTIONS'])(
      'answers %s with 405 and the methods that there are',
      async (method) => {
        const { id } = await openSession(gateway.current.url, { http });
        const headers = { 'mcp-session-id': id, accept: 'text/event-stream' };
        const answer = await send(gateway.current.url, { http, method, headers });
        expect(answer.status).toBe(405);
        // With several servers there is no stream to get.
        expect(answer.headers['allow']).toBe(method === 'GET' ? 'POST, DELETE' : 'GET, POST, DELETE');
        expect(refusal(answer)).toMatchObject({ id: null, reason: 'method_not_allowed' });
      },
    );

    it('answers HEAD with 405 and no body', async () => {
      const answer = await send(gateway.current.url, { http, method: 'HEAD' });
      expect([answer.status, answer.headers['allow'], answer.body.length]).toEqual([405, 'GET, POST, DELETE', 0]);
    });

    it('begins anew for a client whose session is gone', async () => {
      const headers = { 'mcp-session-id': 'of-yesterday', 'mcp-protocol-version': '2025-06-18' };
      const answer = await post(gateway.current.url, initializeMessage(), { http, headers });
      expect(answer.status).toBe(200);
      expect(answer.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]{40,4096}$/);
    });

    it('refuses initialize without a revision', async () => {
      const answer = await post(gateway.current.url, '{"jsonrpc":"2.0","id":5,"method":"initialize","params":{}}', {
        http,
      });
      expect(refusal(answer)).toEqual({ status: 400, id: 5, code: -32600, reason: 'invalid_request' });
    });
  });

  it('takes a server at its own revision, and speaks that to it', async () => {
    scripted.answers = { initialize: initializedWith('2025-03-26') };
    const session = await openSession(gateway.current.url);
    expect(message(session.initialized).result?.['protocolVersion']).toBe('2025-11-25');
    expect(scripted.last('notifications/initialized').headers['mcp-protocol-version']).toBe('2025-03-26');
    scripted.answers = {};
  });

  it.each([
    [
      'a priming event without data',
      'id: 0\ndata:\n\n',
      'event: message\ndata: {"jsonrpc":"2.0","id":ID,"result":RESULT}\n\n',
    ],
    [
      'a notification first',
      'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\ndata: {"jsonrpc":"2.0","id":ID,"result":RESULT}\n\n',
    ],
    ['line ends of CR and LF, data in two lines', 'data: {"jsonrpc":"2.0","id":ID,\r\ndata: "result":RESULT}\r\n\r\n'],
    ['no blank line at the end', 'data: {"jsonrpc":"2.0","id":ID,"result":RESULT}\n'],
    ['a comment and a byte order mark', '\ufeff: hello\n\ndata:{"jsonrpc":"2.0","id":ID,"result":RESULT}\n\n'],
  ])('reads an event stream with %s', async (_, ...parts) => {
    const result =
      '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"},"instructions":"from a stream"}';
    scripted.answers = { initialize: events(...parts.map((part) => part.replace('RESULT', result))) };
    const { initialized } = await openSession(gateway.current.url);
    expect(message(initialized).result?.['instructions']).toContain(
      '(its tools begin with scripted_)\n\nfrom a stream',
    );
    scripted.answers = {};
  });

  it('takes a server that keeps no session and accepts notifications with 200', async () => {
    scripted.answers = { initialize: initializedWith('2025-11-25', {}), 'notifications/initialized': status(200) };
    await openSession(gateway.current.url);
    expect(scripted.last('notifications/initialized').headers).not.toHaveProperty('mcp-session-id');
    scripted.answers = {};
  });
});

function initializedWith(
  revision: string,
  headers: Record<string, string> = { 'mcp-session-id': 'upstream-session' },
): Answer {
  const result = { protocolVersion: revision, capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } };
  return (request, reply) => {
    reply.head(200, { 'content-type': 'application/json; charset=utf-8', ...headers });
    reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":${JSON.stringify(result)}}`);
  };
}
