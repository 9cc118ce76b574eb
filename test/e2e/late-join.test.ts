// Upstream sessions that begin, end or begin anew while a client's lasts.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, listMessage, openSession, resumeSession } from './clients/session.ts';
import { framings, upload } from './clients/upload.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Recorded, events } from './upstreams/scripted.ts';
import { served, startStateful, type Stateful } from './upstreams/stateful.ts';

describeGateway('a session', () => {
  let there: Stateful;
  /** Three for the tests of each protocol: one that was missed is not listed for some seconds. */
  let late: readonly Stateful[];
  beforeAll(async () => {
    there = await startStateful('there');
    late = await Promise.all(Array.from({ length: 6 }, (_, i) => startStateful(`late${i}`)));
  });
  afterAll(() => Promise.all([there, ...late].map(({ server }) => server.stop())));
  const keys = { plugin: { sessions: { keys: [{ id: 1, env: 'KEY' }] } }, env: { KEY: newKey() } };
  const entry = ({ name, server }: Stateful): { name: string; url: string } => ({ name, url: server.url });
  const gateway = useGateway(() => ({ ...keys, servers: [there, ...late].map(entry) }));
  /** The same gateway, before the other servers were added. */
  const earlier = useGateway(() => ({ ...keys, servers: [entry(there)] }));

  /** A session that began while this server was down. */
  async function withoutServer({ server }: Stateful, http: (typeof bothProtocols)[number]) {
    await server.stop();
    const session = await openSession(gateway.current.url, { http });
    await server.start();
    server.forget();
    return session;
  }

  describe.each(bothProtocols)('over %s', (http) => {
    const own = (index: number): Stateful => {
      const found = late[(http === 'HTTP/2' ? 3 : 0) + index];
      if (found === undefined) throw new Error('there are not so many servers');
      return found;
    };

    it('is joined by a call to a server that was down, on every worker', async () => {
      const stateful = own(0);
      const { server, name } = stateful;
      const session = await withoutServer(stateful, http);
      expect((await session.post(callMessage(`"${name}_echo"`))).status).toBe(200);
      const joined = stateful.latest();
      expect(server.requests.map(step)).toEqual([
        ['initialize', undefined],
        ['notifications/initialized', joined],
        ['tools/call', joined],
      ]);
      await onEveryWorker(gateway.current, async () => {
        server.forget();
        expect((await session.post(callMessage(`"${name}_echo"`))).status).toBe(200);
        expect(toolNames(await session.post(listMessage()))).toContain(`${name}_echo`);
        expect(server.requests.map(step)).toEqual([
          ['tools/call', joined],
          ['tools/list', joined],
        ]);
      });
    });

    it('is joined by a large call, which waits for that', async () => {
      const stateful = own(0);
      const session = await withoutServer(stateful, http);
      const whole = (tool: string): string => callMessage(`"${tool}"`, JSON.stringify({ text: 'x'.repeat(500_000) }));
      expect((await session.post(whole(`${stateful.name}_echo`))).status).toBe(200);
      expect(stateful.server.requests.map(step).map(([method]) => method)).toEqual([
        ...['initialize', 'notifications/initialized', 'tools/call'],
      ]);
      expect(stateful.server.last('tools/call').body.toString()).toBe(whole('echo'));
    });

    it('is joined by a list, and the calls that follow, where a server was added', async () => {
      const stateful = own(1);
      const { server, name } = stateful;
      const { id } = await openSession(earlier.current.url, { http });
      const session = resumeSession(gateway.current.url, id, { http });
      server.forget();
      expect(toolNames(await session.post(listMessage()))).toContain(`${name}_echo`);
      const joined = stateful.latest();
      expect(server.requests.map(step)).toEqual([
        ['initialize', undefined],
        ['notifications/initialized', joined],
        ['tools/list', joined],
      ]);
      await onEveryWorker(gateway.current, async () => {
        server.forget();
        expect((await session.post(callMessage(`"${name}_echo"`))).status).toBe(200);
        expect(server.requests.map(step)).toEqual([['tools/call', joined]]);
      });
    });

    it('leaves a server that was down alone for a while, but for calls', async () => {
      const stateful = own(2);
      const { server, name } = stateful;
      const session = await withoutServer(stateful, http);
      expect(toolNames(await session.post(listMessage()))).not.toContain(`${name}_echo`);
      expect(server.arrivals).toEqual([]);
      expect(message(await session.post(callMessage(`"${name}_echo"`)))).toHaveProperty('result');
      expect(toolNames(await session.post(listMessage()))).toContain(`${name}_echo`);
      expect(server.of('initialize')).toHaveLength(1);
    });

    it('ends what was joined late as well', async () => {
      const stateful = own(0);
      const { server, name } = stateful;
      const session = await withoutServer(stateful, http);
      await session.post(callMessage(`"${name}_echo"`));
      const joined = stateful.latest();
      there.server.forget();
      server.forget();
      expect((await session.end()).status).toBe(200);
      expect(server.requests.map(step)).toEqual([['DELETE', joined]]);
      expect(there.server.requests.map(step)).toEqual([['DELETE', there.latest()]]);
      const answer = await resumeSession(gateway.current.url, session.id, { http }).post(callMessage(`"${name}_echo"`));
      expect(refusal(answer)).toMatchObject({ status: 404, reason: 'session_unknown' });
      expect(server.requests).toHaveLength(1);
    });

    const lost = [
      ['JSON', served, /^\{"jsonrpc":"2.0","id":"c","result":\{"content":.*\}\}$/],
      [
        'events',
        events(': working\n\n', 'data: {"jsonrpc":"2.0","id":ID,"result":{}}\n\n'),
        /^: working\n\ndata: \{"jsonrpc":"2.0","id":"c","result":\{\}\}\n\n$/,
      ],
    ] as const;
    it.each(lost)('that its server has lost begins anew there, and nobody notices: %s', async (_, answer, expected) => {
      const { server } = there;
      const session = await openSession(gateway.current.url, { http });
      await session.post(callMessage('"there_echo"'));
      const before = there.latest();
      there.loseAll();
      there.serve(answer);
      server.forget();
      const answered = await session.post(callMessage('"there_echo"', '{"x":1.0}', '"c"'));
      there.serve(served);
      expect(answered.status).toBe(200);
      expect(answered.text).toMatch(expected);
      expect(answered.headers['mcp-session-id']).toBeUndefined();
      const after = there.latest();
      expect(server.requests.map(step)).toEqual([
        ['tools/call', before],
        ['initialize', undefined],
        ['notifications/initialized', after],
        ['tools/call', after],
      ]);
      const [first, second] = server.of('tools/call').map(({ body }) => body.toString());
      expect(second).toBe(first);
      await onEveryWorker(gateway.current, async () => {
        server.forget();
        expect((await session.post(callMessage('"there_echo"'))).status).toBe(200);
        expect(toolNames(await session.post(listMessage()))).toContain('there_echo');
        expect(server.requests.map(step)).toEqual([
          ['tools/call', after],
          ['tools/list', after],
        ]);
      });
      server.forget();
      await session.end();
      expect(server.requests.map(step)).toEqual([['DELETE', after]]);
    });

    it('that its server has lost begins anew there for a list', async () => {
      const session = await openSession(gateway.current.url, { http });
      const before = there.latest();
      there.loseAll();
      there.server.forget();
      expect(toolNames(await session.post(listMessage()))).toContain('there_echo');
      const after = there.latest();
      expect(there.server.requests.map(step)).toEqual([
        ['tools/list', before],
        ['initialize', undefined],
        ['notifications/initialized', after],
        ['tools/list', after],
      ]);
    });
  });

  it.each(framings)(
    'that is lost under a call that was sent on early is renewed, and the call is to be sent again: %s',
    async (framing) => {
      const { server } = there;
      const session = await openSession(gateway.current.url);
      there.loseAll();
      server.forget();
      const body = Buffer.from(callMessage('"there_echo"', JSON.stringify({ text: 'x'.repeat(1 << 20) }), '"c"'));
      const headers = { 'mcp-session-id': session.id, 'mcp-protocol-version': '2025-11-25' };
      const sent = upload(gateway.current.url, { framing, headers, size: body.length });
      void sent.write(body.subarray(0, -100));
      await until('the call is sent on', () => (server.arrivals[0]?.size ?? 0) > 0);
      await sent.write(body.subarray(-100));
      sent.end();
      const lost = { status: 200, id: 'c', code: -32603, reason: 'upstream_session_lost', server: 'there' };
      expect(refusal(await sent.answer)).toEqual(lost);
      const steps = ['tools/call', 'initialize', 'notifications/initialized'];
      expect(server.requests.map(step).map(([method]) => method)).toEqual(steps);
      expect(message(await session.post(body))).toHaveProperty('result');
    },
  );
});

function newKey(): string {
  return randomBytes(32).toString('base64url');
}

/** What a server was asked, and in which session. */
const step = ({ rpcMethod, method, headers }: Recorded): [string, unknown] => [
  rpcMethod ?? method,
  headers['mcp-session-id'],
];

/** One after the other, on connections of their own, until each worker has had one. */
async function onEveryWorker(gateway: Gateway, act: () => Promise<void>): Promise<void> {
  const before = await connections(gateway);
  await until('each worker has had a connection', async () => {
    await act();
    return (await connections(gateway)).every((count, worker) => count > (before[worker] ?? 0));
  });
}

async function connections(gateway: Gateway): Promise<number[]> {
  const stats = [...(await gateway.stats())].filter(([name]) => /\.worker_\d+\.downstream_cx_total$/.test(name));
  return stats.sort(([a], [b]) => a.localeCompare(b)).map(([, count]) => count);
}
