// Lists that are kept for a while: whom a list is asked for, and what is decided on it anew each time.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, toolNames } from './clients/answers.ts';
import { type Http, bothProtocols } from './clients/raw.ts';
import { type Session, callMessage, listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, startGateway, useGateway } from './gateway.ts';
import { type Answer, type Scripted, result, startScripted, status } from './upstreams/scripted.ts';

const all = ['shared_get', 'shared_set', 'own_get', 'own_set', 'fresh_get', 'fresh_set'];

describeGateway('a list that is kept', () => {
  let shared: Scripted;
  let own: Scripted;
  let fresh: Scripted;
  let brief: Scripted;
  beforeAll(async () => {
    const tools = ['get', 'set', 'user_delete'];
    shared = await startScripted({ tools });
    own = await startScripted({ tools, sessionId: 'session-of-own' });
    fresh = await startScripted({ tools });
    brief = await startScripted({ tools });
  });
  afterAll(() => Promise.all([shared.stop(), own.stop(), fresh.stop(), brief.stop()]));

  const tools = { deny: ['*_delete'] };
  const start = (): Promise<Gateway> =>
    startGateway({
      servers: [
        { name: 'shared', url: shared.url, tools, listCache: { ttl: '1h', scope: 'shared' } },
        { name: 'own', url: own.url, tools, listCache: { ttl: '1h', scope: 'session' } },
        { name: 'fresh', url: fresh.url, tools },
      ],
      plugin: { virtualServers: [{ name: 'team/reader', tools: ['*_get'] }] },
    });
  const asked = (): number[] => [shared, own, fresh].map((server) => server.of('tools/list').length);

  /** Runs `test` against a gateway that has kept nothing yet. */
  async function withGateway(test: (gateway: Gateway) => Promise<void>): Promise<void> {
    const gateway = await start();
    for (const server of [shared, own, fresh]) server.forget();
    try {
      await test(gateway);
    } finally {
      for (const server of [shared, own, fresh]) server.answers = {};
      await gateway.stop();
    }
  }

  it('says which tools there are: what is not in it is unknown, and its server hears nothing of it', async () => {
    await withGateway(async (gateway) => {
      const session = await openSession(gateway.url);
      const unlisted = ['shared_none', 'own_none', 'fresh_none'];
      for (const name of unlisted) expect((await session.post(callMessage(`"${name}"`))).text).toContain('"done"');
      await session.post(listMessage());
      for (const name of unlisted.slice(0, 2)) {
        const answer = await session.post(callMessage(`"${name}"`));
        expect(refusal(answer)).toEqual({ status: 200, id: 1, code: -32602, reason: 'unknown_tool' });
      }
      expect([shared, own].map((server) => server.of('tools/call').length)).toEqual([1, 1]);
      for (const name of ['shared_get', 'own_set', 'fresh_none']) {
        expect((await session.post(callMessage(`"${name}"`))).text).toContain('"done"');
      }
      // The list of a session says nothing about another one.
      const other = await openSession(gateway.url);
      expect((await other.post(callMessage('"own_none"'))).text).toContain('"done"');
    });
  });

  it.each(bothProtocols)('is not asked for again, by any worker, over %s', async (http) => {
    await withGateway(async (gateway) => {
      const session = await openSession(gateway.url, { http });
      const first = await session.post(listMessage());
      expect(toolNames(first)).toEqual(all);
      expect(asked()).toEqual([1, 1, 1]);
      for (let i = 1; i <= 12; i++) {
        expect((await session.post(listMessage())).text).toBe(first.text);
        expect(asked()).toEqual([1, 1, 1 + i]);
      }
    });
  });

  it('is another session’s as well, or not, by its scope', async () => {
    await withGateway(async (gateway) => {
      const first = await openSession(gateway.url);
      const second = await openSession(gateway.url);
      await first.post(listMessage());
      expect(asked()).toEqual([1, 1, 1]);
      own.answers = { 'tools/list': result('{"tools":[{"name":"mine","inputSchema":{"type":"object"}}]}') };
      expect(toolNames(await second.post(listMessage()))).toEqual([
        ...['shared_get', 'shared_set', 'own_mine', 'fresh_get', 'fresh_set'],
      ]);
      expect(asked()).toEqual([1, 2, 2]);
      expect(toolNames(await first.post(listMessage()))).toEqual(all);
      expect(asked(), 'each session has its own').toEqual([1, 2, 3]);
    });
  });

  it('is kept whole, and shown to each as far as that may see it', async () => {
    await withGateway(async (gateway) => {
      const narrow = { headers: { 'x-mcp-virtualserver': 'team/reader' } };
      const shown = ['shared_get', 'own_get', 'fresh_get'];
      const session = await openSession(gateway.url);
      expect(toolNames(await session.post(listMessage(), narrow))).toEqual(shown);
      expect(toolNames(await session.post(listMessage()))).toEqual(all);
      expect(toolNames(await session.post(listMessage(), narrow))).toEqual(shown);
      expect(asked()).toEqual([1, 1, 3]);
      const reader = await openSession(`${gateway.url}/team/reader`);
      expect(toolNames(await reader.post(listMessage()))).toEqual(shown);
      expect(asked()).toEqual([1, 2, 4]);
    });
  });

  it('has all of its pages', async () => {
    await withGateway(async (gateway) => {
      const page = (name: string, next?: string): Answer =>
        result(JSON.stringify({ tools: [{ name, inputSchema: { type: 'object' } }], nextCursor: next }));
      shared.answers = {
        'tools/list': (request, reply) => {
          const { params } = JSON.parse(request.body.toString()) as { params?: { cursor?: string } };
          const cursor = params?.cursor ?? '1';
          return page(`page${cursor}`, { 1: '2', 2: '3' }[cursor])(request, reply);
        },
      };
      const session = await openSession(gateway.url);
      const pages = ['shared_page1', 'shared_page2', 'shared_page3'];
      for (let i = 0; i < 3; i++) {
        expect(toolNames(await session.post(listMessage())).slice(0, 3)).toEqual(pages);
        expect(shared.of('tools/list')).toHaveLength(3);
      }
    });
  });

  it.each([
    ['that failed', status(500, 'text/html', '<p>')],
    ['that is an error', status(200, 'application/json', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}')],
    [
      'too large to keep',
      result(`{"tools":[{"name":"get","inputSchema":{},"description":"${'x'.repeat(1_100_000)}"}]}`),
    ],
  ])('is none %s', async (_, answer) => {
    await withGateway(async (gateway) => {
      const session = await openSession(gateway.url);
      shared.answers = { 'tools/list': answer };
      const first = await session.post(listMessage());
      expect((await session.post(listMessage())).text).toBe(first.text);
      expect(asked()).toEqual([2, 1, 2]);
      shared.answers = {};
      expect(toolNames(await session.post(listMessage()))).toEqual(all);
      expect(toolNames(await session.post(listMessage()))).toEqual(all);
      expect(asked()).toEqual([3, 1, 4]);
    });
  });

  it('is shared by those who pass the same credentials to the server, and by nobody else', async () => {
    const guarded = await startScripted();
    const ofUser: Answer = (request, reply) => {
      const user = String(request.headers['authorization'] ?? 'nobody').replace(/\W/g, '');
      return result(`{"tools":[{"name":"${user}","inputSchema":{"type":"object"}}]}`)(request, reply);
    };
    guarded.answers = { 'tools/list': ofUser };
    const passthrough = { type: 'passthrough', headers: ['authorization', 'x-tenant'] };
    const gateway = await startGateway({
      servers: [{ name: 'guarded', url: guarded.url, credentials: passthrough, listCache: { ttl: '1h' } }],
    });
    try {
      const list = async (headers: Record<string, string>): Promise<string[]> => {
        const session = await openSession(gateway.url);
        return toolNames(await session.post(listMessage(), { headers }));
      };
      const askedFor = (): number => guarded.of('tools/list').length;
      const ada = { authorization: 'ada' };
      expect(await list(ada)).toEqual(['guarded_ada']);
      expect(await list(ada)).toEqual(['guarded_ada']);
      expect(await list({ ...ada, 'x-elsewhere': 'b' })).toEqual(['guarded_ada']);
      expect(askedFor()).toBe(1);
      expect(await list({ authorization: 'bob' })).toEqual(['guarded_bob']);
      expect(await list({})).toEqual(['guarded_nobody']);
      expect(await list({ 'x-tenant': 'ada' })).toEqual(['guarded_nobody']);
      expect(await list({ ...ada, 'x-tenant': '1' })).toEqual(['guarded_ada']);
      expect(await list({ authorization: 'bob' })).toEqual(['guarded_bob']);
      expect(askedFor()).toBe(5);
    } finally {
      await gateway.stop();
      await guarded.stop();
    }
  });

  describe('for two seconds', () => {
    const gateway = useGateway(() => ({
      servers: [
        { name: 'shared', url: shared.url, listCache: { ttl: '2s', scope: 'shared' } },
        { name: 'brief', url: brief.url, listCache: { ttl: '2s', scope: 'session' } },
      ],
    }));

    it.each(bothProtocols)('is asked for again after them, over %s', async (http: Http) => {
      const session: Session = await openSession(gateway.current.url, { http });
      await session.post(listMessage());
      const before = brief.of('tools/list').length;
      const another = result('{"tools":[{"name":"another","inputSchema":{"type":"object"}}]}');
      shared.answers = { 'tools/list': another };
      brief.answers = { 'tools/list': another };
      const deadline = Date.now() + 15_000;
      let shown: string[] = [];
      while (shown.join() !== 'shared_another,brief_another' && Date.now() < deadline) {
        await sleep(100);
        shown = toolNames(await session.post(listMessage()));
      }
      shared.answers = {};
      brief.answers = {};
      expect(shown).toEqual(['shared_another', 'brief_another']);
      expect(brief.of('tools/list')).toHaveLength(before + 1);
    });
  });
});
