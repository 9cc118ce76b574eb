// A trap kills the VM of a worker and every request that waits in it. Whatever strangers send, the module must neither
// trap, nor ask the host for something wrong, nor leave a request hanging.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CalloutAnswer } from './callouts.ts';
import { answerAll, ask, callOf, LIST, openSession, startHost, usualAnswer } from './gateway.ts';
import type { Headers } from './pairs.ts';

/** One VM for all runs of a property, as in Envoy: what one request breaks, a later one meets. */
const RUNS = 1500;
const CACHED = {
  virtualServers: [{ name: 'a/b', tools: ['weather_*', 'n.get'] }],
  origins: ['https://page.example.com'],
  servers: [
    { name: 'weather', cluster: 'weather', listCache: { ttl: '1s' } },
    { name: 'notes', cluster: 'notes', prefix: 'n.', credentials: { type: 'passthrough', headers: ['x-user'] } },
  ],
};

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const headerValue = fc.oneof(
  fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,60}$/),
  fc.constantFrom('', 'application/json', 'https://page.example.com', 'a/b'),
);
const method = fc.constantFrom('initialize', 'ping', 'tools/list', 'tools/call', 'notifications/initialized', 'x');

/** Messages that are nearly right reach further than noise. */
const message = fc
  .record(
    {
      jsonrpc: fc.constantFrom('2.0', '1.0'),
      id: fc.oneof(fc.integer(), fc.string(), fc.constant(null)),
      method: fc.oneof(method, fc.string()),
      params: fc.oneof(
        fc.record(
          {
            name: fc.oneof(
              fc.string({ unit: 'binary' }).map((rest) => `weather_${rest}`),
              fc.jsonValue(),
            ),
            arguments: fc.jsonValue(),
            cursor: fc.jsonValue(),
            protocolVersion: fc.oneof(fc.constantFrom('2025-06-18', '2026-07-28'), fc.jsonValue()),
            clientInfo: fc.jsonValue(),
            _meta: fc.oneof(fc.jsonValue(), fc.constant({ 'io.modelcontextprotocol/protocolVersion': {} })),
          },
          { requiredKeys: [] },
        ),
        fc.jsonValue(),
      ),
      result: fc.jsonValue(),
    },
    { requiredKeys: ['jsonrpc', 'method'] },
  )
  .map((value) => JSON.stringify(value));

/** A text with some of its bytes changed, left out, repeated or escaped. */
function damaged(texts: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  const damage = fc.tuple(
    fc.nat(),
    fc.nat(2),
    fc.oneof(
      bytes,
      fc.constantFrom(...['"', '\\u0000', '{', '}', '[', ',', '\\ud800'].map((text) => Buffer.from(text))),
    ),
  );
  return fc.tuple(texts, fc.array(damage, { maxLength: 3 })).map(([text, damages]) =>
    damages.reduce((before, [at, gone, put]) => {
      const place = at % (before.length + 1);
      return Buffer.concat([before.subarray(0, place), put, before.subarray(place + gone)]);
    }, Buffer.from(text)),
  );
}

const body = fc.oneof(
  bytes,
  message.map((text) => Buffer.from(text)),
  damaged(message),
  damaged(fc.constant(callOf('weather_get', 66_000))),
);

test('bodies', () => {
  const host = startHost(CACHED);
  const session = openSession(host);
  fc.assert(
    fc.property(body, fc.integer({ min: 1, max: 400 }), fc.boolean(), (sent, chunk, known) => {
      const stream = ask(host, {
        headers: known ? session : [],
        body: sent,
        chunkSize: Math.max(chunk, sent.length >> 3),
      });
      answerAll(host);
      expect(sent.length === 0 || stream.reply !== undefined || stream.forwarded?.ended).toBe(true);
      stream.close();
    }),
    { numRuns: RUNS },
  );
});

test('headers, of requests and responses', () => {
  const host = startHost(CACHED);
  const session = openSession(host);
  const name = fc.oneof(
    fc.constantFrom(
      'accept',
      'via',
      'cookie',
      'origin',
      'access-control-request-headers',
      'content-length',
      'mcp-protocol-version',
      'mcp-session-id',
      'x-mcp-virtualserver',
      'x-mcp-servername',
      'x-user',
      'trailer',
    ),
    fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  );
  const headers = fc.array(fc.tuple(name, headerValue), { maxLength: 12 });
  const path = fc.oneof(fc.constantFrom('/mcp', '/mcp?', '/mcp/', '/mcp/a/b', '/'), headerValue);
  const details = fc.oneof(
    fc.constantFrom('via_upstream', 'no_healthy_upstream', 'cluster_not_found', 'stream_idle_timeout', ''),
    fc.string(),
  );
  const status = fc.oneof(fc.constantFrom('200', '401', '404', '500'), headerValue);
  fc.assert(
    fc.property(
      headers,
      path,
      fc.constantFrom('POST', 'GET', 'DELETE', 'OPTIONS', ''),
      headers,
      details,
      status,
      (sent, at, verb, back, why, code) => {
        const stream = ask(host, {
          method: verb,
          path: at,
          headers: [...session, ...sent],
          body: verb === 'POST' ? callOf('weather_get') : '',
        });
        answerAll(host);
        if (stream.forwarded !== undefined) stream.respond([[':status', code], ...back], [Buffer.from('{}')], why);
        answerAll(host);
        expect(stream.reply !== undefined || stream.response !== undefined).toBe(true);
        stream.close();
      },
    ),
    { numRuns: RUNS },
  );
});

test('tokens', () => {
  const host = startHost(CACHED);
  const token = openSession(host)[0]?.[1] ?? '';
  const forged = fc.oneof(
    headerValue,
    bytes.map((raw) => raw.toString('base64url')),
    fc
      .tuple(fc.nat(token.length - 1), fc.constantFrom('A', '_', '=', ' '))
      .map(([at, put]) => token.slice(0, at) + put + token.slice(at + 1)),
    fc.nat(token.length - 1).map((at) => token.slice(0, at)),
    fc.constant('A'.repeat(5000)),
  );
  fc.assert(
    fc.property(forged, (value) => {
      fc.pre(value !== token);
      const stream = ask(host, { headers: [['mcp-session-id', value]], body: LIST });
      // An empty one is none.
      expect(stream.reply?.status).toBe(value === '' ? 400 : 404);
    }),
    { numRuns: RUNS },
  );
});

/** What an upstream may say to anything that it is asked. */
const answers = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constantFrom(undefined, 'application/json', 'text/event-stream', 'text/html'),
      fc.constantFrom('200', '202', '404', '503', 'x'),
      fc.oneof(bytes, damaged(answerText())),
      fc.boolean(),
    ),
  },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

/** With `ID` in place of the id. */
function answerText(): fc.Arbitrary<string> {
  const tool = fc.record(
    { name: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()), inputSchema: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const result = fc.record(
    {
      protocolVersion: fc.constantFrom('2025-06-18', '2025-03-26', 'x'),
      capabilities: fc.oneof(fc.constant({ tools: {} }), fc.jsonValue()),
      instructions: fc.jsonValue(),
      tools: fc.oneof(fc.array(tool, { maxLength: 4 }), fc.jsonValue()),
      nextCursor: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const document = fc
    .record(
      {
        jsonrpc: fc.constant('2.0'),
        id: fc.constant('ID'),
        result: fc.oneof(result, fc.jsonValue()),
        error: fc.jsonValue(),
      },
      { requiredKeys: ['jsonrpc', 'id'] },
    )
    .map((value) => JSON.stringify(value));
  return fc.oneof(
    document,
    fc
      .array(document, { maxLength: 3 })
      .map((all) => all.map((text) => `: c\r\nevent: message\ndata: ${text}\n\n`).join('')),
  );
}

test('what upstreams answer', () => {
  const host = startHost({ ...CACHED, limits: { listPages: 5 } });
  const session = openSession(host);
  const asked = fc.constantFrom(
    LIST,
    callOf('weather_get'),
    '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}',
  );
  fc.assert(
    fc.property(asked, fc.array(answers, { minLength: 1, maxLength: 12 }), fc.nat(3), (text, said, later) => {
      host.now += BigInt(later) * 1_000_000_000n;
      const stream = ask(host, { headers: session, body: text });
      let turn = 0;
      answerAll(host, (callout): CalloutAnswer => {
        const answer = said[turn++];
        if (turn > said.length) return usualAnswer(callout);
        if (answer === undefined) return undefined;
        const [type, status, content, keepsSession] = answer;
        const headers: Headers = [[':status', status]];
        if (type !== undefined) headers.push(['content-type', type]);
        if (keepsSession) headers.push(['mcp-session-id', 's'.repeat(turn)]);
        const id = /"id":"([^"]*)"/.exec(callout.body.toString())?.[1] ?? '';
        return { headers, body: Buffer.from(content.toString('latin1').replaceAll('ID', id), 'latin1') };
      });
      if (stream.forwarded === undefined) expect(stream.reply).toBeDefined();
      if (text === LIST) JSON.parse(stream.reply?.body.toString() ?? 'nothing');
      stream.close();
    }),
    { numRuns: RUNS },
  );
});

test('searches, and calls of what they find', () => {
  const host = startHost({
    ...CACHED,
    toolSearch: { enabled: true, pinned: ['n.*'], exclude: ['*_x'], bytes: 200 },
    overrides: [
      { tool: 'weather_get', name: 'forecast', title: 't', annotations: { title: 'a', readOnlyHint: true } },
      { tool: 'n.*', name: '*' },
    ],
  });
  const session = openSession(host);
  const annotations = fc.oneof(fc.jsonValue(), fc.constant({ title: 1, readOnlyHint: false }));
  const properties = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
  const tool = fc.record(
    {
      name: fc.oneof(fc.constantFrom('get', 'call_tool', 'n.get', 'x'), fc.string({ unit: 'binary' })),
      title: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      description: fc.string({ unit: 'binary' }),
      annotations,
      inputSchema: fc.oneof(
        properties.map((all) => ({ type: 'object', properties: all })),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: ['name', 'inputSchema'] },
  );
  const tools = damaged(fc.array(tool, { maxLength: 6 }).map((all) => JSON.stringify(all)));
  const inner = fc.record(
    {
      query: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      limit: fc.oneof(fc.integer(), fc.jsonValue()),
      name: fc.oneof(fc.constantFrom('forecast', 'weather_x', 'get', 'call_tool'), fc.jsonValue()),
      arguments: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const params = fc.record({
    name: fc.constantFrom('search_tools', 'call_tool', 'forecast', 'get'),
    arguments: fc.oneof(inner, fc.jsonValue()),
  });
  const called = params.map((all) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${JSON.stringify(all)}}`);
  fc.assert(
    fc.property(fc.oneof(damaged(called), called, fc.constant(LIST)), tools, fc.nat(2), (text, list, later) => {
      host.now += BigInt(later) * 1_000_000_000n;
      const stream = ask(host, { headers: session, body: text });
      answerAll(host, (callout): CalloutAnswer => {
        const id = /"id":("[^"]*")/.exec(callout.body.toString())?.[1];
        if (id === undefined || !callout.body.includes('tools/list')) return usualAnswer(callout);
        const result = `{"jsonrpc":"2.0","id":${id},"result":{"tools":`;
        return {
          headers: [
            [':status', '200'],
            ['content-type', 'application/json'],
          ],
          body: Buffer.concat([Buffer.from(result), list, Buffer.from('}}')]),
        };
      });
      // Without its id a damaged request is a notification, which is accepted with no more than a 202.
      const reply = stream.reply?.body.toString() ?? 'nothing';
      if (stream.forwarded === undefined && reply !== '') JSON.parse(reply);
      stream.close();
    }),
    { numRuns: RUNS },
  );
});

test('configurations: refused, or good for requests', () => {
  const host = startHost();
  const good = JSON.stringify({
    endpoint: '/mcp',
    limits: { heldBody: '1Mi', callTimeout: '3s' },
    log: 'info',
    ...CACHED,
  });
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('1Ki', '9'.repeat(30), '-1s', '', '/', 'é'));
  const section = fc.dictionary(
    fc.constantFrom('endpoint', 'servers', 'limits', 'sessions', 'log', 'keys', 'name', 'Servers'),
    value,
  );
  const configuration = fc.oneof(
    bytes,
    damaged(fc.constant(good)),
    section.map((object) => Buffer.from(JSON.stringify(object))),
  );
  fc.assert(
    fc.property(configuration, (text) => {
      const before = host.log.length;
      if (host.configure(text)) ask(host, { body: LIST }).close();
      else expect(host.log.length).toBeGreaterThan(before);
    }),
    { numRuns: RUNS },
  );
});
