import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, lateNameMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const call = callMessage('"server_echo"', '{"x":1}');
const parseError = { status: 400, code: -32700, reason: 'parse_error' };
const invalidRequest = { status: 400, code: -32600, reason: 'invalid_request' };

/** Bodies, and the row that each is refused with. @see the contract: parse_error, invalid_request */
const refused: readonly (readonly [string, string | Buffer, object])[] = [
  ['nothing', '', { ...parseError, id: null }],
  ['white space', ' \n', { ...parseError, id: null }],
  ['text', 'hello', { ...parseError, id: null }],
  ['a form', 'a=1&b=2', { ...parseError, id: null }],
  ['a truncated call', call.slice(0, -1), { ...parseError, id: 1 }],
  ['a call cut in the middle of an escape', `${call.slice(0, 60)}\\u00`, { ...parseError, id: 1 }],
  ['a call and more', `${call}x`, { ...parseError, id: 1 }],
  ['two calls', call + call, { ...parseError, id: 1 }],
  [
    'invalid UTF-8 in an argument',
    Buffer.concat([Buffer.from(call.slice(0, -4)), Buffer.from([0xc3, 0x28, 0x7d])]),
    { ...parseError, id: 1 },
  ],
  [
    'a surrogate in UTF-8',
    Buffer.from(callMessage('"server_echo"', '"@@@"').replace('@@@', '\xed\xa0\x80'), 'latin1'),
    { ...parseError, id: 1 },
  ],
  [
    'an overlong slash in UTF-8',
    Buffer.from(callMessage('"server_echo"', '"@@"').replace('@@', '\xc0\xaf'), 'latin1'),
    { ...parseError, id: 1 },
  ],
  ['UTF-16', Buffer.from(call, 'utf16le'), { ...parseError, id: null }],
  ['a control character in a string', callMessage('"server_echo"', '"\u0001"'), { ...parseError, id: 1 }],
  ['a NUL behind the document', `${call}\0`, { ...parseError, id: 1 }],
  ['a comment', `/**/${call}`, { ...parseError, id: null }],
  ['a trailing comma', call.replace('}}', '},}'), { ...parseError, id: 1 }],
  ['numbers that are none', callMessage('"server_echo"', '[01]'), { ...parseError, id: 1 }],
  ['NaN', callMessage('"server_echo"', '[NaN]'), { ...parseError, id: 1 }],
  ['single quotes', call.replaceAll('"', "'"), { ...parseError, id: null }],
  ['nested lists without end', '['.repeat(100_000), { ...invalidRequest, id: null }],
  [
    'arguments nested 100,000 deep',
    callMessage('"server_echo"', '['.repeat(100_000) + ']'.repeat(100_000)),
    { ...parseError, id: 1 },
  ],
  [
    'objects nested 100,000 deep',
    `{"jsonrpc":"2.0","id":1,"method":"ping","x":${'{"a":'.repeat(100_000)}`,
    { ...parseError, id: 1 },
  ],
  ['two methods', `{"method":"ping",${call.slice(1)}`, { ...parseError }],
  ['two ids', call.replace('{', '{"id":2,'), { ...parseError }],
  ['two params', call.replace(/}$/, ',"params":{}}'), { ...parseError, id: 1 }],
  ['two names', call.replace('"arguments"', '"name":"server_rm","arguments"'), { ...parseError, id: 1 }],
  [
    'two names, one written with escapes',
    call.replace('"arguments"', '"n\\u0061me":"server_rm","arguments"'),
    { ...parseError, id: 1 },
  ],
  ['two arguments', call.replace(/}}$/, ',"arguments":{}}}'), { ...parseError, id: 1 }],
  ['two claims', `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{},"_meta":{}}}`, { ...parseError, id: 1 }],
  ['a method in other letters', call.replace('{', '{"Method":"ping",'), { ...parseError }],
  ['a name in other letters', call.replace('"arguments"', '"NAME":"server_rm","arguments"'), { ...parseError, id: 1 }],
  ['params with a long s', call.replace('{', '{"param\u017f":{},'), { ...parseError }],
  ['params with a long s in an escape', call.replace('{', '{"param\\u017f":{},'), { ...parseError }],
  [
    'a name with a NUL behind it',
    call.replace('"arguments"', '"name\\u0000x":"server_rm","arguments"'),
    { ...parseError, id: 1 },
  ],
  ['an empty batch', '[]', { ...invalidRequest, id: null }],
  ['a batch', `[${call}]`, { ...invalidRequest, id: null }],
  ['a string', '"tools/call"', { ...invalidRequest, id: null }],
  ['a number', '1', { ...invalidRequest, id: null }],
  ['null', 'null', { ...invalidRequest, id: null }],
  ['no version', '{"id":1,"method":"ping"}', { ...invalidRequest, id: 1 }],
  ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', { ...invalidRequest, id: 1 }],
  ['a version that is a number', '{"jsonrpc":2.0,"id":1,"method":"ping"}', { ...invalidRequest, id: 1 }],
  ['no method', '{"jsonrpc":"2.0","id":1}', { ...invalidRequest, id: 1 }],
  ['a method that is a number', '{"jsonrpc":"2.0","id":1,"method":7}', { ...invalidRequest, id: 1 }],
  ['a method and a result', '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', { ...invalidRequest, id: 1 }],
  [
    'params that are a list',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["server_echo"]}',
    { ...invalidRequest, id: 1 },
  ],
  [
    'params that are a string',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"server_echo"}',
    { ...invalidRequest, id: 1 },
  ],
];

describeGateway('hostile requests', () => {
  let server: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({ servers: [{ name: 'server', url: server.url }] }));
  const narrow = useGateway(() => ({
    servers: [{ name: 'server', url: server.url }],
    plugin: { limits: { heldBody: '16Ki', drainBytes: '64Ki' } },
  }));

  const wide = useGateway(() => ({
    servers: [{ name: 'server', url: server.url }],
    plugin: { limits: { heldBody: '64Mi' } },
    // As an operator's own file may have it; what is derived from the configuration holds enough.
    adjust: ({ static_resources: { listeners } }) => {
      listeners[0].per_connection_buffer_limit_bytes = 2 << 20;
    },
  }));

  const spacious = useGateway(() => ({
    servers: [{ name: 'server', url: server.url }],
    plugin: { limits: { heldBody: '8Mi' } },
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it.each(refused)('are refused before a server hears of them: %s', async (_, body, row) => {
      const session = await openSession(gateway.current.url, { http });
      server.forget();
      const answer = await session.post(body);
      expect(refusal(answer)).toMatchObject(row);
      expect(answer.headers['content-type']).toBe('application/json');
      expect(message(answer).error?.message).toMatch(/Send one JSON/);
      expect(server.requests).toEqual([]);
      expect((await session.post(call)).status).toBe(200);
    });

    it('are read a byte at a time, and refused all the same', async () => {
      const session = await openSession(gateway.current.url, { http });
      const bytes = (text: string): Buffer[] => [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
      expect((await session.post(bytes(call), { pause: 0 })).status).toBe(200);
      const twice = call.replace('"arguments"', '"name":"server_rm","arguments"');
      expect(refusal(await session.post(bytes(twice), { pause: 0 }))).toMatchObject(parseError);
    });

    it.each([false, true])('that end in trailers are refused at those (valid: %s)', async (valid) => {
      const session = await openSession(gateway.current.url, { http });
      const body = valid ? call : call.slice(0, -1);
      const answer = await session.post([body], {
        withoutLength: true,
        trailers: { 'x-end': '1', 'x-mcp-servername': 'other' },
      });
      expect(answer.status).toBe(valid ? 200 : 400);
    });

    it.each([
      ['a little more than may be held', 17 << 10],
      ['more than is drained', 300 << 10],
      ['a megabyte and more', 1_300_000],
    ])('are told that they are too large: %s', async (_, size) => {
      const session = await openSession(narrow.current.url, { http });
      server.forget();
      const answer = await session.post(lateNameMessage('"server_echo"', JSON.stringify('x'.repeat(size))));
      expect(refusal(answer)).toMatchObject({ status: 200, code: -32600, reason: 'body_too_large' });
      expect(message(answer).error?.message).toContain('limits.heldBody');
      expect(server.requests).toEqual([]);
      expect((await session.post(call)).status).toBe(200);
    });

    it('are told so by default above a megabyte, and served below', async () => {
      const session = await openSession(gateway.current.url, { http });
      const sized = (size: number): string => lateNameMessage('"server_echo"', JSON.stringify('x'.repeat(size)));
      expect((await session.post(sized((1 << 20) - 200))).status).toBe(200);
      expect(refusal(await session.post(sized(1 << 20)))).toMatchObject({ status: 200, reason: 'body_too_large' });
      expect(refusal(await session.post(sized(1_500_000)))).toMatchObject({ status: 200, reason: 'body_too_large' });
    });
  });

  // Over HTTP/2 the window is what Envoy holds: a client that has filled it waits, and Envoy's timeouts end that.
  it('are told that they are too large where Envoy holds less than the gateway would', async () => {
    const session = await openSession(wide.current.url);
    const answer = await session.post(lateNameMessage('"server_echo"', JSON.stringify('x'.repeat(24 << 20))));
    expect(refusal(answer)).toMatchObject({ status: 200, code: -32600, reason: 'body_too_large' });
    expect(answer.headers['x-mcp-gateway']).toMatch(/^sluice\//);
  });

  it.each(bothProtocols)('may be as large as the configuration says over %s', async (http) => {
    const session = await openSession(spacious.current.url, { http });
    const answer = await session.post(lateNameMessage('"server_echo"', JSON.stringify('x'.repeat(7 << 20))));
    expect(answer.status).toBe(200);
  });

  it('do not need a content type, nor a list of what they accept', async () => {
    const session = await openSession(gateway.current.url);
    const headers = { 'content-type': 'text/plain', accept: '*/*' };
    expect((await session.post(call, { headers })).status).toBe(200);
    expect(server.last('tools/call').headers['accept']).toBe('application/json, text/event-stream');
  });

  it('may ask whether to go on before they send a body', async () => {
    const session = await openSession(gateway.current.url);
    const headers = { expect: '100-continue' };
    expect((await session.post(call, { headers })).status).toBe(200);
    expect(refusal(await session.post('{', { headers }))['reason']).toBe('parse_error');
  });

  it('get an answer without a session as with one', async () => {
    for (const [what, body] of refused) {
      const answer = await post(gateway.current.url, body);
      expect(answer.status, what).toBe(400);
    }
  });
});
