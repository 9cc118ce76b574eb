// Two tools that find and call all others, in the place of a long list.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, lateNameMessage, listMessage, openSession, type Session } from './clients/session.ts';
import { framings, upload } from './clients/upload.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { until } from './until.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const own = ['search_tools', 'call_tool'];
const throughCallTool = (name: string, args: string): string =>
  callMessage('"call_tool"', `{"name":${name},"arguments":${args}}`);

describeGateway('tool search', () => {
  let weather: Scripted;
  let many: Scripted;
  let modern: ModernServer;
  beforeAll(async () => {
    weather = await startScripted({ tools: ['get', 'search_tools'], sessionId: 'session-of-weather' });
    many = await startScripted({ tools: Array.from({ length: 300 }, (_, index) => `tool_${index}`) });
    modern = await startModernServer('modern');
  });
  afterAll(() => Promise.all([weather.stop(), many.stop(), modern.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'weather', url: weather.url },
      { name: 'many', url: many.url, listCache: { ttl: '60s', scope: 'shared' } },
      { name: 'modern', url: modern.url, tools: { allow: ['test_simple_text'] } },
    ],
    plugin: {
      toolSearch: { enabled: true, pinned: ['weather_get'], exclude: ['many_tool_1*'] },
      overrides: [{ tool: 'weather_search_tools', name: 'search_tools' }],
      limits: { heldBody: '256Ki' },
      virtualServers: [{ name: 'team/all', tools: ['many_*'], toolSearch: { enabled: false } }],
    },
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    let session: Session;
    beforeAll(async () => {
      session = await openSession(gateway.current.url, { http });
    });
    const find = async (query: string): Promise<string[]> => {
      const answer = await session.post(callMessage('"search_tools"', JSON.stringify({ query })));
      const found = message(answer).result?.['structuredContent'] as { tools: { name: string }[] };
      return found.tools.map(({ name }) => name);
    };

    it('lists what is pinned, and finds the rest', async () => {
      many.forget();
      expect(toolNames(await session.post(listMessage()))).toEqual([...own, 'weather_get']);
      expect(many.requests).toEqual([]);
      expect(await find('many_tool_299')).toEqual(expect.arrayContaining(['many_tool_299']));
      expect(await find('simple text')).toEqual(['modern_test_simple_text']);
      expect(await find('many_tool_100')).not.toContain('many_tool_100');
      expect(await find('search_tools')).not.toContain('search_tools');
    });

    it.each([10, 70_000, 200_000])('calls what it finds, with %i bytes', async (size) => {
      const args = `{"text":"${'x'.repeat(size)}", "n":1.0}`;
      for (const body of [
        throughCallTool('"weather_g\\u0065t"', args),
        lateNameMessage('"call_tool"', `{"arguments":${args},"name":"weather_get"}`),
      ]) {
        weather.forget();
        expect(message(await session.post(body))).toHaveProperty('result');
        const call = weather.last('tools/call');
        expect(JSON.parse(call.body.toString())).toMatchObject({ params: { name: 'get' } });
        expect(call.body.toString()).toContain(args);
        expect(call.body.toString()).not.toContain('call_tool');
        expect(call.headers).toMatchObject({ 'x-mcp-toolname': 'get', 'x-mcp-servername': 'weather' });
      }
    });

    it('lets nothing go on that may be another call', async () => {
      weather.forget();
      many.forget();
      const refused = { id: 1, reason: 'unknown_tool' };
      for (const [args, expected] of [
        ['{"name":"weather_get","name":"many_tool_2"}', { reason: 'parse_error' }],
        ['{"name":"weather_get","Name":"many_tool_2"}', { reason: 'parse_error' }],
        ['{"name":"many_tool_100"}', refused],
        ['{"name":"call_tool","arguments":{"name":"weather_get"}}', refused],
        ['{"name":"search_tools","arguments":{"query":"x"}}', refused],
      ] as const) {
        expect(refusal(await session.post(callMessage('"call_tool"', args)))).toMatchObject(expected);
      }
      const large = throughCallTool('"weather_get"', `{"text":"${'x'.repeat(300_000)}"}`);
      expect(refusal(await session.post(large))).toMatchObject({ reason: 'body_too_large' });
      expect([...weather.requests, ...many.requests]).toEqual([]);
    });
  });

  it('asks no server for a list that is kept, and shows it whole where it is asked for', async () => {
    const session = await openSession(gateway.current.url);
    const search = callMessage('"search_tools"', '{"query":"many_tool_7"}');
    const found = await session.post(search);
    const all = await openSession(`${gateway.current.url}/team/all`);
    const list = await all.post(listMessage());
    many.forget();
    for (let turn = 0; turn < 3; turn++) {
      expect((await session.post(search)).text).toBe(found.text);
      expect((await all.post(listMessage())).text).toBe(list.text);
    }
    expect(many.of('tools/list')).toEqual([]);
  });

  it.each(framings)('calls however the body comes: %j', async (framing) => {
    const session = await openSession(gateway.current.url);
    const body = throughCallTool('"many_tool_2"', `{"text":"${'x'.repeat(100_000)}"}`);
    many.forget();
    const headers = { 'mcp-session-id': session.id };
    const sent = upload(gateway.current.url, { framing, headers, size: body.length });
    for (let at = 0; at < body.length; at += 30_000) await sent.write(Buffer.from(body.slice(at, at + 30_000)));
    sent.end();
    const answer = await sent.answer;
    expect(message(answer)).toHaveProperty('result');
    expect(many.last('tools/call').body.toString()).toBe(callMessage('"tool_2"', `{"text":"${'x'.repeat(100_000)}"}`));
  });

  it('is off where a virtual server says so', async () => {
    const session = await openSession(`${gateway.current.url}/team/all`);
    expect(toolNames(await session.post(listMessage()))).toHaveLength(300);
    expect(refusal(await session.post(callMessage('"call_tool"', '{"name":"many_tool_2"}')))).toMatchObject({
      reason: 'unknown_tool',
    });
  });

  it('serves calls of a batch', async () => {
    const session = await openSession(gateway.current.url, { revision: '2025-03-26' });
    const answer = await session.post(
      `[${throughCallTool('"weather_get"', '{}')},${callMessage('"search_tools"', '{"query":"weather"}', '2')}]`,
    );
    const answers = JSON.parse(answer.text) as { id: number; result?: object }[];
    expect(answers.map(({ id, result }) => [id, result !== undefined])).toEqual([
      [1, true],
      [2, true],
    ]);
  });

  it('says of call_tool what a client has to think of it', async () => {
    const session = await openSession(gateway.current.url);
    const { tools = [] } = message(await session.post(listMessage())).result as { tools?: Record<string, unknown>[] };
    expect(Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations]))).toMatchObject({
      search_tools: { readOnlyHint: true },
      call_tool: { readOnlyHint: false, destructiveHint: true },
    });
  });

  it('serves SDK clients of both eras', async () => {
    const modernClient = await connectModern(gateway.current.url, { pin: '2026-07-28' });
    const { client: legacyClient } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    for (const client of [modernClient, legacyClient]) {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual([...own, 'weather_get']);
      const found = await client.callTool({ name: 'search_tools', arguments: { query: 'simple text' } });
      expect(JSON.stringify(found.content)).toContain('modern_test_simple_text');
      for (const name of ['modern_test_simple_text', 'weather_get']) {
        const said = await client.callTool({ name: 'call_tool', arguments: { name, arguments: {} } });
        expect(said.isError).not.toBe(true);
        if (name.startsWith('modern')) expect(JSON.stringify(said.content)).toContain('simple text');
      }
      await client.close();
    }
    const called = modern.requests.filter(({ method }) => method === 'tools/call');
    expect(called.map(({ headers }) => headers['mcp-name'])).toEqual(['test_simple_text', 'test_simple_text']);
  });
});

describeGateway('a call through call_tool', () => {
  let weather: Scripted;
  beforeAll(async () => {
    weather = await startScripted({ tools: ['get', 'put', 'old'] });
  });
  afterAll(() => weather.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'weather', url: weather.url }],
    plugin: {
      toolSearch: { enabled: true },
      quotas: [{ per: ['tool'], requests: 2, interval: '24h' }],
      pins: { tools: { weather_old: `sha256:${'0'.repeat(64)}` }, changed: 'refuse', unpinned: 'allow' },
      audit: {},
    },
  }));
  const auditLines = (): Record<string, unknown>[] =>
    [...gateway.current.log().matchAll(/wasm log [^\n]*?: audit (\{.*\})/g)]
      .map(([, text = '']) => JSON.parse(text) as Record<string, unknown>)
      .filter(({ method }) => method === 'tools/call');

  it('is one of the tool itself for budgets, pins, the record and metrics', async () => {
    const session = await openSession(gateway.current.url);
    const call = async (body: string): Promise<string> => {
      const { result, error } = message(await session.post(body));
      const [{ text = '' } = {}] = (result?.['content'] ?? []) as { text?: string }[];
      return error === undefined ? (result?.['isError'] === true ? text : 'ok') : String(error.data?.['reason']);
    };
    // One budget, by whatever name the tool is called; another tool has its own.
    expect(await call(callMessage('"weather_get"'))).toBe('ok');
    expect(await call(throughCallTool('"weather_get"', '{}'))).toBe('ok');
    expect(await call(throughCallTool('"weather_get"', '{}'))).toContain('weather_get');
    expect(await call(throughCallTool('"weather_put"', '{}'))).toBe('ok');
    expect(await call(throughCallTool('"weather_old"', '{}'))).toContain('not the one that was pinned: weather_old');
    expect(weather.of('tools/call')).toHaveLength(3);
    await until('all are recorded', () => auditLines().length >= 5);
    const served = { server: 'weather', decision: 'allow', outcome: 'ok' };
    expect(auditLines()).toMatchObject([
      { ...served, name: 'weather_get' },
      { ...served, name: 'weather_get' },
      { server: 'weather', name: 'weather_get', by: 'quota', outcome: 'quota_exceeded' },
      { ...served, name: 'weather_put' },
      { server: 'weather', name: 'weather_old', by: 'pins', outcome: 'tool_changed' },
    ]);
    const counted = async (): Promise<number> =>
      [...(await gateway.current.stats())]
        .filter(([name]) => /sluice_requests_total.*tools\/call.*weather.*ok/.test(name))
        .reduce((sum, [, count]) => sum + count, 0);
    await until('they are counted', async () => (await counted()) === 3);
  });
});
