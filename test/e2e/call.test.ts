import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

/** The HTTP/2 client of Node 20 damages the heap of a test worker under this now and then, and the worker aborts. */
const hasSoundHttp2 = !process.versions.node.startsWith('20.');

describeGateway('tools/call', () => {
  let json: SdkServer;
  let streaming: SdkServer;
  let scripted: Scripted;
  beforeAll(async () => {
    json = await startSdkServer({ name: 'json', json: true });
    streaming = await startSdkServer({ name: 'streaming' });
    scripted = await startScripted({ tools: ['echo'] });
  });
  afterAll(async () => {
    await Promise.all([json.stop(), streaming.stop(), scripted.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'json', url: json.url },
      { name: 'streaming', url: streaming.url },
      { name: 'scripted', url: scripted.url, prefix: 'scripted.' },
    ],
  }));
  const call = (tool: string, args: Record<string, unknown>) => ({ name: tool, arguments: args });

  describe.each(bothProtocols)('over %s', (http) => {
    it.each(['json', 'streaming'])('reaches the tool of the server %s', async (server) => {
      const { client, close } = await connectSdk(gateway.current.url, http);
      const { content } = await client.callTool(call(`${server}_echo`, { x: 'ä "1"' }));
      expect(content).toEqual([
        { type: 'text', text: JSON.stringify({ server, tool: 'echo', arguments: { x: 'ä "1"' } }) },
      ]);
      await close();
    });

    it.runIf(hasSoundHttp2 || http === 'HTTP/1.1')('keeps many calls to several servers apart', async () => {
      const { client, close } = await connectSdk(gateway.current.url, http);
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          client.callTool(call(index % 2 === 0 ? 'json_echo' : 'streaming_echo', { index })),
        ),
      );
      const said = answers.map(({ content }) => JSON.parse((content as [{ text: string }])[0].text) as unknown);
      expect(said).toEqual(
        answers.map((_, index) => ({
          server: index % 2 === 0 ? 'json' : 'streaming',
          tool: 'echo',
          arguments: { index },
        })),
      );
      await close();
    });

    it('passes progress on while the tool still runs', async () => {
      const { client, close } = await connectSdk(gateway.current.url, http);
      const arrivals: number[] = [];
      const steps = 4;
      const pause = 150;
      await client.callTool(call('streaming_slowly', { steps, pause }), undefined, {
        onprogress: ({ progress }) => {
          expect(progress).toBe(arrivals.length + 1);
          arrivals.push(Date.now());
        },
      });
      const done = Date.now();
      expect(arrivals).toHaveLength(steps);
      // Held back to the end, all would arrive within a few milliseconds.
      expect(done - (arrivals[0] ?? done)).toBeGreaterThan(pause * 2);
      expect((arrivals[3] ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(pause);
      await close();
    });

    it('hands on what the tool is called upstream, and where it goes, to routes and filters', async () => {
      const session = await openSession(gateway.current.url, { http });
      await session.post(callMessage('"scripted.echo"'));
      expect(scripted.last('tools/call').headers).toMatchObject({
        'x-mcp-servername': 'scripted',
        'x-mcp-method': 'tools/call',
        'x-mcp-toolname': 'echo',
      });
      expect(scripted.last('tools/call').headers['host']).toBe(new URL(scripted.url).host);
    });

    it.each([
      ['"nobody_echo"', 'a server that there is not'],
      ['"echo"', 'no prefix'],
      ['"jso"', 'half a prefix'],
      ['"json_"', 'a prefix alone'],
      ['"JSON_echo"', 'a prefix in other letters'],
      ['""', 'nothing'],
      ['7', 'a number'],
      ['null', 'null'],
      ['["json_echo"]', 'a list'],
      ['"\\ud800json_echo"', 'half a character'],
      ['"json_\\ud800"', 'half a character behind the prefix'],
    ])('does not know the tool %s (%s)', async (name) => {
      const session = await openSession(gateway.current.url, { http });
      scripted.forget();
      const answer = await session.post(callMessage(name, '{}', '"who"'));
      expect(refusal(answer)).toEqual({ status: 200, id: 'who', code: -32602, reason: 'unknown_tool' });
    });

    it('is not done for a notification, whose result nobody would get', async () => {
      const session = await openSession(gateway.current.url, { http });
      scripted.forget();
      const answer = await session.post('{"jsonrpc":"2.0","method":"tools/call","params":{"name":"scripted.echo"}}');
      expect([answer.status, answer.body.length]).toEqual([202, 0]);
      expect(scripted.requests).toEqual([]);
    });

    it.each(['{"arguments":{"name":"json_echo"}}', '{}', '{"_meta":{"name":"json_echo"}}'])(
      'needs a name in %s',
      async (params) => {
        const session = await openSession(gateway.current.url, { http });
        const answer = await session.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`);
        expect(refusal(answer)).toEqual({ status: 200, id: 1, code: -32602, reason: 'unknown_tool' });
      },
    );

    it.each(['resources/list', 'tools/CALL', 'tools/call ', '', 'initialise'])(
      'does not know the method %j',
      async (method) => {
        const session = await openSession(gateway.current.url, { http });
        const answer = await session.post(`{"jsonrpc":"2.0","id":3,"method":${JSON.stringify(method)}}`);
        expect(refusal(answer)).toEqual({ status: 200, id: 3, code: -32601, reason: 'method_not_found' });
      },
    );
  });
});
