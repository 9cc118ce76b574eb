// Servers that ask their client something in the middle of a call.
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, openSession, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Recorded, type Scripted, startScripted, status } from './upstreams/scripted.ts';

const ASKING =
  '{"jsonrpc":"2.0","id":"ask-1","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}';
const response = (id: string): string => `{"jsonrpc":"2.0","id":${id},"result":{"any":[1.0,{"id":9}]}}`;

/** Messages without a method. */
function responses(server: Scripted): Recorded[] {
  return server.of('POST');
}

describeGateway('requests of a server to its client', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['ask'], sessionId: 'session-of-one' });
    two = await startScripted({ tools: ['echo'], sessionId: 'session-of-two' });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  beforeEach(() => {
    /** Asks, and goes on only once somebody has answered. */
    const asks: Answer = async (request, reply) => {
      reply.head(200, { 'content-type': 'text/event-stream' });
      reply.write(`data: ${ASKING}\n\n`);
      await until('the server has an answer', () => responses(one).length > 0);
      const answer = JSON.parse(responses(one)[0]?.body.toString() ?? '') as { error?: { message: string } };
      const content = [{ type: 'text', text: answer.error?.message ?? 'answered' }];
      reply.end(`data: {"jsonrpc":"2.0","id":${request.id},"result":${JSON.stringify({ content })}}\n\n`);
    };
    for (const server of [one, two]) {
      server.forget();
      server.answers = { POST: status(202) };
    }
    one.answers['tools/call'] = asks;
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    // Servers that never answer would fail the test, if anybody waited for them.
    plugin: { limits: { handshakeTimeout: '1h' } },
  }));

  it.each(bothProtocols)('fail at once where a client answers them, over %s', async (http) => {
    const { client, close } = await connectSdk(gateway.current.url, http, { sampling: {} });
    const errors: Error[] = [];
    client.onerror = (error) => errors.push(error);
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      model: 'm',
      role: 'assistant',
      content: { type: 'text', text: 'hello' },
    }));
    const capabilities = [one, two].map((server) => {
      const sent = JSON.parse(server.last('initialize').body.toString()) as { params: { capabilities: unknown } };
      return sent.params.capabilities;
    });
    expect(capabilities).toEqual([{}, {}]);
    const { content } = await client.callTool({ name: 'one_ask' });
    expect(content).toEqual([{ type: 'text', text: expect.stringContaining('This client cannot be asked') as string }]);
    await until('the client knows why', () =>
      errors.some(({ message }) => message.includes('A response is not taken here')),
    );
    await close();
  });

  it.each(bothProtocols)('are told to have failed under their own id, over %s', async (http) => {
    const session = await openSession(gateway.current.url, { http });
    for (const id of ['"ask-1"', '9007199254740993', '"\\u00e9"']) {
      const before = [one, two].map((server) => responses(server).length);
      const answer = await session.post(response(id));
      expect(refusal(answer)).toEqual({ status: 400, id: null, code: -32600, reason: 'invalid_request' });
      expect(message(answer).error?.message).toContain('were told that what they asked for failed');
      await until('both servers have heard of it', () =>
        [one, two].every((server, index) => responses(server).length === (before[index] ?? 0) + 1),
      );
      for (const [server, sessionId] of [
        [one, 'session-of-one'],
        [two, 'session-of-two'],
      ] as const) {
        const { body, headers } = server.last('POST');
        expect(body.toString().startsWith(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"`)).toBe(true);
        expect(headers['mcp-session-id']).toBe(sessionId);
      }
    }
    expect((await session.post(callMessage('"two_echo"'))).status).toBe(200);
  });

  it('concern no server where the response is of no session, or answers nothing certain', async () => {
    const stray = await post(gateway.current.url, response('1'));
    expect(refusal(stray)).toMatchObject({ status: 400, id: null, reason: 'invalid_request' });
    expect(message(stray).error?.message).toContain('no server was told');
    const forged = await resumeSession(gateway.current.url, 'forged').post(response('1'));
    expect(refusal(forged)).toMatchObject({ status: 404, reason: 'session_unknown' });
    const session = await openSession(gateway.current.url);
    const nothing = await session.post('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}');
    expect(nothing.status).toBe(400);
    await session.post(callMessage('"two_echo"'));
    expect([one, two].flatMap(responses)).toEqual([]);
  });
});
