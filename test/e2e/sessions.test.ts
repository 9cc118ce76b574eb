import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from './clients/answers.ts';
import { bothProtocols, send } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, listMessage, openSession, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, type GatewayOptions, expectSound, startGateway, useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

const env = { OLD_KEY: newKey(), NEW_KEY: newKey() };
const old = { id: 1, env: 'OLD_KEY' };
const fresh = { id: 2, env: 'NEW_KEY' };

function newKey(): string {
  return randomBytes(32).toString('base64url');
}

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const unknown = { status: 404, id: null, code: -32001, reason: 'session_unknown' };

/** Enough for each worker to get some: connections are spread by the kernel. */
const manyConnections = 24;

describeGateway('a session', () => {
  let scripted: Scripted;
  let sdk: SdkServer;
  beforeAll(async () => {
    scripted = await startScripted({ tools: ['echo'], sessionId: 'not a uuid: 0123456789' });
    sdk = await startSdkServer({ name: 'sdk' });
  });
  afterAll(async () => {
    await Promise.all([scripted.stop(), sdk.stop()]);
  });
  const configured = (keys: readonly object[], more: Record<string, unknown> = {}): GatewayOptions => ({
    servers: [
      { name: 'scripted', url: scripted.url },
      { name: 'sdk', url: sdk.url },
    ],
    plugin: { ...more, sessions: { keys } },
    env,
  });
  const gateway = useGateway(() => configured([old]));

  /** Runs `test` against another gateway process. */
  async function withGateway(options: GatewayOptions, test: (other: Gateway) => Promise<void>): Promise<void> {
    const other = await startGateway(options);
    try {
      await test(other);
      await expectSound(other);
    } finally {
      await other.stop();
    }
  }

  describe.each(bothProtocols)('over %s', (http) => {
    it('is served by every worker', async () => {
      const session = await openSession(gateway.current.url, { http });
      const before = await connectionsByWorker(gateway.current);
      const calls = Array.from({ length: manyConnections }, () => session.post(callMessage('"sdk_echo"')));
      expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(manyConnections).fill(200));
      const after = await connectionsByWorker(gateway.current);
      expect(
        after.map((count, worker) => count > (before[worker] ?? 0)),
        'each worker got a connection',
      ).toEqual([true, true]);
    });

    it.each([listMessage(), callMessage('"sdk_echo"'), ping])('is needed for %s', async (body) => {
      const { post } = await openSession(gateway.current.url, { http });
      const answer = await send(gateway.current.url, { http, body, headers: { 'content-type': 'application/json' } });
      expect(refusal(answer)).toEqual({ status: 400, id: 1, code: -32000, reason: 'session_required' });
      expect((await post(body)).status).toBe(200);
    });

    it('is none where its id is changed in any place', async () => {
      const { id } = await openSession(gateway.current.url, { http });
      const places = [0, 1, 2, 3, 10, 19, 20, id.length >> 1, id.length - 23, id.length - 2, id.length - 1];
      const forged = places.map((at) => id.slice(0, at) + (id[at] === 'A' ? 'B' : 'A') + id.slice(at + 1));
      const odd = [
        id.slice(0, -1),
        id.slice(1),
        `${id}A`,
        `${id}=`,
        id + id,
        'x',
        randomBytes(120).toString('base64url'),
        'A'.repeat(5_000),
        '~'.repeat(100),
      ];
      for (const other of [...forged, ...odd]) {
        const answer = await resumeSession(gateway.current.url, other, { http }).post(ping);
        expect(refusal(answer), other).toEqual(unknown);
      }
      expect((await resumeSession(gateway.current.url, id, { http }).post(ping)).status).toBe(200);
    });

    it('ends on every worker, and upstream, when the client ends it', async () => {
      const { client, transport, close } = await connectSdk(gateway.current.url, http);
      const id = transport.sessionId ?? '';
      await client.callTool({ name: 'sdk_echo' });
      const bystander = await openSession(gateway.current.url, { http });
      const upstream = sdk.sessions.size;
      scripted.forget();
      await transport.terminateSession();
      expect(
        scripted.requests.map(({ method, body, headers }) => [method, body.length, headers['mcp-session-id']]),
      ).toEqual([['DELETE', 0, 'not a uuid: 0123456789']]);
      expect(sdk.sessions.size).toBe(upstream - 1);
      await close();
      const ended = resumeSession(gateway.current.url, id, { http });
      const answers = await Promise.all(Array.from({ length: manyConnections }, () => ended.post(ping)));
      for (const answer of answers) expect(refusal(answer)).toEqual(unknown);
      expect(refusal(await ended.end())).toEqual(unknown);
      expect((await bystander.post(callMessage('"sdk_echo"'))).status).toBe(200);
    });

    it('may end though an upstream does not allow that, or is gone', async () => {
      scripted.answers = {
        DELETE: (_, reply) => {
          reply.reset();
        },
      };
      const session = await openSession(gateway.current.url, { http });
      const answer = await session.end();
      expect([answer.status, answer.body.length]).toEqual([200, 0]);
      expect(refusal(await session.post(ping))).toEqual(unknown);
      scripted.answers = {};
    });

    it('is not ended by a DELETE without its id', async () => {
      const answer = await send(gateway.current.url, { http, method: 'DELETE' });
      expect(refusal(answer)).toEqual({ status: 400, id: null, code: -32000, reason: 'session_required' });
    });
  });

  it('does not show what it holds', async () => {
    const { id } = await openSession(gateway.current.url);
    const shown = Buffer.from(id, 'base64url').toString('latin1');
    for (const secret of ['not a uuid', '0123456789', 'scripted', 'sdk', ...sdk.sessions]) {
      expect(id).not.toContain(secret);
      expect(shown).not.toContain(secret);
    }
    expect((await openSession(gateway.current.url)).id).not.toBe(id);
  });

  it('lives on in another gateway with the same key, and in one that starts later', async () => {
    const session = await openSession(gateway.current.url);
    for (let restart = 0; restart < 2; restart++) {
      await withGateway(configured([old]), async (other) => {
        const there = resumeSession(other.url, session.id);
        expect((await there.post(callMessage('"scripted_echo"'))).status).toBe(200);
        expect((await there.post(callMessage('"sdk_echo"'))).status).toBe(200);
        expect((await there.post(listMessage())).status).toBe(200);
      });
    }
  });

  it('outlives the change of keys until its own key is taken away', async () => {
    const early = await openSession(gateway.current.url);
    let late = '';
    await withGateway(configured([fresh, old]), async (rotated) => {
      expect((await resumeSession(rotated.url, early.id).post(ping)).status).toBe(200);
      late = (await openSession(rotated.url)).id;
    });
    await withGateway(configured([fresh]), async (done) => {
      expect((await resumeSession(done.url, late).post(ping)).status).toBe(200);
      expect(refusal(await resumeSession(done.url, early.id).post(ping))).toEqual(unknown);
    });
    expect(refusal(await resumeSession(gateway.current.url, late).post(ping)), 'sealed with the new key').toEqual(
      unknown,
    );
  });

  it('is good at the replicas of the step before and of the step after, while keys are changed in steps', async () => {
    await withGateway(configured([old, fresh]), async (opens) => {
      const early = await openSession(gateway.current.url);
      expect((await resumeSession(opens.url, early.id).post(ping)).status).toBe(200);
      const before = await openSession(opens.url);
      expect((await resumeSession(gateway.current.url, before.id).post(ping)).status).toBe(200);
      await withGateway(configured([fresh, old]), async (seals) => {
        expect((await resumeSession(seals.url, before.id).post(ping)).status).toBe(200);
        const after = await openSession(seals.url);
        expect((await resumeSession(opens.url, after.id).post(ping)).status).toBe(200);
      });
    });
  });

  it('is none under another key of the same number', async () => {
    const session = await openSession(gateway.current.url);
    await withGateway(configured([{ ...old, env: 'NEW_KEY' }]), async (other) => {
      expect(refusal(await resumeSession(other.url, session.id).post(ping))).toEqual(unknown);
    });
  });

  it('is none at another endpoint', async () => {
    const session = await openSession(gateway.current.url);
    await withGateway(configured([old], { endpoint: '/pcm' }), async (other) => {
      expect(refusal(await resumeSession(other.url, session.id).post(ping))).toEqual(unknown);
      await openSession(other.url);
    });
  });

  it('expires', async () => {
    const options = configured([old]);
    await withGateway({ ...options, plugin: { sessions: { keys: [old], ttl: '2s' } } }, async (brief) => {
      const session = await openSession(brief.url);
      const until = Date.now() + 10_000;
      let answer = await session.post(ping);
      while (answer.status === 200 && Date.now() < until) {
        await sleep(100);
        answer = await session.post(ping);
      }
      expect(refusal(answer)).toEqual(unknown);
      await openSession(brief.url);
    });
  });

  it('of a server that has changed since is the others’ alone', async () => {
    const session = await openSession(gateway.current.url);
    const options = configured([old]);
    const moved = options.servers.map((server) => (server.name === 'sdk' ? { ...server, path: '/elsewhere' } : server));
    await withGateway({ ...options, servers: moved }, async (other) => {
      const there = resumeSession(other.url, session.id);
      expect((await there.post(callMessage('"scripted_echo"'))).status).toBe(200);
      // What it knew of that server is void: it is asked for a session of its own, which nobody notices.
      const opened = sdk.sessions.size;
      expect((await there.post(callMessage('"sdk_echo"'))).status).toBe(200);
      expect(sdk.sessions.size).toBe(opened + 1);
    });
  });

  it('needs no configured key within one gateway, which warns of what that means', async () => {
    const { servers } = configured([]);
    await withGateway({ servers }, async (keyless) => {
      const sessions = await Promise.all(Array.from({ length: 8 }, () => openSession(keyless.url)));
      for (const session of sessions) {
        const calls = Array.from({ length: 6 }, () => session.post(callMessage('"sdk_echo"')));
        expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(6).fill(200));
      }
      expect((await connectionsByWorker(keyless)).every((count) => count > 0)).toBe(true);
      expect(keyless.log()).toMatch(/\[warning\]\[wasm\].*no sessions\.keys configured/);
    });
  });
});

/** How many connections each worker has accepted. */
async function connectionsByWorker(gateway: Gateway): Promise<number[]> {
  const stats = [...(await gateway.stats())].filter(([name]) =>
    /^listener\.127\.0\.0\.1_\d+\.worker_\d+\.downstream_cx_total$/.test(name),
  );
  return stats.sort(([a], [b]) => a.localeCompare(b)).map(([, count]) => count);
}
