// Host mode `headers`: calls of the stateless revision, decided on by their headers, their body read in passing.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { message, refusal } from '../clients/answers.ts';
import { type RawAnswer, type RawRequest, bothProtocols, send } from '../clients/raw.ts';
import { initializeMessage, mcpHeaders } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { type Answer, type Scripted, result, startScripted, status } from '../upstreams/scripted.ts';
import { until } from '../until.ts';

const modern = '2026-07-28';
const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"${modern}"}`;
const mismatch = { status: 400, code: -32020, reason: 'header_mismatch' };

/** The bytes of a stateless `tools/call`; members of params in the order given. */
function stateless(name: string, args = '{}', before = false): string {
  const params = before ? `${meta},"arguments":${args},"name":${name}` : `"name":${name},"arguments":${args},${meta}`;
  return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${params}}}`;
}

describeGateway('calls that are decided on by their headers', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'] });
    two = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  beforeEach(() => {
    one.forget();
    two.forget();
  });
  const gateway = useGateway(() => ({
    servers: [
      {
        name: 'one',
        url: one.url,
        tools: { deny: ['secret'] },
        credentials: { type: 'passthrough', headers: ['x-user'] },
      },
      { name: 'two', url: two.url },
    ],
  }));

  const call = (name: string, body: RawRequest['body'], request: Omit<RawRequest, 'body'> = {}): Promise<RawAnswer> =>
    send(gateway.current.url, {
      ...request,
      body: body ?? '',
      headers: {
        ...mcpHeaders,
        'mcp-protocol-version': modern,
        'mcp-method': 'tools/call',
        'mcp-name': name,
        ...request.headers,
      },
    });

  describe.each(bothProtocols)('over %s', (http) => {
    it.each([0, 10, 1000, 70_000, 900_000, 3_000_000])('pass with %i bytes of arguments', async (size) => {
      const args = `{"text":"${'x'.repeat(size)}"}`;
      const answer = await call('two_echo', stateless('"two_echo"', args), { http });
      expect(message(answer).result).toEqual({ content: [{ type: 'text', text: 'done' }] });
      const { body, headers } = two.last('tools/call');
      expect(body.equals(Buffer.from(stateless('"echo"', args)))).toBe(true);
      expect([headers['mcp-name'], headers['mcp-method'], headers['mcp-protocol-version']]).toEqual([
        'echo',
        'tools/call',
        modern,
      ]);
      expect(one.requests).toEqual([]);
    });

    it('pass cut at every byte', async () => {
      const body = stateless('"one_\\u0065cho"', '{"é":1e400}', http === 'HTTP/2');
      const expected = stateless('"\\u0065cho"', '{"é":1e400}', http === 'HTTP/2');
      const bytes = Buffer.from(body);
      for (let cut = 1; cut < bytes.length; cut += 3) {
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
        const answer = await call('one_echo', pieces, { http, pause: 1, withoutLength: cut % 2 === 0 });
        expect([cut, answer.status]).toEqual([cut, 200]);
        expect(one.last('tools/call').body.toString()).toBe(expected);
      }
    });

    it('pass with a name that no header could have as it is', async () => {
      const name = '=?base64?dHdvXydlw6ko?=';
      const answer = await call(name, stateless('"two_\'eé("'), { http });
      expect(answer.status).toBe(200);
      expect(two.last('tools/call').headers['mcp-name']).toBe('=?base64?J2XDqSg=?=');
      expect(two.last('tools/call').body.toString()).toBe(stateless('"\'eé("'));
    });

    it.each([
      ['another name', 'one_echo', stateless('"one_other"')],
      ['another server', 'one_echo', stateless('"two_echo"')],
      ['another method', 'one_echo', stateless('"one_echo"').replace('tools/call', 'tools/list')],
      ['no name', 'one_echo', stateless('"one_echo"').replace('"name":"one_echo",', '')],
      ['no claim', 'one_echo', stateless('"one_echo"').replace(meta, '"x":1')],
      ['another claim', 'one_echo', stateless('"one_echo"').replace(`:"${modern}"`, ':"2025-11-25"')],
    ])('are cut off where the body says %s', async (_, name, body) => {
      for (const pad of ['', 'x'.repeat(300_000)]) {
        const padded = body.replace('"arguments":{}', `"arguments":{"p":"${pad}"}`);
        const answer = await call(name, padded, { http });
        expect(refusal(answer)).toMatchObject(mismatch);
      }
      await until('the server has seen the end of them', () => one.arrivals.every(({ state }) => state !== 'arriving'));
      expect([one.requests, two.requests]).toEqual([[], []]);
    });

    it.each([
      ['a second name', stateless('"one_echo","name":"one_secret"'), 'parse_error'],
      ['text behind it', `${stateless('"one_echo"')}x`, 'parse_error'],
      ['no end', stateless('"one_echo"').slice(0, -1), 'parse_error'],
      ['no id', stateless('"one_echo"').replace('"id":1,', ''), 'invalid_request'],
    ])('are cut off where the body has %s', async (_, body, reason) => {
      expect(refusal(await call('one_echo', body, { http }))).toMatchObject({ status: 400, reason });
      expect(one.requests).toEqual([]);
    });

    it('reach a server without what is not for it, and a client the same way', async () => {
      const credentials = { authorization: 'Bearer of-the-client', cookie: 'c=1' };
      const ofClient = {
        accept: 'application/json, text/plain, */*',
        'content-type': 'application/json; charset=utf-8',
        'accept-encoding': 'gzip, br',
        origin: gateway.current.origin,
        referer: `${gateway.current.origin}/page`,
        'sec-fetch-mode': 'cors',
        'last-event-id': '7',
        'x-http-method-override': 'DELETE',
        'x-envoy-original-path': '/admin',
        'mcp-param-city': 'Kyjiw',
        'mcp-other': 'x',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      };
      const kept = { 'cache-control': 'no-store', 'retry-after': '7' };
      const ended = { 'set-cookie': 'a=1', 'clear-site-data': '"*"', 'mcp-session-id': 's', 'alt-svc': 'h3=":1"' };
      const usual: Answer = result('{"content":[]}');
      one.answers = {
        'tools/call': (request, reply) =>
          usual(request, {
            ...reply,
            head: (code, headers) => {
              reply.head(code, { ...headers, ...kept, ...ended });
            },
          }),
      };
      for (const [name, server] of [['one', one] as const, ['two', two] as const]) {
        const body = stateless(`"${name}_echo"`);
        const answer = await call(`${name}_echo`, body, {
          http,
          headers: { ...ofClient, ...credentials, 'x-user': 'ada' },
        });
        expect(answer.status).toBe(200);
        const { headers } = server.last('tools/call');
        expect(headers).toMatchObject({
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'accept-encoding': 'identity',
          'mcp-param-city': 'Kyjiw',
          traceparent: ofClient.traceparent,
        });
        for (const absent of [
          ...['authorization', 'cookie', 'origin', 'referer', 'sec-fetch-mode', 'last-event-id', 'mcp-other'],
          ...['x-http-method-override', 'x-envoy-original-path'],
        ]) {
          expect(headers).not.toHaveProperty(absent);
        }
        expect(headers['x-user']).toBe(name === 'one' ? 'ada' : undefined);
        if (name === 'two') continue;
        expect(answer.headers).toMatchObject(kept);
        for (const absent of Object.keys(ended)) expect(answer.headers).not.toHaveProperty(absent);
      }
      one.answers = {};
    });

    it.each([
      ['at once', { pause: 0, size: 0 }],
      ['in parts', { pause: 50, size: 0 }],
      ['with 50 KB', { pause: 0, size: 50_000 }],
    ])('are refused by their headers, with the id of a body that comes %s', async (_, { pause, size }) => {
      const body = stateless('"one_secret"', `{"text":"${'x'.repeat(size)}"}`);
      const idLast = body.replace('"id":1,', '').replace(/}$/, ',"id":1}');
      for (const bytes of [body, idLast].map((text) => Buffer.from(text))) {
        const request = { http, pause, withoutLength: pause > 0 };
        const parts = pause > 0 ? [bytes.subarray(0, 20), bytes.subarray(20, -4), bytes.subarray(-4)] : bytes;
        const unknown = { status: 200, id: 1, code: -32602, reason: 'unknown_tool' };
        expect(refusal(await call('one_secret', parts, request))).toEqual(unknown);
        expect(refusal(await call('none', parts, request))).toEqual(unknown);
        const ping = { ...request, headers: { 'mcp-method': 'ping' } };
        // A method that does not exist leads nowhere: what is wrong with the body comes first.
        const incomplete = { status: 400, id: 1, code: -32602, reason: 'invalid_request' };
        expect(refusal(await call('x', parts, ping))).toEqual(incomplete);
        expect(refusal(await call('=?base64?%%?=', parts, request))).toEqual({ ...mismatch, id: 1 });
        const headers = { ...mcpHeaders, 'mcp-protocol-version': modern };
        expect(refusal(await send(gateway.current.url, { ...request, body: parts, headers }))).toEqual({
          ...mismatch,
          id: 1,
        });
      }
      expect([one.requests, two.requests]).toEqual([[], []]);
    });

    it.each([
      ['is no JSON', 'x'],
      ['is a notification', stateless('"none"').replace('"id":1,', '')],
    ])('are refused without an id where the body %s', async (_, body) => {
      expect(refusal(await call('none', body, { http }))).toMatchObject({
        status: 400,
        id: null,
        reason: 'unknown_tool',
      });
    });

    it.each([
      [
        'text',
        status(500, 'text/plain', 'it rains', { 'set-cookie': 'a=b' }),
        'upstream_status',
        /HTTP 500: it rains\. See/,
      ],
      [
        'pages',
        status(500, 'text/html', '<p>it <b>rains</b>'.repeat(5000)),
        'upstream_status',
        /HTTP 500: it rains it/,
      ],
      ['nothing', status(503), 'upstream_status', /HTTP 503\. See/],
      [
        'JSON',
        status(403, 'application/json', '{"error":{"message":"no role"}}'),
        'upstream_unauthorized',
        /403: no role/,
      ],
      [
        'a foreign Host',
        status(421, 'text/plain', 'Invalid Host'),
        'upstream_status',
        /asked as .*Invalid Host.*Set authority/,
      ],
      [
        'another era',
        status(400, 'text/plain', 'Session ID is required'),
        'upstream_protocol',
        /another era.*hold or pair/,
      ],
    ])('that a server refuses with %s say so in its words', async (_, answer, reason, says) => {
      two.answers = { 'tools/call': answer };
      const failed = await call('two_echo', stateless('"two_echo"'), { http });
      two.answers = {};
      expect(refusal(failed)).toEqual({ status: 200, id: 1, code: -32603, reason, server: 'two' });
      expect(message(failed).error?.message).toMatch(says);
      expect(failed.headers['content-type']).toBe('application/json');
      expect(failed.headers).not.toHaveProperty('set-cookie');
    });

    it('are told where the names are', async () => {
      const answer = await call('none', stateless('"none"'), { http });
      expect(message(answer).error?.message).toMatch(/^Unknown tool: none\. Call tools\/list/);
    });

    it('are not those of a client with sessions', async () => {
      const answer = await send(gateway.current.url, { http, body: initializeMessage(), headers: mcpHeaders });
      expect(refusal(answer)).toEqual({ status: 400, id: 0, code: -32022, reason: 'unsupported_version' });
      expect(message(answer).error?.message).toContain('without initialize');
      expect(message(answer).error?.data?.['supported']).toEqual([modern]);
      for (const method of ['GET', 'DELETE']) {
        const other = await send(gateway.current.url, { http, method });
        expect([other.status, other.headers['allow']]).toEqual([405, 'POST']);
      }
    });
  });

  // Over HTTP/1.1 the shipped listener drops trailers.
  it('may end in trailers', async () => {
    const request = { http: 'HTTP/2', withoutLength: true, trailers: { 'x-end': '1' } } as const;
    expect((await call('one_echo', stateless('"one_echo"'), request)).status).toBe(200);
    expect(one.requests).toHaveLength(1);
  });

  it('are cut off before trailers where they contradict their headers', async () => {
    const request = { http: 'HTTP/2', withoutLength: true, trailers: { 'x-end': '1' } } as const;
    const answer = await call('one_echo', stateless('"one_other"'), request);
    expect(refusal(answer)).toMatchObject({ status: 400, reason: 'header_mismatch' });
    expect(one.requests).toEqual([]);
  });
});
