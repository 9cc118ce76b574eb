// Requests that no HTTP library writes: how every engine answers them, and what of them a server gets.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeBootstrap } from './bootstrap.ts';
import type { Setup } from './cases.ts';
import { engines } from './engines.ts';

const module = fileURLToPath(new URL('../../../build/probe.wasm', import.meta.url));
const filters = [{ root_id: 'a' }];
/** Listeners by name. */
const setups = {
  usual: { filters },
  tolerant: { filters, stream_error_on_invalid_http_message: true },
  old: { filters, http_protocol_options: { accept_http_10: true } },
  defaulting: { filters, http_protocol_options: { accept_http_10: true, default_host_for_http_10: 'default.example' } },
} satisfies Record<string, Setup>;

interface Seen {
  readonly status: number;
  /** What the answer says of its connection. */
  readonly connection: string | undefined;
  /** Headers of the answer that are the server's own. */
  readonly answered: readonly string[];
  /** Headers that the server got; undefined: it was not asked. */
  readonly sent: readonly string[] | undefined;
}

/** Every byte beyond ASCII in it is a character of its own. */
const bytes = Buffer.from([0xe9, 0x20, 0xc3, 0xa9, 0x80, 0xff]).toString('latin1');
const ok: Seen = { status: 200, connection: undefined, answered: [`x-bytes: ${bytes}`], sent: [] };
const refused = (status: number, connection?: string): Seen => ({ status, connection, answered: [], sent: undefined });
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `x-${index}: 1`);
const named = (count: number): string => `connection: ${numbered(count).map((line) => line.split(':')[0]).join(', ')}`; // prettier-ignore

const get = 'GET /ok HTTP/1.1';
const host = 'host: probe.example';
const websocket = ['connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13', 'sec-websocket-key: eA=='];

const cases: readonly (readonly [
  title: string,
  on: keyof typeof setups,
  lines: readonly string[],
  seen: Partial<Seen>,
])[] = [
  ['a value beyond ASCII', 'usual', [get, host, `x-note: ${bytes}`], { ...ok, sent: [`x-note: ${bytes}`] }],
  ['a host beyond ASCII', 'usual', [get, 'host: h\xe9'], refused(400, 'close')],
  ['a host with a slash', 'usual', [get, 'host: a/b'], refused(400, 'close')],
  ['two hosts', 'usual', [get, 'host: a', 'host: b'], { ...ok, sent: ['host: a,b'] }],
  ['no host', 'usual', [get], refused(400, 'close')],
  ['no host, which is no reason to part', 'tolerant', [get], refused(400)],
  ['99 headers', 'usual', [get, host, ...numbered(98)], { ...ok, sent: numbered(98) }],
  ['101 headers', 'usual', [get, host, ...numbered(100)], refused(431, 'close')],
  ['101 headers, which could not be read', 'tolerant', [get, host, ...numbered(100)], refused(431, 'close')],
  ['70,000 bytes of headers', 'usual', [get, host, `x-long: ${'a'.repeat(70_000)}`], refused(431, 'close')],
  ['keep-alive', 'usual', [get, host, 'connection: keep-alive', 'keep-alive: timeout=5'], ok],
  ['close', 'usual', [get, host, 'connection: Close'], { ...ok, connection: 'close' }],
  ['headers that Connection names', 'usual', [get, host, 'connection: x-0, X-1', ...numbered(3)], { ...ok, sent: ['x-2: 1'] }],
  ['nine of them', 'usual', [get, host, named(9), ...numbered(10)], { ...ok, sent: ['x-9: 1'] }],
  ['ten of them', 'usual', [get, host, named(10), ...numbered(10)], refused(400, 'close')],
  ['Connection names x-forwarded-for', 'usual', [get, host, 'connection: x-forwarded-for'], refused(400, 'close')],
  ['Connection names a pseudo-header', 'usual', [get, host, 'connection: :path'], refused(400, 'close')],
  ['te: trailers', 'usual', [get, host, 'te: gzip, trailers'], { ...ok, sent: ['te: trailers'] }],
  ['te: gzip', 'usual', [get, host, 'te: gzip'], ok],
  ['Upgrade: websocket', 'usual', [get, host, ...websocket], refused(403, 'close')],
  ['Upgrade: websocket, and its connection ends', 'tolerant', [get, host, ...websocket], refused(403, 'close')],
  ['Upgrade: h2c', 'usual', [get, host, 'connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMAAABk'], ok],
  ['Upgrade that Connection does not name', 'usual', [get, host, 'upgrade: websocket'], ok],
  ['CONNECT', 'usual', ['CONNECT probe.example:443 HTTP/1.1', 'host: probe.example:443'], refused(404, 'close')],
  ['HTTP/1.0 where it is not accepted', 'usual', ['GET /ok HTTP/1.0', host], refused(426, 'close')],
  ['HTTP/1.0', 'old', ['GET /ok HTTP/1.0', host], { ...ok, connection: 'close' }],
  ['HTTP/1.0 that keeps its connection', 'old', ['GET /ok HTTP/1.0', host, 'connection: keep-alive'], { ...ok, connection: 'keep-alive' }],
  ['HTTP/1.0, and an answer without a length', 'old', ['GET /chunks HTTP/1.0', host, 'connection: keep-alive'], { ...ok, connection: 'close' }],
  ['HTTP/1.0 without a host', 'old', ['GET /ok HTTP/1.0'], refused(400, 'close')],
  ['HTTP/1.0 without a host, and a default', 'defaulting', ['GET /ok HTTP/1.0'], { ...ok, connection: 'close', sent: ['host: default.example'] }],
]; // prettier-ignore

describe.each(engines)('the wire on $name', (engine) => {
  const requests: string[][] = [];
  const server = createServer((request, response) => {
    const { rawHeaders } = request;
    requests.push(rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1] ?? ''}`] : [])));
    response.socket?.setDefaultEncoding('latin1');
    response.setHeader('x-bytes', bytes);
    if (request.url === '/chunks') response.write('o');
    response.end('ok');
  });
  let running: Awaited<ReturnType<typeof engine.start>>;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const listeners = Object.entries(setups).map(([name, setup]) => ({ name, setup }));
    running = await engine.start(probeBootstrap(module, listeners, { one: port, two: port, h2: port, refused: 1 }));
  });
  afterAll(async () => {
    await running.stop();
    server.close();
    server.closeAllConnections();
  });

  test.each(cases)('%s, %s', async (_, on, lines, expected) => {
    const [address = '', port] = (running.listeners.get(on) ?? '').split(':');
    const socket = connect(Number(port), address);
    socket.write(Buffer.from([...lines, '', ''].join('\r\n'), 'latin1'));
    let answer = '';
    for await (const part of socket as AsyncIterable<Buffer>) {
      answer += part.toString('latin1');
      if (answer.includes('\r\n\r\n')) break;
    }
    const [statusLine = '', ...fields] = (answer.split('\r\n\r\n')[0] ?? '').split('\r\n');
    expect({
      status: Number(statusLine.split(' ')[1]),
      connection: fields.find((field) => field.startsWith('connection: '))?.slice('connection: '.length),
      answered: fields.filter((field) => field.startsWith('x-bytes')),
      sent: requests.pop()?.filter((line) => !/^(?:x-(?:forwarded|request|envoy)-|host: probe\.example$)/.test(line)),
    }).toEqual(expected);
  });
});
