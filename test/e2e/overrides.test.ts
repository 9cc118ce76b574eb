// Tools under other names and with other texts than their servers give them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, lateNameMessage, listMessage, openSession, type Session } from './clients/session.ts';
import { connectSdk } from './clients/sdk.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

describeGateway('overrides', () => {
  let weather: Scripted;
  let notes: Scripted;
  let modern: ModernServer;
  beforeAll(async () => {
    weather = await startScripted({
      tools: `[{"name" : "get", "inputSchema":{"type":"object","maximum":18446744073709551615}, "x":1e3},{"name":"later","inputSchema":{"type":"object"}}]`,
      sessionId: 'session-of-weather',
    });
    notes = await startScripted({ tools: ['add', 'list'] });
    modern = await startModernServer('modern');
  });
  afterAll(() => Promise.all([weather.stop(), notes.stop(), modern.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'weather', url: weather.url, listCache: { ttl: '60s', scope: 'shared' } },
      { name: 'notes', url: notes.url },
      { name: 'modern', url: modern.url, tools: { allow: ['test_simple_text'] } },
    ],
    plugin: {
      overrides: [
        { tool: 'weather_get', name: 'forecast', title: 'Vorhersage', annotations: { readOnlyHint: true } },
        { tool: 'notes_*', name: '*' },
        { tool: 'modern_test_simple_text', name: 'say', description: 'Says "text".' },
      ],
      virtualServers: [
        { name: 'team/a', tools: ['weather_get'], overrides: [{ tool: 'weather_get', name: 'wetter' }] },
      ],
    },
  }));
  const names = ['forecast', 'weather_later', 'add', 'list', 'say'];

  describe.each(bothProtocols)('over %s', (http) => {
    let session: Session;
    beforeAll(async () => {
      session = await openSession(gateway.current.url, { http });
    });

    it("are what a list shows; every other byte is the server's", async () => {
      const answer = await session.post(listMessage());
      expect(toolNames(answer)).toEqual(names);
      // From the cache, too.
      expect((await session.post(listMessage())).text).toBe(answer.text);
      expect(answer.text).toContain(
        '{"name" : "forecast", "inputSchema":{"type":"object","maximum":18446744073709551615}, "x":1e3,' +
          '"title":"Vorhersage","annotations":{"readOnlyHint":true}}',
      );
    });

    it.each([10, 70_000, 3_000_000])('reach the server under its own name, with %i bytes', async (size) => {
      const args = `{"text":"${'x'.repeat(size)}","n":1.0}`;
      weather.forget();
      expect(message(await session.post(callMessage('"fore\\u0063ast"', args)))).toHaveProperty('result');
      const { body, headers } = weather.last('tools/call');
      expect(body.toString()).toBe(callMessage('"get"', args));
      expect(headers).toMatchObject({ 'x-mcp-toolname': 'get', 'x-mcp-servername': 'weather' });
      notes.forget();
      expect(message(await session.post(callMessage('"add"', args)))).toHaveProperty('result');
      expect(notes.last('tools/call').body.toString()).toBe(callMessage('"add"', args));
    });

    it('reach it with the name behind the arguments', async () => {
      expect(message(await session.post(lateNameMessage('"forecast"', '{}')))).toHaveProperty('result');
      expect(weather.last('tools/call').body.toString()).toBe(lateNameMessage('"get"', '{}'));
    });

    it('leave nothing under the old name', async () => {
      weather.forget();
      const answer = await session.post(callMessage('"weather_get"'));
      expect(refusal(answer)).toEqual({ status: 200, id: 1, code: -32602, reason: 'unknown_tool' });
      expect(weather.requests).toEqual([]);
    });

    it("are the virtual server's own where it has some", async () => {
      const own = await openSession(`${gateway.current.url}/team/a`, { http });
      expect(toolNames(await own.post(listMessage()))).toEqual(['wetter']);
      expect(message(await own.post(callMessage('"wetter"')))).toHaveProperty('result');
      expect(refusal(await own.post(callMessage('"forecast"')))).toMatchObject({ reason: 'unknown_tool' });
    });
  });

  it('hold for SDK clients of both eras, and for servers of both', async () => {
    const modernClient = await connectModern(gateway.current.url, { pin: '2026-07-28' });
    const { client: legacyClient } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    for (const client of [modernClient, legacyClient]) {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(names);
      expect(tools.at(-1)?.description).toBe('Says "text".');
      const said = await client.callTool({ name: 'say', arguments: {} });
      expect(JSON.stringify(said)).toContain('simple text');
      await expect(client.callTool({ name: 'forecast', arguments: {} })).resolves.toBeDefined();
      await client.close();
    }
    expect(
      modern.requests.filter(({ method }) => method === 'tools/call').map(({ headers }) => headers['mcp-name']),
    ).toEqual(['test_simple_text', 'test_simple_text']);
  });
});
