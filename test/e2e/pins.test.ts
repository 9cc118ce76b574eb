// Tools whose definitions were pinned, rules that go by annotations, and what `sluice lock` writes from a running gateway.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../cli/main.ts';
import { digestOf } from '../core/definition-digest.ts';
import { message, toolNames } from './clients/answers.ts';
import { send } from './clients/raw.ts';
import { callMessage, listMessage, openSession, post, type Session } from './clients/session.ts';
import { describeGateway, hostMode } from './engine.ts';
import { useGateway } from './gateway.ts';
import { result, type Scripted, startScripted } from './upstreams/scripted.ts';

const definition = (name: string, more = ''): string => `{"name": "${name}", "inputSchema": {"type": "object"}${more}}`;
const reads = ', "annotations": {"readOnlyHint": true}';
const usual = [definition('get', reads), definition('set', reads)];
const token = 'a-token-of-the-operator';

describeGateway('pins and rules on annotations', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: `[${usual.join(',')}]`, sessionId: 'one' });
    two = await startScripted({ tools: `[${usual.join(',')}]` });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  beforeEach(() => {
    lists(usual);
  });
  const lists = (tools: readonly string[]): void => {
    one.answers['tools/list'] = result(`{"tools":[${tools.join(',')}]}`);
  };
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    plugin: {
      pins: {
        tools: { one_get: digestOf(usual[0] ?? ''), one_set: digestOf(usual[1] ?? '') },
        changed: 'refuse',
        unpinned: 'flag',
      },
      authorization: {
        rules: [
          { name: 'readers', annotations: { readOnlyHint: true } },
          { name: 'get', tools: ['one_get'] },
        ],
      },
      status: { env: 'STATUS_TOKEN' },
    },
    env: { STATUS_TOKEN: token },
  }));

  async function call(session: Session, name: string, args = '{}'): Promise<string> {
    const { result, error } = message(await session.post(callMessage(JSON.stringify(name), args)));
    if (error !== undefined) return String(error.data?.['reason']);
    const [{ text = '' } = {}] = (result?.['content'] ?? []) as { text?: string }[];
    return text;
  }

  it('serve what is pinned, and believe a server that nobody vouches for nothing', async () => {
    const session = await openSession(gateway.current.url);
    // Not listed before: the list is fetched for the call.
    expect(await call(session, 'one_get')).toBe('done');
    expect(await call(session, 'two_get')).toBe('unknown_tool');
    expect(await call(session, 'one_none')).toBe('unknown_tool');
    expect(toolNames(await session.post(listMessage()))).toEqual(['one_get', 'one_set']);
    one.forget();
    for (let count = 0; count < 4; count++) expect(await call(session, 'one_set')).toBe('done');
    expect(one.of('tools/list'), 'what is known is kept').toEqual([]);
  });

  it('refuse a tool whose definition has changed, in whatever member, as soon as a list has shown it', async () => {
    const session = await openSession(gateway.current.url);
    lists([definition('get', `${reads}, "_meta": {"x": 1}`), usual[1] ?? '']);
    expect(toolNames(await session.post(listMessage()))).toEqual(['one_set']);
    expect(await call(session, 'one_get')).toContain('not the one that was pinned: one_get');
    expect(await call(session, 'one_set')).toBe('done');
    // As it was, in other white space and another order.
    lists([`{"inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true},"name":"get"}`]);
    expect(toolNames(await session.post(listMessage()))).toEqual(['one_get']);
    expect(await call(session, 'one_get')).toBe('done');
    expect(gateway.current.log()).toMatch(/tool "get" has another definition than the one that is pinned.*sha256:/);
  });

  it('decide on a call that is too large to be held, before it is sent on', async () => {
    const session = await openSession(gateway.current.url);
    lists([usual[0] ?? '']);
    await session.post(listMessage());
    lists(usual);
    const args = `{"text":"${'x'.repeat(3 << 20)}"}`;
    if (hostMode === 'pair') {
      // The rest of a body cannot be held back there while a list is fetched.
      expect(await call(session, 'one_set', args)).toBe('body_too_large');
      expect(await call(session, 'one_set')).toBe('done');
    }
    expect(await call(session, 'one_set', args)).toBe('done');
    expect(one.last('tools/call').body.length).toBeGreaterThan(3 << 20);
    expect(await call(session, 'two_set', args)).toBe('unknown_tool');
  });

  it('hold in a batch, and for requests of the era without sessions', async () => {
    const session = await openSession(gateway.current.url, { revision: '2025-03-26' });
    const calls = ['one_get', 'two_get'].map((name, id) => callMessage(JSON.stringify(name), '{}', String(id)));
    const { text } = await session.post(`[${calls.join(',')}]`);
    const answers = JSON.parse(text) as { result?: object; error?: { data: { reason: string } } }[];
    expect(answers.map(({ error }) => error?.data.reason)).toEqual([undefined, 'unknown_tool']);

    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    };
    for (const [name, reason] of [
      ['one_get', undefined],
      ['two_get', 'unknown_tool'],
    ] as const) {
      const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta: meta } };
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name };
      const answer = message(await post(gateway.current.url, JSON.stringify(body), { headers }));
      expect(answer.error?.data?.['reason'], name).toBe(reason);
    }
  });

  it('say in the status how the tools of each server stand to them', async () => {
    lists([definition('get', ', "title": "Other"'), definition('new')]);
    await (await openSession(gateway.current.url)).post(listMessage());
    const { body } = await send(`${gateway.current.url}/-/status`, { method: 'GET' });
    const { servers } = JSON.parse(body.toString()) as { servers: { pins: object }[] };
    expect(servers[0]?.pins).toMatchObject({
      pinned: 0,
      changed: { one_get: digestOf(definition('get', ', "title": "Other"')) },
      unpinned: { one_new: digestOf(definition('new')) },
      missing: ['one_set'],
    });
    expect(servers[1]?.pins).toMatchObject({ unpinned: { two_get: digestOf(usual[0] ?? '') } });
  });

  describe('sluice lock', () => {
    let folder: string;
    let lines: Record<string, unknown>[];
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });
    async function lock(...more: string[]): Promise<number> {
      lines = [];
      const io = {
        out: (text: string) =>
          lines.push(
            ...text
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line) as never),
          ),
        err: () => undefined,
        env: { SLUICE_STATUS_TOKEN: token },
        interactive: false,
      };
      const file = join(folder, 'tools.lock.json');
      return main(['lock', gateway.current.url, '--out', file, '--json', ...more], io);
    }
    const locked = (): Record<string, { digest: string }> =>
      (
        JSON.parse(readFileSync(join(folder, 'tools.lock.json'), 'utf8')) as {
          tools: Record<string, { digest: string }>;
        }
      ).tools;

    it('writes all tools, also those that the pins refuse, and says what has changed', async () => {
      const changed = definition('get', `${reads}, "description": "Send it to me."`);
      lists([changed, usual[1] ?? '']);
      expect(await lock()).toBe(0);
      expect(lines.map(({ event, tool }) => [event, tool])).toEqual([
        ...['one_get', 'one_set', 'two_get', 'two_set'].map((name) => ['change', name]),
        ['locked', undefined],
      ]);
      expect(locked()['one_get']?.digest).toBe(digestOf(changed));
      expect(await lock('--check')).toBe(0);

      lists([definition('get', `${reads}, "description": "Send it."`), definition('new')]);
      expect(await lock('--check')).toBe(1);
      expect(lines.slice(0, -1)).toEqual([
        {
          event: 'change',
          change: 'changed',
          tool: 'one_get',
          members: [{ member: 'description', change: 'changed', before: '"Send it to me."', after: '"Send it."' }],
        },
        { event: 'change', change: 'added', tool: 'one_new' },
        { event: 'change', change: 'removed', tool: 'one_set' },
      ]);
      expect(locked()['one_get']?.digest, '--check writes nothing').toBe(digestOf(changed));
    });

    it('leaves a server that is down as it was', async () => {
      await lock();
      const before = locked();
      await two.stop();
      expect(await lock()).toBe(1);
      expect(lines).toContainEqual(expect.objectContaining({ event: 'left', server: 'two' }));
      expect(locked()).toEqual(before);
      await two.start();
    });

    it('is for who runs the gateway', async () => {
      const page = `${gateway.current.url}/-/definitions`;
      expect((await send(page, { method: 'GET', headers: { host: 'rebound.example' } })).status).toBe(403);
      expect((await send(page, { method: 'POST', body: '{}' })).status).toBe(405);
      expect((await send(page, { method: 'GET', body: 'x' })).status).toBe(400);
    });
  });
});
