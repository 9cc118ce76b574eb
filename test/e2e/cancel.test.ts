// A client that does not want the answer to its call any more.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, openSession, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, never, result, startScripted, status } from './upstreams/scripted.ts';

const CANCELLED = 'notifications/cancelled';

function cancelled(requestId: string, more = ''): string {
  return `{"jsonrpc":"2.0", "method":"${CANCELLED}","params":{"requestId":${requestId},"reason":"é\\u0065${more}"}}`;
}

describeGateway('notifications/cancelled', () => {
  let one: Scripted;
  let two: Scripted;
  let hidden: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['work'], sessionId: 'session-of-one' });
    two = await startScripted({ tools: ['work'], sessionId: 'session-of-two' });
    hidden = await startScripted({ tools: ['work'] });
  });
  afterAll(() => Promise.all([one.stop(), two.stop(), hidden.stop()]));
  beforeEach(() => {
    for (const server of [one, two, hidden]) {
      server.forget();
      server.answers = {};
    }
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
      { name: 'hidden', url: hidden.url },
    ],
    plugin: {
      // A server that never answers would fail the test, if anybody waited for it.
      limits: { handshakeTimeout: '1h' },
      virtualServers: [{ name: 'a/b', tools: ['one_*', 'two_*'] }],
    },
  }));

  it.each(bothProtocols)('reaches every server of the session as it is, over %s', async (http) => {
    const session = await openSession(`${gateway.current.url}/a/b`, { http });
    one.answers = {
      'tools/call': async (request, reply) => {
        await until('the call is cancelled', () => one.of(CANCELLED).length === 1);
        await result('{"content":[]}')(request, reply);
      },
    };
    const call = session.post(callMessage('"one_work"', '{}', '"7"'));
    await until('the call has come', () => one.of('tools/call').length === 1);
    expect((await session.post(cancelled('"7"'))).status).toBe(202);
    await until('both have heard of it', () => [one, two].every((server) => server.of(CANCELLED).length === 1));
    for (const [server, id] of [
      [one, 'session-of-one'],
      [two, 'session-of-two'],
    ] as const) {
      expect(server.last(CANCELLED).body.toString()).toBe(cancelled('"7"'));
      expect(server.last(CANCELLED).headers['mcp-session-id']).toBe(id);
    }
    expect(hidden.requests).toEqual([]);
    expect((await call).status).toBe(200);
  });

  it.each([
    ['never answers', never],
    ['refuses it', status(500)],
  ])('is accepted at once where a server %s', async (_, answer) => {
    const session = await openSession(gateway.current.url);
    one.answers = { [CANCELLED]: answer };
    for (let i = 0; i < 3; i++) expect((await session.post(cancelled(String(i)))).status).toBe(202);
    await until('the others have heard of it', () => two.of(CANCELLED).length === 3);
    expect((await session.post(callMessage('"two_work"'))).status).toBe(200);
  });

  it('goes nowhere without a session, or where it is too large to be repeated', async () => {
    expect((await resumeSession(gateway.current.url, 'forged').post(cancelled('1'))).status).toBe(404);
    const session = await openSession(gateway.current.url);
    expect((await session.post(cancelled('1', 'x'.repeat(20_000)))).status).toBe(202);
    expect((await session.post(callMessage('"one_work"'))).status).toBe(200);
    expect([one, two, hidden].flatMap((server) => server.of(CANCELLED))).toEqual([]);
  });
});

describeGateway('notifications/cancelled for more servers than limits.fanOut', () => {
  let servers: Scripted[];
  beforeAll(async () => {
    servers = await Promise.all([1, 2, 3, 4].map(() => startScripted({ tools: ['work'] })));
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  const gateway = useGateway(() => ({
    servers: servers.map(({ url }, index) => ({ name: `s${index}`, url })),
    plugin: { limits: { fanOut: 2 } },
  }));

  it('reaches them all, so many at a time', async () => {
    const heard = () => servers.filter((server) => server.of(CANCELLED).length > 0);
    let open = 0;
    let most = 0;
    const slow: Answer = async (_, reply) => {
      most = Math.max(most, ++open);
      await until('another is asked, or all were', () => open > 1 || heard().length > 2);
      open--;
      reply.head(202, {});
      reply.end();
    };
    for (const server of servers) server.answers = { [CANCELLED]: slow };
    const session = await openSession(gateway.current.url);
    expect((await session.post(cancelled('1'))).status).toBe(202);
    await until('all have heard of it', () => heard().length === servers.length);
    expect(most).toBe(2);
  });
});
