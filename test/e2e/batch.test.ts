// Batches of 2025-03-26: several messages in one request, and their answers in one.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { events, result, type Scripted, startScripted } from './upstreams/scripted.ts';

const revision = '2025-03-26';
const batch = (...messages: string[]): string => `[${messages.join(' ,\n')}]`;

describeGateway('a batch', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['work'], sessionId: 'session-of-one' });
    two = await startScripted({ tools: ['work', 'secret'], sessionId: 'session-of-two' });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  beforeEach(() => {
    for (const server of [one, two]) {
      server.forget();
      server.answers = {};
    }
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url, callTimeout: '1s' },
      { name: 'two', url: two.url, tools: { deny: ['secret'] } },
    ],
    plugin: { limits: { batch: 8 } },
  }));

  it.each(bothProtocols)('is served message by message, each as if it had come alone, over %s', async (http) => {
    const session = await openSession(gateway.current.url, { http, revision });
    two.answers = {
      'tools/call': events(
        'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}\n\n',
        'data: {"jsonrpc":"2.0","id":ID,"result":{"content":[],"n":9007199254740993}}\n\n',
      ),
    };
    const answer = await session.post(
      batch(
        listMessage('"l"'),
        callMessage('"one_work"', '{"a":1.0}', '1'),
        callMessage('"two_work"', '{}', '"1"'),
        '{"jsonrpc":"2.0","id":2,"method":"ping"}',
        '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
        callMessage('"two_secret"', '{}', '3'),
        '{"jsonrpc":"2.0","id":4,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}',
        '{"jsonrpc":"1.0","id":5,"method":"ping"}',
      ),
    );
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.text).toContain('9007199254740993');
    const answers = JSON.parse(answer.text) as { id: unknown; result?: unknown; error?: unknown }[];
    expect(answers.map(({ id }) => id)).toEqual(['l', 1, '1', 2, 3, 4, 5]);
    expect(answers[0]).toMatchObject({ result: { tools: [{ name: 'one_work' }, { name: 'two_work' }] } });
    expect(answers[4]).toMatchObject({ error: { data: { reason: 'unknown_tool' } } });
    for (const refused of answers.slice(5))
      expect(refused).toMatchObject({ error: { data: { reason: 'invalid_request' } } });
    expect(one.last('tools/call').body.toString()).toBe(callMessage('"work"', '{"a":1.0}', '1'));
    expect(one.last('tools/call').headers['mcp-session-id']).toBe('session-of-one');
    await until('both have heard of what was cancelled', () =>
      [one, two].every((server) => server.of('notifications/cancelled').length === 1),
    );
    expect(two.of('tools/call').length).toBe(1);
  });

  it('is refused in another revision, where it is too long, and where it is empty', async () => {
    const session = await openSession(gateway.current.url, { revision });
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    expect((await session.post(batch(...Array.from({ length: 8 }, () => ping)))).status).toBe(200);
    for (const refused of [batch(...Array.from({ length: 9 }, () => ping)), '[]', batch(ping, '{')]) {
      expect((await session.post(refused)).status).toBe(400);
    }
    const later = await openSession(gateway.current.url, { revision: '2025-06-18' });
    expect(refusal(await later.post(batch(ping)))).toMatchObject({ status: 400, reason: 'invalid_request' });
    const notified = await session.post(batch('{"jsonrpc":"2.0","method":"notifications/initialized"}'));
    expect({ status: notified.status, text: notified.text }).toEqual({ status: 202, text: '' });
  });

  it('says which call a server keeps open, as it does for a question to the client, and answers the others', async () => {
    const session = await openSession(gateway.current.url, { revision, capabilities: { sampling: {} } });
    one.answers = {
      'tools/call': (_, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write('data: {"jsonrpc":"2.0","id":0,"method":"sampling/createMessage","params":{"messages":[]}}\n\n');
      },
    };
    two.answers = { 'tools/call': result('{"content":[]}') };
    const answer = await session.post(
      batch(callMessage('"one_work"', '{}', '1'), callMessage('"two_work"', '{}', '2')),
    );
    const [asked, served] = JSON.parse(answer.text) as { id: unknown; error?: { message: string } }[];
    expect(asked).toMatchObject({ id: 1, error: { data: { reason: 'invalid_request' } } });
    expect(asked?.error?.message).toContain('keeps the event stream of the answer open');
    expect(served).toMatchObject({ id: 2, result: { content: [] } });
    // It does not wait for an answer that cannot come.
    await until('the server has heard that nobody waits', () => one.of('notifications/cancelled').length === 1);
    expect(JSON.parse(one.last('notifications/cancelled').body.toString())).toMatchObject({
      params: { requestId: 1, reason: expect.stringContaining('answers this call whole') as string },
    });
    expect(one.last('notifications/cancelled').headers['mcp-session-id']).toBe('session-of-one');
  });
});
