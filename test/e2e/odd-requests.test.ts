// Requests whose HTTP is odd: what Envoy makes of them, and with it the gateway, is the same on both engines.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callMessage, mcpHeaders, openSession } from './clients/session.ts';
import { exchange } from './clients/wire.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, result, startScripted } from './upstreams/scripted.ts';

const call = callMessage('"server_echo"');
const large = callMessage('"server_echo"', JSON.stringify('x'.repeat(200_000)));

/** The lines between the first one and the body; each ends a line. */
type Headers = readonly string[];

function post(body: string, headers: Headers, line = 'POST /mcp HTTP/1.1'): string {
  return `${[line, ...headers].join('\r\n')}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function chunked(body: string, headers: Headers, coding = 'chunked', end = '0\r\n\r\n'): string {
  const parts = body.match(/[^]{1,50000}/g) ?? [];
  const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
  return `${['POST /mcp HTTP/1.1', ...headers].join('\r\n')}\r\ntransfer-encoding: ${coding}\r\n\r\n${chunks.join('')}${end}`;
}

/** Sent behind each request: its answer, or that there is none, tells whether the connection goes on. */
const last = 'GET /mcp/-/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

/** What is sent, the statuses of all answers, and how many calls the server gets. */
type Row = readonly [what: string, bytes: (headers: Headers) => string, statuses: readonly number[], calls: number];

const bodies: readonly Row[] = [
  ['in chunks, with extensions', (headers) => chunked(call, headers).replace('\r\n\r\n56\r\n', '\r\n\r\n56;a=b;c="d"\r\n'), [200, 200], 1],
  ['in chunks, with trailers', (headers) => chunked(call, headers, 'chunked', '0\r\nx-mcp-servername: other\r\nmcp-session-id: z\r\n\r\n'), [200, 200], 1],
  ['in chunks of another case', (headers) => chunked(call, headers, 'Chunked'), [200, 200], 1],
  ['large, in chunks, with trailers', (headers) => chunked(large, headers, 'chunked', '0\r\nx-end: 1\r\n\r\n'), [200, 200], 1],
  ['in a coding before chunks', (headers) => chunked(call, headers, 'gzip, chunked'), [501], 0],
  ['in a coding without chunks', (headers) => chunked(call, headers, 'identity'), [501], 0],
  ['in a coding without a name', (headers) => post(call, [...headers, 'transfer-encoding:']), [400], 0],
  ['in chunks and with a length', (headers) => chunked(call, [...headers, 'content-length: 86']), [400], 0],
  ['in chunks of no size', (headers) => `${chunked('', headers, 'chunked', '')}\r\n${call}\r\n0\r\n\r\n`, [400], 0],
  ['of two lengths', (headers) => post(call, [...headers, 'content-length: 3']), [400], 0],
  ['of a length below zero', (headers) => post('', headers).replace('length: 0', 'length: -1'), [400], 0],
  ['of no length', (headers) => `POST /mcp HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, [400, 200], 0],
  ['with more behind it than its length says', (headers) => `${post(call, headers)}no request\r\n\r\n`, [200, 400], 1],
  ['with empty lines behind it', (headers) => `${post(call, headers)}\r\n\r\n`, [200, 200], 1],
  ['asking whether to go on, and sent at once', (headers) => post(call, [...headers, 'expect: 100-continue']), [100, 200, 200], 1],
  ['expecting what nobody knows', (headers) => post(call, [...headers, 'expect: 200-ok']), [200, 200], 1],
]; // prettier-ignore

/** First lines of a call. */
const lines: readonly (readonly [line: string, statuses: readonly number[], calls: number])[] = [
  ['POST /mcp/ HTTP/1.1', [200, 200], 1],
  ['POST //mcp HTTP/1.1', [200, 200], 1],
  ['POST /mcp?x=/../y HTTP/1.1', [200, 200], 1],
  ['POST /a/../mcp HTTP/1.1', [200, 200], 1],
  ['POST /mcp/a%00/b HTTP/1.1', [400], 0],
  ['POST /mcp#x HTTP/1.1', [400], 0],
  ['POST mcp HTTP/1.1', [400], 0],
  ['POST * HTTP/1.1', [400], 0],
  ['OPTIONS * HTTP/1.1', [404], 0],
  ['post /mcp HTTP/1.1', [400], 0],
  ['M-SEARCH /mcp HTTP/1.1', [400], 0],
  ['PUT /mcp HTTP/1.1', [405, 200], 0],
  ['TRACE /mcp HTTP/1.1', [405, 200], 0],
  ['POST http://localhost/mcp HTTP/1.1', [200, 200], 1],
  ['POST HTTP://LOCALHOST:80/mcp?x HTTP/1.1', [200, 200], 1],
  ['POST http://user:word@localhost/mcp HTTP/1.1', [200, 200], 1],
  ['POST http://[::1]:8080/mcp HTTP/1.1', [200, 200], 1],
  ['POST http://elsewhere.example/mcp HTTP/1.1', [403, 200], 0],
  ['POST http://localhost?x=/mcp HTTP/1.1', [404], 0],
  ['POST https://localhost/mcp HTTP/1.1', [403], 0],
  ['POST ws://localhost/mcp HTTP/1.1', [400], 0],
  ['POST http:///mcp HTTP/1.1', [400], 0],
  ['POST http://localhost:/mcp HTTP/1.1', [400], 0],
  ['POST http://localhost:65536/mcp HTTP/1.1', [400], 0],
  ['POST http://local_host/mcp HTTP/1.1', [400], 0],
  ['POST http://[::1/mcp HTTP/1.1', [400], 0],
  ['POST http://a@b@localhost/mcp HTTP/1.1', [400], 0],
];

/** Headers beside those of a call. */
const heads: readonly (readonly [what: string, headers: Headers, statuses: readonly number[], calls: number])[] = [
  ['two content types', ['content-type: text/plain'], [200, 200], 1],
  ['a revision twice', ['mcp-protocol-version: 2025-11-25', 'mcp-protocol-version: 2025-11-25'], [200, 200], 1],
  ['a revision that is empty', ['mcp-protocol-version:'], [400, 200], 0],
  ['a revision of 20,000 bytes', [`mcp-protocol-version: ${'2'.repeat(20_000)}`], [400, 200], 0],
  ['a revision between blanks', ['mcp-protocol-version: \t2025-11-25 \t '], [200, 200], 1],
  ['a second session', ['mcp-session-id: forged'], [404, 200], 0],
  ['a second session that is empty', ['mcp-session-id:'], [400, 200], 0],
  ['a session that Connection names', ['connection: mcp-session-id'], [400, 200], 0],
  ['a second host', ['host: localhost'], [403, 200], 0],
  ['an origin that is empty', ['origin:'], [403, 200], 0],
  ['names of every letter', ["x!#$%&'*+.^`|~: 1"], [200, 200], 1],
  ['a name with a blank', ['x a: 1'], [400], 0],
  ['a name that is empty', [': 1'], [400], 0],
  ['a NUL', ['x-a: b\0c'], [400], 0],
  ['bytes beyond ASCII', ['x-a: \xc3\xa4\xff'], [200, 200], 1],
  ['a name beyond ASCII', ['x-\xc3\xa4: 1'], [400], 0],
  ['an upgrade', ['connection: upgrade', 'upgrade: websocket'], [403], 0],
];

describeGateway('a request over HTTP/1.1', () => {
  let server: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({ servers: [{ name: 'server', url: server.url }] }));

  /** Sends what is made of the headers of a call in a new session, cut into pieces of that many bytes. */
  async function statusesOf(bytes: (headers: Headers) => string, size = Infinity): Promise<number[]> {
    const { id } = await openSession(gateway.current.url);
    server.forget();
    const all = Object.entries({ host: 'localhost', ...mcpHeaders, 'mcp-session-id': id });
    const sent = bytes(all.map(([name, value]) => `${name}: ${value}`)) + last;
    const pieces = Array.from({ length: Math.ceil(sent.length / Math.min(size, sent.length)) }, (_, index) =>
      sent.slice(index * size || 0, (index + 1) * size),
    );
    const answers = await exchange(gateway.current.origin, pieces);
    return answers.map(({ status }) => status);
  }

  describe('has a body', () => {
    it.each(bodies)('%s', async (_, bytes, statuses, calls) => {
      expect(await statusesOf(bytes)).toEqual(statuses);
      expect(server.of('tools/call')).toHaveLength(calls);
    });

    it.each([7, 61])('in pieces of %i bytes', async (size) => {
      expect(await statusesOf((headers) => post(call, headers), size)).toEqual([200, 200]);
      expect(await statusesOf((headers) => chunked(call, headers), size)).toEqual([200, 200]);
      expect(server.of('tools/call')).toHaveLength(1);
    });
  });

  it.each(lines)('begins with %s', async (line, statuses, calls) => {
    expect(await statusesOf((headers) => post(call, headers, line))).toEqual(statuses);
    expect(server.of('tools/call')).toHaveLength(calls);
  });

  it.each(heads)('has %s', async (_, more, statuses, calls) => {
    expect(await statusesOf((headers) => post(call, [...headers, ...more]))).toEqual(statuses);
    expect(server.of('tools/call')).toHaveLength(calls);
  });

  it('waits for the answer to the one before it on its connection', async () => {
    const order: string[] = [];
    server.answers = {
      'tools/call': async (request, reply) => {
        order.push(`${request.id} begins`);
        await sleep(request.id === '1' ? 100 : 0);
        order.push(`${request.id} ends`);
        await result('{}')(request, reply);
      },
    };
    const calls = (headers: Headers) =>
      ['1', '2', '3'].map((id) => post(callMessage('"server_echo"', '{}', id), headers)).join('');
    const statuses = await statusesOf(calls);
    server.answers = {};
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(order).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
  });

  it('gets its answer whatever comes behind it', async () => {
    server.answers = {
      'tools/call': async (request, reply) => {
        await sleep(50);
        await result('{}')(request, reply);
      },
    };
    const behind = ['no request\r\n\r\n', 'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n'];
    for (const bytes of behind) expect(await statusesOf((headers) => post(call, headers) + bytes)).toEqual([200, 400]);
    expect(await statusesOf((headers) => post(call, [...headers, 'connection: close']) + post(call, headers))).toEqual([
      200,
    ]);
    expect(server.of('tools/call')).toHaveLength(1);
    server.answers = {};
  });
});
