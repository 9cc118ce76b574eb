// A server of several instances behind a balancer of its own, which finds the one of a session by a cookie.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toolNames } from './clients/answers.ts';
import { eventsOf } from './clients/http-sse.ts';
import {
  callMessage,
  initializeMessage,
  listMessage,
  openSession,
  post,
  resumeSession,
  type Session,
} from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, expectSound, startGateway, useGateway } from './gateway.ts';
import { sharedKey } from './shared-key.ts';
import { connectModern } from './stateless-era.ts';
import { type CookieBalancer, startCookieBalancer } from './upstreams/cookie-balancer.ts';
import { type HttpSseServer, startHttpSseServer } from './upstreams/http-sse.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

const INSTANCES = ['red', 'green', 'blue'];
/** Larger than what is read before a call is sent on. */
const LARGE = JSON.stringify({ text: 'x'.repeat(200_000) });
/** Of the client's own: it leads nowhere. */
const FORGED = { headers: { cookie: 'LB=i2' } };

describeGateway('a balancer that finds instances by a cookie', () => {
  let instances: SdkServer[];
  let streams: HttpSseServer[];
  let balancers: CookieBalancer[];
  let gateways: Gateway[];
  beforeAll(async () => {
    instances = await Promise.all(INSTANCES.map(() => startSdkServer({ name: 'notes', pages: [['echo']] })));
    streams = await Promise.all(INSTANCES.map(() => startHttpSseServer({ name: 'old' })));
    balancers = await Promise.all(
      [instances, streams].map((all) =>
        startCookieBalancer(
          'LB',
          all.map(({ url }) => url),
        ),
      ),
    );
    const [notes, old] = balancers.map(({ url }) => url);
    const options = {
      servers: [
        { name: 'notes', url: notes ?? '', stickyCookie: 'LB' },
        { name: 'old', url: old ?? '', protocol: '2024-11-05', stickyCookie: 'LB' },
      ],
      ...sharedKey,
    };
    gateways = await Promise.all([1, 2].map(() => startGateway(options)));
  });
  afterAll(async () => {
    for (const gateway of gateways) {
      await expectSound(gateway);
      await gateway.stop();
    }
    await Promise.all([...balancers, ...instances, ...streams].map((each) => each.stop()));
  });
  const open = (): number => instances.reduce((sum, { sessions }) => sum + sessions.size, 0);

  it('gets every message of a session with the cookie of its handshake, whichever gateway it comes by', async () => {
    const [first, second] = gateways as [Gateway, Gateway];
    const sessions: Session[] = [];
    for (let i = 0; i < 6; i++) {
      const session = await openSession(first.url);
      expect(session.initialized.headers).not.toHaveProperty('set-cookie');
      sessions.push(session);
    }
    expect(instances.map(({ sessions: { size } }) => size)).toEqual([2, 2, 2]);
    for (const { id } of sessions) {
      for (const { url } of [second, first]) {
        const session = resumeSession(url, id);
        expect(toolNames(await session.post(listMessage(), FORGED))).toContain('notes_echo');
        const called = await session.post(callMessage('"notes_echo"', '{"a":1}'), FORGED);
        expect(called.text).toContain('"result"');
        expect(called.headers).not.toHaveProperty('set-cookie');
        expect((await session.post(callMessage('"notes_echo"', LARGE), FORGED)).text).toContain('"result"');
      }
    }
    expect(open(), 'sessions, after all calls').toBe(6);
    for (const { id } of sessions) expect((await resumeSession(second.url, id).end()).status).toBe(200);
    expect(open(), 'sessions, after their ends').toBe(0);
    const cookies = balancers[0]?.cookies ?? [];
    expect(new Set(cookies)).toEqual(new Set([undefined, 'LB=i0', 'LB=i1', 'LB=i2']));
    expect(
      cookies.filter((cookie) => cookie === undefined),
      'one for each handshake',
    ).toHaveLength(6);
  });

  it('gets the messages of a stream of HTTP+SSE with its cookie', async () => {
    const [first, second] = gateways as [Gateway, Gateway];
    for (const turn of INSTANCES) {
      const stream = await eventsOf(first.url);
      for (const [id, { origin }] of [second, first].entries()) {
        const accepted = await post(origin + stream.address, initializeMessage('2024-11-05', id), FORGED);
        expect(accepted.status, turn).toBe(202);
        expect(JSON.parse(await stream.next())).toMatchObject({ id, result: { serverInfo: { name: 'old' } } });
      }
      stream.leave();
    }
  });
});

describeGateway('a balancer that sets another cookie in each answer', () => {
  let instances: SdkServer[];
  let streams: HttpSseServer[];
  let balancers: CookieBalancer[];
  beforeAll(async () => {
    instances = await Promise.all(INSTANCES.map(() => startSdkServer({ name: 'notes', pages: [['echo'], ['more']] })));
    streams = await Promise.all(INSTANCES.map(() => startHttpSseServer({ name: 'old' })));
    balancers = await Promise.all(
      [instances, streams].map((all) =>
        startCookieBalancer(
          'LB',
          all.map(({ url }) => url),
          { renews: true },
        ),
      ),
    );
  });
  afterAll(() => Promise.all([...balancers, ...instances, ...streams].map((each) => each.stop())));
  const open = (): number => instances.reduce((sum, { sessions }) => sum + sessions.size, 0);
  const gateway = useGateway(() => ({
    servers: [
      { name: 'notes', url: balancers[0]?.url ?? '', stickyCookie: 'LB' },
      { name: 'old', url: balancers[1]?.url ?? '', protocol: '2024-11-05', stickyCookie: 'LB' },
    ],
  }));

  it('gets the newest one with the next message of the session, from whichever worker it comes', async () => {
    const { url } = gateway.current;
    const sessions: Session[] = [];
    for (let i = 0; i < 3; i++) sessions.push(await openSession(url));
    expect(open()).toBe(3);
    for (const turn of [1, 2, 3, 4]) {
      for (const { id } of sessions) {
        // A connection for each message, so that they come to different workers.
        const session = resumeSession(url, id);
        expect(toolNames(await session.post(listMessage())), `turn ${turn}`).toContain('notes_more');
        const small = await session.post(callMessage('"notes_echo"', `{"a":${turn}}`));
        expect(small.text, `turn ${turn}`).toContain('"result"');
        const large = await session.post(callMessage('"notes_echo"', LARGE));
        expect(large.text, `turn ${turn}`).toContain('"result"');
      }
    }
    expect(open(), 'sessions, after all calls').toBe(3);
    for (const { id } of sessions) expect((await resumeSession(url, id).end()).status).toBe(200);
    expect(open(), 'sessions, after their ends').toBe(0);
    expect(
      balancers[0]?.cookies.filter((cookie) => cookie === undefined),
      'one for each handshake',
    ).toHaveLength(3);
  });

  it('gets the newest one with the next message of a stream of HTTP+SSE', async () => {
    const { url, origin } = gateway.current;
    for (const turn of INSTANCES) {
      const stream = await eventsOf(url);
      for (const id of [1, 2, 3]) {
        const accepted = await post(origin + stream.address, initializeMessage('2024-11-05', id));
        expect(accepted.status, turn).toBe(202);
        expect(JSON.parse(await stream.next())).toMatchObject({ id, result: { serverInfo: { name: 'old' } } });
      }
      stream.leave();
    }
  });

  it('gets the newest one in a session that requests without one share', async () => {
    const client = await connectModern(gateway.current.url);
    await client.listTools();
    const before = balancers[0]?.cookies.length ?? 0;
    for (const turn of [1, 2, 3]) {
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('notes_more');
      const result = await client.callTool({ name: 'notes_echo', arguments: { a: turn } });
      expect(result.isError, `turn ${turn}`).not.toBe(true);
    }
    await client.close();
    const since = balancers[0]?.cookies.slice(before) ?? [];
    expect(
      since.filter((cookie) => cookie === undefined),
      'handshakes after the first list',
    ).toEqual([]);
  });
});
