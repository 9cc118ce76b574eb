// The trace that the headers of a request say, in the message that its server gets (`headers.traceToMeta`).
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { message } from './clients/answers.ts';
import { bothProtocols, type Http } from './clients/raw.ts';
import { callMessage, initializeMessage, openSession, post, resumeSession } from './clients/session.ts';
import { describeGateway, hostMode } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

const trace = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'rojo=00f067aa0ba902b7,congo="t61"',
  baggage: 'userId=alice,region=b%20c',
};
const added = JSON.stringify(trace);

/** A server of the SDK whose one tool says what the `_meta` of its call was. */
function echoing(): McpServer {
  const server = new McpServer({ name: 'echoing', version: '1' });
  server.registerTool('meta', {}, ({ _meta }) => ({
    content: [{ type: 'text', text: JSON.stringify(_meta ?? null) }],
  }));
  return server;
}

describeGateway('the trace of headers, in messages', () => {
  let one: Scripted;
  let sdk: SdkServer;
  beforeAll(async () => {
    [one, sdk] = await Promise.all([
      startScripted({ tools: ['echo'], sessionId: 's-1' }),
      startSdkServer({ name: 'sdk', json: true, server: echoing }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([one.stop(), sdk.stop()]);
  });
  beforeEach(() => {
    one.forget();
  });
  const servers = () => [
    { name: 'one', url: one.url },
    { name: 'sdk', url: sdk.url },
  ];
  const plugin = { headers: { traceToMeta: true } };
  const gateway = useGateway(() => ({ servers: servers(), plugin }));

  /** What the one server got of a call, and that its length was told. */
  function received(): string {
    const { body, headers } = one.last('tools/call');
    if (headers['content-length'] !== undefined) expect(headers['content-length']).toBe(String(body.length));
    return body.toString();
  }

  describe.each(bothProtocols)('over %s', (http) => {
    it('reaches a server of the SDK', async () => {
      const session = await openSession(gateway.current.url, { http });
      const metaOf = async (body: string, headers: Record<string, string>): Promise<unknown> => {
        const { result } = message(await session.post(body, { headers })) as unknown as Echoed;
        return JSON.parse(result.content[0].text);
      };
      expect(await metaOf(callMessage('"sdk_meta"'), trace)).toEqual(trace);
      expect(await metaOf(callMessage('"sdk_meta"'), { traceparent: 'none' })).toBeNull();
      const own = callMessage('"sdk_meta"').replace('"name"', '"_meta":{"baggage":"mine","example.com/x":1},"name"');
      expect(await metaOf(own, trace)).toEqual({ ...trace, baggage: 'mine', 'example.com/x': 1 });
      const another = own.replace('"baggage":"mine"', `"traceparent":"${trace.traceparent.replace('4b', '5c')}"`);
      expect(await metaOf(another, trace)).toEqual({
        traceparent: trace.traceparent.replace('4b', '5c'),
        baggage: trace.baggage,
        'example.com/x': 1,
      });
    });

    it('leaves every other byte as it came, in however many parts', async () => {
      const session = await openSession(gateway.current.url, { http });
      const text = (name: string, meta: string): string =>
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${meta}"name":"${name}","arguments":{"x": 1.0}}}`;
      await session.post(text('one_echo', ''), { headers: trace });
      expect(received()).toBe(text('echo', `"_meta":${added},`));
      const pieces = text('one_echo', '').match(/[^]{1,20}/g) ?? [];
      await session.post(pieces, { headers: trace, pause: 1 });
      expect(received()).toBe(text('echo', `"_meta":${added},`));
      await session.post(text('one_echo', '"_meta" : { "a":"b" },'), { headers: trace, withoutLength: true });
      expect(received()).toBe(text('echo', `"_meta" : {${added.slice(1, -1)}, "a":"b" },`));
    });

    it('is in a large message that is held, and not in one that is larger than may be', async () => {
      const session = await openSession(gateway.current.url, { http });
      for (const size of [60_000, 300_000, 1_000_000]) {
        const body = callMessage('"one_echo"', `{"x":"${'x'.repeat(size)}"}`);
        expect((await session.post(body, { headers: trace })).status).toBe(200);
        expect(received()).toBe(body.replace('"name":"one_', `"_meta":${added},"name":"`));
      }
      const body = callMessage('"one_echo"', `{"x":"${'x'.repeat(2 << 20)}"}`);
      expect((await session.post(body, { headers: trace })).status).toBe(200);
      expect(received()).toBe(body.replace('one_', ''));
      // Nothing is said: nothing is held for it.
      expect((await session.post(body.replace('"id":1', '"id":2'))).status).toBe(200);
      expect(received()).toBe(body.replace('one_', '').replace('"id":1', '"id":2'));
    });

    it('is in a message for a server of the other era', async () => {
      const meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const params = { name: 'one_echo', arguments: {}, _meta: meta };
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'one_echo' };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
      expect((await post(gateway.current.url, body, { http, headers: { ...headers, ...trace } })).status).toBe(200);
      expect(JSON.parse(received())).toMatchObject({ params: { name: 'echo', _meta: trace } });
    });
  });

  it('is in each message of a batch that says none itself', async () => {
    const session = await openSession(gateway.current.url, { revision: '2025-03-26' });
    const own = callMessage('"one_echo"', '{}', '2').replace('"name"', '"_meta":{"traceparent":"x"},"name"');
    expect((await session.post(`[${callMessage('"one_echo"')},${own}]`, { headers: trace })).status).toBe(200);
    const metas = one.of('tools/call').map(({ body }) => (JSON.parse(body.toString()) as Called).params._meta);
    expect(metas).toEqual([trace, { traceparent: 'x', baggage: trace.baggage }]);
  });

  describe('where sessions with servers begin late', () => {
    const gateway = useGateway(() => ({
      servers: [{ name: 'one', url: one.url }],
      plugin: { ...plugin, sessions: { open: 'lazy' } },
    }));

    /** A session that has none with its server yet: what that says of itself is known from the one before. */
    async function openLate(http: Http) {
      const { url } = gateway.current;
      const introduction = initializeMessage();
      await post(url, introduction, { http });
      one.forget();
      const { headers } = await post(url, introduction, { http });
      expect(one.requests).toEqual([]);
      return resumeSession(url, String(headers['mcp-session-id']), { http });
    }

    it.each(bothProtocols)('is in the first call over %s', async (http) => {
      const body = callMessage('"one_echo"');
      const session = await openLate(http);
      expect((await session.post(body, { headers: trace })).status).toBe(200);
      expect(received()).toBe(body.replace('"name":"one_', `"_meta":${added},"name":"`));
    });

    it('is not in one that came in chunks, where the host has it again meanwhile', async () => {
      const body = callMessage('"one_echo"');
      const session = await openLate('HTTP/1.1');
      expect((await session.post(body, { headers: trace, withoutLength: true })).status).toBe(200);
      const meta = hostMode === 'hold' ? '' : `"_meta":${added},`;
      expect(received()).toBe(body.replace('"name":"one_', `${meta}"name":"`));
    });
  });
});

interface Echoed {
  readonly result: { readonly content: [{ readonly text: string }] };
}

interface Called {
  readonly params: { readonly _meta?: object };
}
