// Servers that ask their client something in the middle of a call: two of them, behind one session.
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { postForEvents } from './clients/event-stream.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, mcpHeaders, openSession, post, resumeSession, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, startGateway, useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type AskingServer, startAskingServer } from './upstreams/asking.ts';
import { type Answer, type Scripted, startScripted, status } from './upstreams/scripted.ts';

const CAPABILITIES = { sampling: {}, elicitation: { form: {} }, roots: { listChanged: true } };
const SERVERS = ['one', 'two'] as const;

describeGateway('requests of SDK servers to an SDK client', () => {
  const servers: AskingServer[] = [];
  beforeAll(async () => {
    for (const name of SERVERS) servers.push(await startAskingServer(name));
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  const gateway = useGateway(() => ({ servers: SERVERS.map((name, i) => ({ name, url: servers[i]?.url ?? '' })) }));

  it.each(bothProtocols)('get their answers, over %s', async (http) => {
    const { client, close } = await connectSdk(gateway.current.url, http, CAPABILITIES);
    client.setRequestHandler(CreateMessageRequestSchema, async ({ params }, { sendNotification }) => {
      const [asked] = params.messages;
      const progressToken = params._meta?.progressToken;
      if (progressToken !== undefined) {
        await sendNotification({ method: 'notifications/progress', params: { progressToken, progress: 7 } });
      }
      return {
        model: 'm',
        role: 'assistant',
        content: { type: 'text', text: `re: ${JSON.stringify(asked?.content)}` },
      };
    });
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
      action: 'accept',
      content: { answer: `re: ${params.message}` },
    }));
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///home' }] }));
    for (const server of servers) expect(server.declared.at(-1)).toEqual(CAPABILITIES);

    const call = async (name: string, args = {}): Promise<unknown> => {
      const { content } = await client.callTool({ name, arguments: args });
      return JSON.parse((content as [{ text: string }])[0].text);
    };
    // Their requests have the same ids, since each server numbers its own.
    const rounds = [0, 1, 2].flatMap((round) => SERVERS.map((server) => ({ server, round })));
    await Promise.all(
      rounds.map(async ({ server, round }) => {
        const said = `${server} ${round}`;
        const text = `re: ${JSON.stringify({ type: 'text', text: said })}`;
        expect(await call(`${server}_sample`, { prompt: said })).toEqual({
          server,
          said: { content: { type: 'text', text }, progress: [7] },
        });
        expect(await call(`${server}_elicit`, { message: said })).toEqual({
          server,
          said: { action: 'accept', content: { answer: `re: ${said}` } },
        });
        expect(await call(`${server}_roots`)).toEqual({ server, said: [{ uri: 'file:///home' }] });
        expect(await call(`${server}_ping`)).toEqual({ server, said: {} });
      }),
    );

    const before = servers.map((server) => server.rootsChanges);
    await client.sendRootsListChanged();
    await until('all servers know', () => servers.every((server, i) => server.rootsChanges === (before[i] ?? 0) + 1));
    await close();
  });

  it('fail where the client says so', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1', CAPABILITIES);
    client.setRequestHandler(ElicitRequestSchema, () => {
      throw new Error('nobody is there');
    });
    const answer = await client.callTool({ name: 'one_elicit', arguments: { message: 'who?' } });
    expect(answer).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('nobody is there') as string }],
    });
    await close();
  });

  it('do not come where the client has nothing to offer', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    for (const server of servers) expect(server.declared.at(-1)).toEqual({});
    await client.callTool({ name: 'one_ping' });
    await close();
  });
});

const KEYS = { sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] } };
const ENV = { SLUICE_KEY_1: Buffer.alloc(32, 7).toString('base64url') };

describeGateway('responses of a client', () => {
  let one: Scripted;
  let two: Scripted;
  let replica: Gateway;
  /** As the server writes it. */
  let serversId = '0';
  let release: () => void = () => undefined;
  const options = (): Parameters<typeof startGateway>[0] => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    plugin: KEYS,
    env: ENV,
  });
  beforeAll(async () => {
    one = await startScripted({ tools: ['ask'], sessionId: 'session-of-one' });
    two = await startScripted({ tools: ['ask'], sessionId: 'session-of-two' });
    replica = await startGateway(options());
  });
  afterAll(() => Promise.all([one.stop(), two.stop(), replica.stop()]));
  beforeEach(() => {
    /** Asks, and goes on only when it is told to. */
    const asks: Answer = async (request, reply) => {
      const params = `{"messages":[],"maxTokens":1,"_meta":{"progressToken":${serversId}}}`;
      reply.head(200, { 'content-type': 'text/event-stream' });
      reply.write(`data: {"jsonrpc":"2.0","id":${serversId},"method":"sampling/createMessage","params":${params}}\n\n`);
      await new Promise<void>((resolve) => (release = resolve));
      reply.end(`data: {"jsonrpc":"2.0","id":${request.id},"result":{"content":[]}}\n\n`);
    };
    for (const server of [one, two]) {
      server.forget();
      server.answers = { POST: status(202), 'tools/call': asks };
    }
  });
  const gateway = useGateway(options);

  /** Calls a tool, and waits for what its server asks. */
  async function call(session: Session, tool = 'one_ask') {
    const headers = { ...mcpHeaders, 'mcp-session-id': session.id };
    const answer = await fetch(gateway.current.url, { method: 'POST', headers, body: callMessage(`"${tool}"`) });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('\n\n')) text += (await reader?.read())?.value ?? '';
    const id = /"id":("[^"]*")/.exec(text)?.[1] ?? '';
    const token = /"progressToken":("[^"]*")/.exec(text)?.[1] ?? '';
    return {
      id,
      token,
      text,
      end: async () => {
        release();
        while (!(await reader?.read())?.done);
      },
    };
  }
  const response = (id: string, more = ''): string =>
    `{"jsonrpc":"2.0","id":${id},"result":{"any":[1.0,{"id":9}]${more}}}`;
  const responses = (server: Scripted): string[] => server.of('POST').map(({ body }) => body.toString());

  it.each(['0', '1', '"1"', '-5', '9007199254740993', '123456789012345678901234567890', '""', String.raw`"a\"\u00e9"`])(
    'reach the server that asked, whose id was %s',
    async (id) => {
      serversId = id;
      const session = await openSession(gateway.current.url);
      const asked = await call(session);
      const replicas = resumeSession(replica.url, session.id);
      for (const by of [session, replicas]) {
        one.forget();
        expect((await by.post(response(asked.id))).status).toBe(202);
        expect(responses(one)).toEqual([response(id)]);
        const { headers } = one.last('POST');
        expect(headers['mcp-session-id']).toBe('session-of-one');
        expect(headers['mcp-protocol-version']).toBe('2025-11-25');
        expect(Number(headers['content-length'])).toBe(Buffer.byteLength(response(id)));
      }
      expect(responses(two)).toEqual([]);
      await asked.end();
    },
  );

  it.each(bothProtocols)('may be large, with the id before or behind the result, over %s', async (http) => {
    serversId = '0';
    const session = await openSession(gateway.current.url, { http });
    const asked = await call(session);
    const large = `,"image":"${'A'.repeat(3 << 20)}"`;
    const medium = `,"image":"${'A'.repeat(600_000)}"`;
    const behind = (id: string): string => `{"result":{"content":{"a":1${medium}}},"jsonrpc":"2.0","id":${id}}`;
    for (const [sent, gets] of [
      [response(asked.id, large), response('0', large)],
      [response(asked.id, medium), response('0', medium)],
      [behind(asked.id), behind('0')],
    ] as const) {
      one.forget();
      expect((await session.post(sent)).status).toBe(202);
      expect(responses(one)[0] === gets).toBe(true);
    }
    const tooLate = await session.post(behind(asked.id).replace(medium, large));
    expect(tooLate.status).toBe(413);
    await asked.end();
  });

  it('that are forged, foreign or of nobody are refused, and no server hears of them', async () => {
    serversId = '0';
    const session = await openSession(gateway.current.url);
    const asked = await call(session);
    const stranger = await openSession(gateway.current.url);
    const changed = asked.id.replace(/.(.)"$/, (_, last: string) => `${asked.id.at(-3) === 'A' ? 'B' : 'A'}${last}"`);
    const refused = { status: 400, id: null, code: -32600, reason: 'invalid_request' };
    for (const id of [changed, '0', '"0"', '""', `"${'A'.repeat(4000)}"`]) {
      expect(refusal(await session.post(response(id)))).toEqual(refused);
    }
    // What was sealed in one session is good in no other.
    expect(refusal(await stranger.post(response(asked.id)))).toEqual(refused);
    expect(message(await stranger.post(response(asked.id))).error?.message).toContain('answers nothing that a server');
    expect(refusal(await post(gateway.current.url, response(asked.id)))).toMatchObject({ reason: 'session_required' });
    const forged = resumeSession(gateway.current.url, 'forged');
    expect(refusal(await forged.post(response(asked.id)))).toMatchObject({ status: 404, reason: 'session_unknown' });
    const unknown = resumeSession(gateway.current.url, session.id, { revision: '2099-01-01' });
    expect(refusal(await unknown.post(response(asked.id)))).toMatchObject({ reason: 'unsupported_version' });
    expect([one, two].flatMap(responses)).toEqual([]);
    await asked.end();
  });

  it('that come a second time reach the same server, and no other', async () => {
    serversId = '0';
    const session = await openSession(gateway.current.url);
    const asked = [await call(session, 'one_ask')];
    await asked[0]?.end();
    asked.push(await call(session, 'two_ask'));
    for (let i = 0; i < 2; i++) expect((await session.post(response(asked[0]?.id ?? ''))).status).toBe(202);
    expect(responses(one)).toEqual([response('0'), response('0')]);
    expect(responses(two)).toEqual([]);
    await asked[1]?.end();
  });

  it('end no session, whatever the server says of them', async () => {
    serversId = '0';
    const session = await openSession(gateway.current.url);
    const asked = await call(session);
    await asked.end();
    for (const code of [400, 404, 500]) {
      one.answers = {
        POST: status(code, 'application/json', '{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}'),
      };
      expect(refusal(await session.post(response(asked.id)))).toMatchObject({
        status: 502,
        reason: 'upstream_status',
        server: 'one',
      });
    }
    expect(one.of('initialize')).toHaveLength(1);
    two.answers = {};
    expect((await session.post(callMessage('"two_none"'))).status).toBe(200);
  });

  it('and progress: its token names the server, and is its own there', async () => {
    serversId = '9007199254740993';
    const session = await openSession(gateway.current.url);
    const asked = await call(session);
    const progress = (token: string): string =>
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1.0,"progressToken":${token}}}`;
    for (const token of [asked.token, '0', '"x"']) expect((await session.post(progress(token))).status).toBe(202);
    await until('the server knows', () => one.of('notifications/progress').length === 1);
    expect(one.last('notifications/progress').body.toString()).toBe(progress(serversId));
    expect(two.of('notifications/progress')).toEqual([]);
    await asked.end();
  });
});

describeGateway('responses where callers are told apart', () => {
  let one: Scripted;
  let release: () => void = () => undefined;
  beforeAll(async () => {
    one = await startScripted({ tools: ['ask'], sessionId: 'session-of-one' });
    one.answers = {
      POST: status(202),
      'tools/call': async (request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write('data: {"jsonrpc":"2.0","id":0,"method":"ping"}\n\n');
        await new Promise<void>((resolve) => (release = resolve));
        reply.end(`data: {"jsonrpc":"2.0","id":${request.id},"result":{"content":[]}}\n\n`);
      },
    };
  });
  afterAll(() => one.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: one.url }],
    plugin: { identity: { trustedHeader: 'x-user' } },
  }));

  it('of another caller are refused, with whichever session they come, and the server does not hear of them', async () => {
    const { url } = gateway.current;
    const alice = { 'x-user': 'alice' };
    const bob = { 'x-user': 'bob' };
    const session = await openSession(url, { headers: alice });
    const others = await openSession(url, { headers: bob });
    const stream = await postForEvents(url, session.id, callMessage('"one_ask"'), alice);
    const { id } = JSON.parse(await stream.next()) as { id: string };
    const response = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{}}`;
    const stolen = await resumeSession(url, session.id, { headers: bob }).post(response);
    expect(refusal(stolen)).toMatchObject({ status: 404, reason: 'session_unknown' });
    expect(refusal(await others.post(response))).toMatchObject({ status: 400, reason: 'invalid_request' });
    expect(one.of('POST')).toEqual([]);
    expect((await session.post(response)).status).toBe(202);
    expect(one.of('POST')).toHaveLength(1);
    release();
    expect(await stream.end()).toHaveLength(1);
  });
});
