import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { type RawAnswer, bothProtocols, send } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, initializeMessage, listMessage, openSession, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const narrowedTo = (...values: string[]): { headers: Record<string, string[]> } => ({
  headers: { 'x-mcp-virtualserver': values },
});
const unknownVirtualServer = { code: -31004, reason: 'unknown_virtual_server' };
/** The same, as the answer to this message. */
const unknownTo = (body: string): object => ({ ...unknownVirtualServer, status: 200, id: idIn(body) });
const idIn = (body: string): unknown => (JSON.parse(body) as { id: unknown }).id;
const unknownTool = { status: 200, id: 1, code: -32602, reason: 'unknown_tool' };

describeGateway('virtual servers', () => {
  let weather: Scripted;
  let orders: Scripted;
  beforeAll(async () => {
    weather = await startScripted({
      tools: ['get_now', 'get_later', 'set', 'user_delete'],
      sessionId: 'session-of-weather',
      initialized: { instructions: 'weather: ask for user_delete' },
    });
    orders = await startScripted({ tools: ['get_one', 'list'], initialized: { instructions: 'orders: ask for list' } });
  });
  afterAll(async () => {
    await Promise.all([weather.stop(), orders.stop()]);
  });
  const servers = (): { name: string; url: string; tools?: object }[] => [
    { name: 'weather', url: weather.url, tools: { deny: ['*_delete'] } },
    { name: 'orders', url: orders.url },
  ];
  const virtualServers = [
    { name: 'team-a/reader', tools: ['weather_get_*', 'orders_list', 'weather_get_latr'] },
    { name: 'team-b/orders', tools: ['orders_*'] },
  ];
  const forget = (): void => {
    weather.forget();
    orders.forget();
  };

  describe('behind an open endpoint', () => {
    const gateway = useGateway(() => ({ servers: servers(), plugin: { virtualServers } }));
    const pathOf = (name: string): string => `${gateway.current.url}/${name}`;
    const all = ['weather_get_now', 'weather_get_later', 'weather_set', 'orders_get_one', 'orders_list'];
    const reader = ['weather_get_now', 'weather_get_later', 'orders_list'];

    describe.each(bothProtocols)('over %s', (http) => {
      it('hides and refuses alike, by path and by header', async () => {
        for (const { url, request, shown } of [
          { url: gateway.current.url, request: {}, shown: all },
          { url: gateway.current.url, request: narrowedTo('team-a/reader'), shown: reader },
          { url: pathOf('team-a/reader'), request: {}, shown: reader },
          { url: pathOf('team-a/reader'), request: narrowedTo('team-b/orders'), shown: ['orders_list'] },
        ]) {
          const session = await openSession(url, { http });
          expect(toolNames(await session.post(listMessage(), request))).toEqual(shown);
          forget();
          for (const name of [...all, 'weather_user_delete', 'weather_nothing_delete', 'nobody']) {
            const answer = await session.post(callMessage(JSON.stringify(name)), request);
            if (shown.includes(name)) expect(message(answer)).toHaveProperty('result');
            else expect(refusal(answer)).toEqual(unknownTool);
          }
          const called = [...weather.of('tools/call'), ...orders.of('tools/call')];
          expect(called).toHaveLength(shown.length);
          for (const { headers } of called) expect(headers).not.toHaveProperty('x-mcp-virtualserver');
        }
      });

      it('says the same of a hidden tool as of one that nobody has', async () => {
        const session = await openSession(pathOf('team-b/orders'), { http });
        const [hidden, absent] = await Promise.all(
          ['weather_get_now', 'weather_get_xyz'].map((name) => session.post(callMessage(JSON.stringify(name)))),
        );
        expect(hidden?.text.replaceAll('get_now', 'get_xyz')).toBe(absent?.text);
      });

      it('keeps the sessions of one path from every other', async () => {
        const urls = [gateway.current.url, pathOf('team-a/reader'), pathOf('team-b/orders')];
        const sessions = await Promise.all(urls.map((url) => openSession(url, { http })));
        for (const [began, { id }] of sessions.entries()) {
          for (const [used, url] of urls.entries()) {
            const session = resumeSession(url, id, { http });
            if (began === used) expect((await session.post(listMessage())).status).toBe(200);
            else {
              expect(refusal(await session.post(listMessage()))).toMatchObject({
                status: 404,
                reason: 'session_unknown',
              });
              expect((await session.end()).status).toBe(404);
            }
          }
        }
      });

      it('lets the header narrow one request and remembers nothing of it', async () => {
        const opened = await post(gateway.current.url, initializeMessage(), { http, ...narrowedTo('team-b/orders') });
        const session = resumeSession(gateway.current.url, String(opened.headers['mcp-session-id']), { http });
        expect(toolNames(await session.post(listMessage(), narrowedTo('team-b/orders')))).toEqual(all.slice(3));
        expect(toolNames(await session.post(listMessage()))).toEqual(all);
      });

      it.each([
        ['an unknown name', ['team-a/raeder']],
        ['no namespace', ['reader']],
        ['nothing', ['']],
        ['an empty part', ['team-a/']],
        ['other letters', ['Team-A/reader']],
        ['a list', ['team-a/reader,team-b/orders']],
        ['the same name twice in a list', ['team-a/reader, team-a/reader']],
        ['two headers', ['team-a/reader', 'team-b/orders']],
        ['two headers with the same name', ['team-a/reader', 'team-a/reader']],
      ])('refuses %s in the header, and names it', async (_, values) => {
        const session = await openSession(gateway.current.url, { http });
        forget();
        for (const body of [initializeMessage(), listMessage(), callMessage('"weather_get_now"')]) {
          const answer = await session.post(body, narrowedTo(...values));
          expect(refusal(answer)).toEqual(unknownTo(body));
          for (const value of values) expect(message(answer).error?.message).toContain(value);
        }
        expect([...weather.requests, ...orders.requests]).toEqual([]);
      });

      it.each(['/team-a/raeder', '/team-a', '/team-a/reader/', '/team-a/reader/x'])(
        'refuses the path %s behind the endpoint',
        async (behind) => {
          const session = await openSession(gateway.current.url, { http });
          forget();
          const url = gateway.current.url + behind;
          for (const body of [initializeMessage(), listMessage(), callMessage('"weather_get_now"')]) {
            expect(refusal(await resumeSession(url, session.id, { http }).post(body))).toEqual(unknownTo(body));
          }
          expect(refusal(await send(url, { http, method: 'GET' }))).toEqual({
            ...unknownVirtualServer,
            ...{ status: 404, id: null },
          });
          expect([...weather.requests, ...orders.requests]).toEqual([]);
        },
      );

      it('does not ask, name or quote a server that has nothing to show', async () => {
        forget();
        const { client, close } = await connectSdk(pathOf('team-b/orders'), http);
        expect(client.getInstructions()).toBe('# orders (its tools begin with orders_)\n\norders: ask for list');
        expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['orders_get_one', 'orders_list']);
        await close();
        expect(weather.requests).toEqual([]);
        expect(orders.of('tools/list')).toHaveLength(1);

        const session = await openSession(gateway.current.url, { http });
        forget();
        await session.post(listMessage(), narrowedTo('team-b/orders'));
        expect(weather.requests).toEqual([]);
        expect(orders.requests).toHaveLength(1);
      });
    });

    it('logs a name that matches nothing, with the nearest, once for each worker', async () => {
      const session = await openSession(pathOf('team-a/reader'));
      const lines = (): string[] =>
        gateway.current
          .log()
          .split('\n')
          .filter((line) => line.includes('matches no tool'));
      await session.post(listMessage());
      await until('the name is in the log', () => lines().length > 0);
      for (let i = 0; i < 20; i++) await session.post(listMessage());
      expect(lines().length).toBeLessThanOrEqual(2);
      for (const line of lines())
        expect(line).toContain(
          'virtual server team-a/reader: "weather_get_latr" matches no tool; did you mean "weather_get_later"?',
        );
    });
  });

  describe('behind a closed endpoint', () => {
    const gateway = useGateway(() => ({ servers: servers(), plugin: { virtualServers, root: 'closed' } }));

    it('serves its virtual servers and nothing else', async () => {
      const refused: RawAnswer[] = [
        await post(gateway.current.url, initializeMessage()),
        await post(gateway.current.url, initializeMessage(), narrowedTo('team-a/reader')),
      ];
      for (const answer of refused) expect(refusal(answer)).toEqual(unknownTo(initializeMessage()));
      const session = await openSession(`${gateway.current.url}/team-b/orders`);
      expect(toolNames(await session.post(listMessage()))).toEqual(['orders_get_one', 'orders_list']);
    });
  });

  describe('behind an endpoint that is one of them', () => {
    const gateway = useGateway(() => ({ servers: servers(), plugin: { virtualServers, root: 'team-b/orders' } }));

    it('serves that one there', async () => {
      const session = await openSession(gateway.current.url);
      expect(toolNames(await session.post(listMessage()))).toEqual(['orders_get_one', 'orders_list']);
      expect(refusal(await session.post(callMessage('"weather_get_now"')))).toEqual(unknownTool);
      const narrowed = await session.post(listMessage(), narrowedTo('team-a/reader'));
      expect(toolNames(narrowed)).toEqual(['orders_list']);
    });
  });
});
