// A server of several instances, of which each knows the sessions alone that it has opened.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withEndpoints, withoutReports } from './adjust.ts';
import { refusal, toolNames } from './clients/answers.ts';
import { postForEvents } from './clients/event-stream.ts';
import {
  callMessage,
  initializeMessage,
  listMessage,
  openSession,
  post,
  resumeSession,
  type Session,
} from './clients/session.ts';
import { describeGateway, engine } from './engine.ts';
import { type Gateway, expectSound, startGateway, useGateway } from './gateway.ts';
import { sharedKey } from './shared-key.ts';
import { until } from './until.ts';
import { type AskingServer, startAskingServer } from './upstreams/asking.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';
import { status } from './upstreams/scripted.ts';
import { type Stateful, startStateful } from './upstreams/stateful.ts';

const INSTANCES = ['red', 'green', 'blue'];
/** One that tells within a second. */
const healthCheck = {
  timeout: '5s',
  interval: '0.2s',
  no_traffic_interval: '0.2s',
  unhealthy_threshold: 1,
  healthy_threshold: 1,
  http_health_check: { path: '/healthz' },
};
/** Larger than what is read before a call is sent on. */
const LARGE = JSON.stringify({ text: 'x'.repeat(200_000) });

/** They share the key of their sessions. @param urls of the instances */
function startTwoGateways(urls: readonly string[]): Promise<Gateway[]> {
  const adjust = withEndpoints('notes', urls);
  const servers = [{ name: 'notes', url: urls[0] ?? '' }];
  return Promise.all([1, 2].map(() => startGateway({ servers, adjust, ...sharedKey })));
}

async function endSoundly(gateways: readonly Gateway[]): Promise<void> {
  for (const gateway of gateways) {
    await expectSound(gateway);
    await gateway.stop();
  }
}

describeGateway('a server with three instances', () => {
  describe('behind two gateways', () => {
    let instances: SdkServer[];
    let gateways: Gateway[];
    beforeAll(async () => {
      instances = await Promise.all(INSTANCES.map(() => startSdkServer({ name: 'notes', pages: [['echo']] })));
      gateways = await startTwoGateways(instances.map(({ url }) => url));
    });
    afterAll(async () => {
      await endSoundly(gateways);
      await Promise.all(instances.map((instance) => instance.stop()));
    });
    const open = (): number => instances.reduce((sum, { sessions }) => sum + sessions.size, 0);

    it('gets every message of a session at the instance that opened it, whichever gateway it comes by', async () => {
      const [first, second] = gateways as [Gateway, Gateway];
      const sessions: Session[] = [];
      for (let i = 0; i < 6; i++) sessions.push(await openSession(first.url));
      expect(open()).toBe(6);
      expect(Math.max(...instances.map(({ sessions: { size } }) => size)), 'on one instance').toBeLessThan(6);
      for (const { id } of sessions) {
        // A connection for each message, so that they come to different workers.
        for (const { url } of [second, first, second, first]) {
          const session = resumeSession(url, id);
          expect(toolNames(await session.post(listMessage()))).toContain('notes_echo');
          expect((await session.post(callMessage('"notes_echo"', '{"a":1}'))).text).toContain('"result"');
          expect((await session.post(callMessage('"notes_echo"', LARGE))).text).toContain('"result"');
        }
      }
      expect(open(), 'sessions, after all calls').toBe(6);
      for (const { id } of sessions) expect((await resumeSession(second.url, id).end()).status).toBe(200);
      expect(open(), 'sessions, after their ends').toBe(0);
    });
  });

  describe('that ask their client, behind two gateways', () => {
    let instances: AskingServer[];
    let gateways: Gateway[];
    beforeAll(async () => {
      instances = await Promise.all(INSTANCES.map((name) => startAskingServer(name)));
      gateways = await startTwoGateways(instances.map(({ url }) => url));
    });
    afterAll(async () => {
      await endSoundly(gateways);
      await Promise.all(instances.map((instance) => instance.stop()));
    });

    it('get what the client answers at the instance that asked, whichever gateway it comes by', async () => {
      const [first, second] = gateways as [Gateway, Gateway];
      const asked = new Set<string>();
      for (let i = 0; i < 6; i++) {
        const before = instances.map(({ sessions: { size } }) => size);
        const { id } = await openSession(first.url, { capabilities: { roots: { listChanged: true } } });
        const opened = instances.find(({ sessions: { size } }, index) => size > (before[index] ?? 0));
        const name = INSTANCES[instances.findIndex((instance) => instance === opened)] ?? '';
        for (const [asks, answers] of [
          [first, second],
          [second, first],
        ] as const) {
          const stream = await postForEvents(asks.url, id, callMessage('"notes_roots"'));
          const request = JSON.parse(await stream.next()) as { id: string; method: string };
          expect(request.method).toBe('roots/list');
          const response = { jsonrpc: '2.0', id: request.id, result: { roots: [{ uri: `file:///${i}` }] } };
          expect((await resumeSession(answers.url, id).post(JSON.stringify(response))).status).toBe(202);
          const said = JSON.stringify({ server: name, said: [{ uri: `file:///${i}` }] });
          expect(JSON.parse((await stream.end()).at(-1) ?? '')).toMatchObject({
            result: { content: [{ text: said }] },
          });
        }
        const changes = opened?.rootsChanges ?? 0;
        const changed = '{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}';
        expect((await resumeSession(second.url, id).post(changed)).status).toBe(202);
        await until('the instance knows', () => opened?.rootsChanges === changes + 1);
        asked.add(name);
      }
      expect(asked.size, 'instances that have asked').toBeGreaterThan(1);
    });
  });

  describe('of which one goes', () => {
    let instances: Stateful[];
    beforeAll(async () => {
      instances = await Promise.all(INSTANCES.map((name) => startStateful(name)));
    });
    afterAll(() => Promise.all(instances.map(({ server }) => server.stop())));
    const urls = (): string[] => instances.map(({ server }) => server.url);
    const gateway = useGateway(() => ({
      servers: [{ name: 'notes', url: urls()[0] ?? '' }],
      adjust: withEndpoints('notes', urls()),
      ...sharedKey,
    }));
    const holder = (): Stateful => {
      const found = instances.find(({ sessions }) => sessions.size === 1);
      if (found === undefined) throw new Error('no instance has a session');
      return found;
    };

    it('is told nothing of endpoints, and neither is a client, nor can it choose one', async () => {
      const session = await openSession(gateway.current.url);
      const held = holder();
      for (const { server } of instances) {
        const { host } = new URL(server.url);
        const answer = await session.post(callMessage('"notes_echo"'), { headers: { 'x-sluice-endpoint': host } });
        expect(answer.text).toContain('"text":"done"');
        expect(answer.headers).not.toHaveProperty('x-sluice-endpoint');
      }
      expect(session.initialized.headers).not.toHaveProperty('x-sluice-endpoint');
      expect(held.server.of('tools/call')).toHaveLength(3);
      for (const { server } of instances)
        for (const { headers } of server.requests) expect(headers).not.toHaveProperty('x-sluice-endpoint');
      await session.end();
      expect(held.sessions.size).toBe(0);
    });

    it.each([
      ['a call', callMessage('"notes_echo"'), '"text":"done"'],
      ['a list', listMessage(), 'notes_echo'],
    ])('answers %s in a new session at another instance', async (_, message, wanted) => {
      const session = await openSession(gateway.current.url);
      const gone = holder();
      await gone.server.stop();
      try {
        expect((await session.post(message)).text).toContain(wanted);
        const others = instances.filter((instance) => instance !== gone);
        expect(others.map(({ sessions: { size } }) => size).sort()).toEqual([0, 1]);
        // Its calls go there from now on.
        expect((await session.post(callMessage('"notes_echo"'))).text).toContain('"text":"done"');
        expect((await session.post(callMessage('"notes_echo"', LARGE))).text).toContain('"text":"done"');
        expect(others.map(({ sessions: { size } }) => size).sort()).toEqual([0, 1]);
        await session.end();
      } finally {
        gone.loseAll();
        await gone.server.start();
      }
    });
  });

  describe('and a cluster that does not report which of them answers', () => {
    let instances: Stateful[];
    beforeAll(async () => {
      instances = await Promise.all(INSTANCES.map((name) => startStateful(name)));
    });
    afterAll(() => Promise.all(instances.map(({ server }) => server.stop())));
    const gateway = useGateway(() => {
      const urls = instances.map(({ server }) => server.url);
      return {
        servers: [{ name: 'notes', url: urls[0] ?? '' }],
        workers: 1,
        adjust: (bootstrap) => {
          withEndpoints('notes', urls)(bootstrap);
          withoutReports('notes')(bootstrap);
        },
      };
    });

    it('gets the second message of a session at another one, and the log says once what to do', async () => {
      const reports = (): string[] =>
        gateway.current
          .log()
          .split('\n')
          .filter((line) => line.includes('see docs/instances.md'));
      for (let i = 0; i < 3; i++) {
        const refused = refusal(await post(gateway.current.url, initializeMessage()));
        expect(refused).toMatchObject({ status: 200, reason: 'upstream_status', server: 'notes' });
      }
      await until('the log says so', () => Promise.resolve(reports().length > 0));
      expect(reports()).toEqual([expect.stringContaining('notes: it does not know a session that it has opened')]);
    });
  });

  // The embedded engine has no health checks.
  describe.skipIf(engine?.name !== 'envoy')('of which one fails its health checks', () => {
    let instances: Stateful[];
    beforeAll(async () => {
      instances = await Promise.all(INSTANCES.map((name) => startStateful(name)));
      for (const { server } of instances) server.answers['GET'] = status(200);
    });
    afterAll(() => Promise.all(instances.map(({ server }) => server.stop())));
    const gateway = useGateway(() => {
      const urls = instances.map(({ server }) => server.url);
      return {
        servers: [{ name: 'notes', url: urls[0] ?? '' }],
        adjust: (bootstrap) => {
          withEndpoints('notes', urls)(bootstrap);
          const notes = bootstrap.static_resources.clusters.find(({ name }) => name === 'notes');
          Object.assign(notes ?? {}, { health_checks: [healthCheck] });
        },
      };
    });
    const healthy = async (): Promise<number | undefined> =>
      (await gateway.current.stats()).get('cluster.notes.membership_healthy');

    it('gets no session there any more, and those that began there stay', async () => {
      await until('all are healthy', async () => (await healthy()) === INSTANCES.length);
      const session = await openSession(gateway.current.url);
      const held = instances.find(({ sessions }) => sessions.size === 1);
      if (held === undefined) throw new Error('no instance has a session');
      held.server.answers['GET'] = status(503);
      await until('one is not', async () => (await healthy()) === INSTANCES.length - 1);
      for (let i = 0; i < 4; i++) await openSession(gateway.current.url);
      expect(held.sessions.size).toBe(1);
      expect((await session.post(callMessage('"notes_echo"'))).text).toContain('"text":"done"');
      expect(held.server.of('tools/call')).toHaveLength(1);
    });
  });
});
