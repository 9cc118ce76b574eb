// The trace that a message says in `params._meta` (MCP 2026-07-28), in what servers are sent for it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toolNames } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { initializeMessage, openSession, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type RestService, startRestService } from './upstreams/rest.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const parentOf = (trace: string): string => `00-${trace.repeat(32)}-00f067aa0ba902b7-01`;
const ofMeta = {
  traceparent: parentOf('a'),
  tracestate: 'rojo=00f067aa0ba902b7,congo="t61"',
  baggage: 'userId=alice,region=b%20c',
};
const names = Object.keys(ofMeta);

interface Sent {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What the headers of a request say of a trace. */
function traceOf({ headers }: Sent): object {
  return Object.fromEntries(names.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]]));
}

function message(method: string, params: object, meta: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } });
}

function called(name: string, meta: object, args: object = {}): string {
  return message('tools/call', { name, arguments: args }, meta);
}

describeGateway('the trace of a message', () => {
  let one: Scripted;
  let shop: RestService;
  beforeAll(async () => {
    [one, shop] = await Promise.all([startScripted({ tools: ['echo'], sessionId: 's-1' }), startRestService()]);
  });
  afterAll(async () => {
    await Promise.all([one.stop(), shop.stop()]);
  });
  beforeEach(() => {
    one.forget();
  });
  const item = { name: 'get', args: [], requestTemplate: { url: '/items/1', method: 'GET' } };
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'shop', url: shop.url, rest: { tools: [item] } },
    ],
    plugin: { audit: {} },
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it('reaches a server in headers too, and stays in the body as it came', async () => {
      const session = await openSession(gateway.current.url, { http });
      const body = called('one_echo', { 'example.com/x': 1.0, ...ofMeta });
      expect((await session.post(body)).status).toBe(200);
      const call = one.last('tools/call');
      expect(traceOf(call)).toEqual(ofMeta);
      expect(call.body.toString()).toBe(body.replace('one_echo', 'echo'));
    });

    it('is that of the headers where they say one', async () => {
      const session = await openSession(gateway.current.url, { http });
      const headers = { traceparent: parentOf('b') };
      await session.post(called('one_echo', ofMeta), { headers });
      // No state of another trace: it would be read as one of this.
      expect(traceOf(one.last('tools/call'))).toEqual({ ...headers, baggage: ofMeta.baggage });
      await session.post(called('one_echo', ofMeta), { headers: { ...headers, tracestate: 'a=b', baggage: 'c=d' } });
      expect(traceOf(one.last('tools/call'))).toEqual({ ...headers, tracestate: 'a=b', baggage: 'c=d' });
    });

    it.each([
      ['no trace', { traceparent: 'x', tracestate: 'a=b' }, ofMeta],
      ['a state without a trace', { tracestate: 'a=b' }, ofMeta],
    ])('is that of the body where the headers say %s', async (_, headers, expected) => {
      const session = await openSession(gateway.current.url, { http });
      await session.post(called('one_echo', ofMeta), { headers });
      expect(traceOf(one.last('tools/call'))).toEqual(expected);
      const others = { traceparent: ofMeta.traceparent, baggage: ofMeta.baggage };
      await session.post(called('one_echo', others), { headers });
      expect(traceOf(one.last('tools/call'))).toEqual(others);
    });

    it.each([
      ['no traceparent', { tracestate: 'a=b' }],
      ['one that is none', { traceparent: `${parentOf('a')}\r\nx-injected: 1`, tracestate: 'a=b' }],
      ['one that is no text', { traceparent: [parentOf('a')], baggage: { a: 1 } }],
      ['a list that no header can have', { baggage: 'a=b\r\nx-injected: 1' }],
      ['half a character', { baggage: '\ud800' }],
    ])('is none where the body has %s', async (_, meta) => {
      const session = await openSession(gateway.current.url, { http });
      expect((await session.post(called('one_echo', meta))).status).toBe(200);
      const call = one.last('tools/call');
      expect(traceOf(call)).toEqual({});
      expect(call.headers['x-injected']).toBeUndefined();
    });

    it('is read whatever the escapes, and also where more of the body comes than is held', async () => {
      const session = await openSession(gateway.current.url, { http });
      const body = called('one_echo', ofMeta)
        .replace('"traceparent"', '"trace\\u0070arent"')
        .replace('00-aa', '00-\\u0061a');
      await session.post(body);
      expect(traceOf(one.last('tools/call'))).toEqual(ofMeta);
      one.forget();
      const large = JSON.stringify({ text: 'x'.repeat(2 << 20) });
      const params = `{"_meta":${JSON.stringify(ofMeta)},"name":"one_echo","arguments":${large}}`;
      await session.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`);
      expect(traceOf(one.last('tools/call'))).toEqual(ofMeta);
    });

    it('is that of the messages of the gateway itself: handshake and list', async () => {
      const { url } = gateway.current;
      const introduction = JSON.parse(initializeMessage()) as { params: object };
      const opened = await post(url, message('initialize', introduction.params, ofMeta), { http });
      const session = resumeSession(url, String(opened.headers['mcp-session-id']), { http });
      const answer = await session.post(message('tools/list', {}, ofMeta));
      expect(toolNames(answer)).toContain('one_echo');
      const sent = ['initialize', 'notifications/initialized', 'tools/list'].map((method) => one.last(method));
      expect(sent.map(traceOf)).toEqual(sent.map(() => ofMeta));
      // Another request of the same session is of another trace, or of none.
      await session.post(called('one_echo', {}));
      expect(traceOf(one.last('tools/call'))).toEqual({});
    });

    it('is that of the headers in messages of the gateway, where they say one', async () => {
      const headers = { traceparent: parentOf('c'), tracestate: 'c=d' };
      const session = await openSession(gateway.current.url, { http, headers });
      await session.post(message('tools/list', {}, ofMeta));
      await session.end();
      await until('the session has ended', () => Promise.resolve(one.of('DELETE').length > 0));
      const sent = ['initialize', 'tools/list', 'DELETE'].map((method) => one.last(method));
      expect(sent.map(({ headers }) => headers['traceparent'])).toEqual(sent.map(() => headers.traceparent));
      expect(sent.map(({ headers }) => headers['tracestate'])).toEqual(sent.map(() => headers.tracestate));
    });
  });

  it('reaches a REST service, which reads no `_meta`', async () => {
    const session = await openSession(gateway.current.url);
    expect((await session.post(called('shop_get', ofMeta))).status).toBe(200);
    expect(traceOf(shop.last())).toEqual(ofMeta);
  });

  it('is another one for each message of a batch', async () => {
    const session = await openSession(gateway.current.url, { revision: '2025-03-26' });
    const other = { traceparent: parentOf('d') };
    const messages = [ofMeta, other, {}].map((meta, id) => called('one_echo', meta).replace('"id":1', `"id":${id}`));
    expect((await session.post(`[${messages.join()}]`)).status).toBe(200);
    expect(one.of('tools/call').map(traceOf)).toEqual([ofMeta, other, {}]);
  });

  it('is in the record of calls', async () => {
    const trace = 'e'.repeat(32);
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      traceparent: parentOf('e'),
    };
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'one_echo' };
    expect((await post(gateway.current.url, called('one_echo', meta), { headers })).status).toBe(200);
    expect(traceOf(one.last('tools/call'))).toEqual({ traceparent: meta.traceparent });
    await until('the record has it', () => Promise.resolve(gateway.current.log().includes(`"trace":"${trace}"`)));
  });
});
