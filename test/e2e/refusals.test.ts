// What servers say when they refuse, and what the client and the operator get to know of it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, pieces, startScripted, status } from './upstreams/scripted.ts';

const rpcError = (code: number, text: string): string =>
  `{"jsonrpc":"2.0","id":null,"error":{"code":${code},"message":"${text}"}}`;
const secret = 'k3y-of-the-gateway';
const uuid = '1868a90c-7f63-4b13-9f4b-2f4cbc4cc1f2';

/** What a server answers, the row that it becomes, what its message says, and what it must not say. */
const table: readonly (readonly [string, Answer, string, string, RegExp?])[] = [
  [
    'a foreign Host with 403 in text',
    status(403, 'text/plain', 'Forbidden: invalid Host header "weather.test"\n'),
    'upstream_status',
    'asked as weather.test it says HTTP 403: Forbidden: invalid Host header "weather.test". Set authority of this server',
  ],
  [
    'a foreign Host with 403 in JSON',
    status(403, 'application/json', rpcError(-32000, 'Invalid Host: weather.test')),
    'upstream_status',
    'asked as weather.test it says HTTP 403: Invalid Host: weather.test. Set authority of this server',
  ],
  [
    'a foreign Host with 421',
    status(421, 'text/plain', 'Invalid Host header'),
    'upstream_status',
    'asked as weather.test it says HTTP 421: Invalid Host header. Set authority of this server',
  ],
  [
    'with 421 and no body',
    status(421),
    'upstream_status',
    'asked as weather.test it says HTTP 421. Set authority of this server',
  ],
  [
    'with 403 in JSON',
    status(403, 'application/json', rpcError(-32000, 'no \\"admin\\" role')),
    'upstream_unauthorized',
    'HTTP 403: no "admin" role. Check the credentials',
  ],
  [
    'with 407, which some clients never show',
    status(407, 'application/json', rpcError(-32000, 'a proxy asks who you are')),
    'upstream_status',
    'HTTP 407: a proxy asks who you are. See',
  ],
  [
    'with its credential in what it says',
    status(401, 'text/plain', `${secret} has expired`),
    'upstream_unauthorized',
    'HTTP 401. Check',
    /k3y/,
  ],
  [
    'with a page of HTML',
    status(500, 'text/html', '<!doctype html><html><body>\n<pre>Cannot POST /mcp</pre>\n</body></html>'),
    'upstream_status',
    'HTTP 500: Cannot POST /mcp. See',
  ],
  [
    'with what would forge a line of the log (CWE-117)',
    status(500, 'text/plain', 'one\r\n[2026-01-01 00:00:00.000][1][info][wasm] two\u001b[31m'),
    'upstream_status',
    'HTTP 500: one [2026-01-01 00:00:00.000][1][info][wasm] two [31m. See',
  ],
  [
    'with a session id in what it says',
    status(500, 'text/plain', `session ${uuid} is corrupt`),
    'upstream_status',
    'HTTP 500: session ... is corrupt. See',
    /1868a90c/,
  ],
  [
    'with more than anyone reads',
    status(500, 'text/plain', 'word '.repeat(100_000)),
    'upstream_status',
    `HTTP 500: ${'word '.repeat(32).trim()}. See`,
  ],
  [
    'in pieces',
    (_, reply) => {
      reply.head(503, { 'content-type': 'text/plain' });
      setTimeout(() => {
        reply.write('come back');
        setTimeout(() => {
          reply.end(' later');
        }, 30);
      }, 30);
    },
    'upstream_status',
    'HTTP 503: come back',
  ],
];

const nothing = /(?!)/;
const refusals = table.map(
  ([title, answer, reason, says, never = nothing]) => [title, answer, reason, says, never] as const,
);

describeGateway('a server that refuses', () => {
  let server: Scripted;
  let modern: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
    const unsupported = status(400, 'application/json', rpcError(-32022, 'Unsupported protocol version'));
    modern = await startScripted({ answers: { initialize: unsupported, 'server/discover': unsupported } });
  });
  afterAll(() => Promise.all([server.stop(), modern.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      {
        ...{ name: 'weather', url: server.url, authority: 'weather.test' },
        credentials: { type: 'header', header: 'authorization', env: 'SECRET' },
      },
      { name: 'modern', url: modern.url },
    ],
    env: { SECRET: `Bearer ${secret}` },
  }));
  const newLog = (from: number): string => gateway.current.log().slice(from);
  const lines = (from: number): string[] =>
    newLog(from)
      .split('\n')
      .filter((line) => line.includes('[warning]') && line.includes('weather: '));

  describe.each(bothProtocols)('a call over %s', (http) => {
    it.each(refusals)('%s', async (_, answer, reason, says, never) => {
      const session = await openSession(gateway.current.url, { http });
      server.answers = { 'tools/call': answer };
      const from = gateway.current.log().length;
      const failed = await session.post(callMessage('"weather_echo"', '{}', '"c"'));
      server.answers = {};
      expect(refusal(failed)).toEqual({ status: 200, id: 'c', code: -32603, reason, server: 'weather' });
      expect(message(failed).error?.message).toContain(says);
      expect(failed.headers['content-type']).toBe('application/json');
      expect(failed.headers['x-mcp-gateway']).toMatch(/^sluice\//);
      await until('the log has a line about it', () => lines(from).length > 0);
      expect(lines(from)).toHaveLength(1);
      expect(lines(from)[0]).toContain(`weather: ${reason}: ${/^(?:.*?HTTP \d+)/.exec(says)?.[0] ?? ''}`);
      expect(newLog(from)).not.toMatch(/^\[2026-01-01/m);
      expect(failed.text + newLog(from)).not.toMatch(never);
      expect((await session.post(callMessage('"weather_echo"'))).text, 'and the next one is served').toContain(
        'result',
      );
    });

    it.each([
      [429, '30'],
      [503, 'Wed, 21 Oct 2026 07:28:00 GMT'],
    ])('may come back: %d with Retry-After %s', async (code, when) => {
      const session = await openSession(gateway.current.url, { http });
      for (const type of ['text/plain', 'application/json']) {
        server.answers = { 'tools/call': status(code, type, rpcError(1, 'busy'), { 'retry-after': when }) };
        const failed = await session.post(callMessage('"weather_echo"'));
        expect(failed.headers['retry-after'], type).toBe(when);
        expect(failed.text).toContain('busy');
      }
      server.answers = { 'tools/call': status(500, 'text/plain', 'busy', { 'retry-after': when }) };
      expect((await session.post(callMessage('"weather_echo"'))).headers).not.toHaveProperty('retry-after');
      server.answers = {};
    });
  });

  it.each(refusals)('a handshake %s', async (_, answer, reason, says, never) => {
    server.answers = { initialize: answer };
    const from = gateway.current.log().length;
    const failed = await post(gateway.current.url, initializeMessage());
    server.answers = {};
    expect(refusal(failed)).toEqual({ status: 200, id: 0, code: -32603, reason, server: 'weather' });
    // The other server always fails, and is named behind the one that this is about.
    const said = message(failed).error?.message.replace(
      '; the other servers fail as well: modern (upstream_protocol)',
      '',
    );
    expect(said).toContain(says);
    await until('the log has a line about it', () => lines(from).length > 0);
    expect(failed.text + newLog(from)).not.toMatch(never);
  });

  it.each([
    ['a long one', `"${'9'.repeat(100_000)}"`, /does not speak: 9{1,64}\W/],
    ['a number', '20251125', /names no protocol revision/],
  ])('a handshake by a revision that is none: %s', async (_, revision, says) => {
    server.answers = {
      initialize: pieces('application/json', [
        `{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":${revision},"capabilities":{}}}`,
      ]),
    };
    const failed = await post(gateway.current.url, initializeMessage());
    server.answers = {};
    expect(message(failed).error?.message).toMatch(says);
    expect(failed.body.length).toBeLessThan(1_000);
  });

  it('a list with its own words is in the log', async () => {
    const session = await openSession(gateway.current.url);
    const from = gateway.current.log().length;
    server.answers = {
      'tools/list': pieces('application/json', [
        '{"jsonrpc":"2.0","id":ID,"error":{"code":-32000,"message":"not\\ntoday"}}',
      ]),
    };
    expect(message(await session.post(listMessage())).error?.message).toContain('-32000 not today');
    server.answers = {};
    await until('the log has a line about it', () => newLog(from).includes('it refused tools/list: -32000 not today'));
  });

  it('the revisions of both eras is named as one of another era', async () => {
    const session = await openSession(gateway.current.url);
    const failed = await session.post(callMessage('"modern_echo"'));
    expect(refusal(failed)).toMatchObject({ status: 200, reason: 'upstream_protocol', server: 'modern' });
    expect(message(failed).error?.message).toMatch(/another era.*HTTP 400: Unsupported protocol version/);
    expect(message(failed).error?.message).toContain('servers[].protocol');
    expect(gateway.current.log()).toMatch(/modern: upstream_protocol: HTTP 400: Unsupported protocol version/);
  });
});
