// Which connection a request takes, and what becomes of it, at a server on a raw socket.
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { BodyBuffer } from '../../../envoy/embedded/body-buffer.ts';
import type { Cluster, HostPort } from '../../../envoy/embedded/config/model.ts';
import { type Header, HeaderMap } from '../../../envoy/embedded/header-map.ts';
import { Http1Pool } from '../../../envoy/embedded/upstream/http1-pool.ts';

const head = 'HTTP/1.1 200 OK\r\n';
const whole = `${head}content-length: 2\r\n\r\n{}`;

let server: Server;
let host: HostPort;
let pool: Http1Pool;
/** What the server says to each request, by its number. */
let answers: string[] = [];
/** The connection that each request came on, by the number of both. */
let connections: number[] = [];
let received = '';
let sockets: Socket[] = [];
/** Says `request` for each. */
const arrivals = new EventEmitter();

beforeEach(async () => {
  answers = [];
  connections = [];
  received = '';
  sockets = [];
  server = createServer((socket) => {
    const number = sockets.push(socket) - 1;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (!received.endsWith('\r\n\r\n')) return;
      const answer = answers[connections.push(number) - 1];
      arrivals.emit('request');
      if (answer !== undefined) socket.write(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  pool = poolFor({});
});

afterEach(async () => {
  pool.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
});

function poolFor(breakers: Partial<Cluster['circuitBreakers']>): Http1Pool {
  const circuitBreakers = {
    maxConnections: 100,
    maxPendingRequests: 100,
    maxRequests: 100,
    maxRetries: 3,
    ...breakers,
  };
  const cluster: Partial<Cluster> = { circuitBreakers, idleTimeout: 60_000, trailers: true, maxResponseHeadersKb: 60 };
  const open = (to: HostPort): Socket => connect(to.port, to.host);
  return new Http1Pool(cluster as Cluster, { connectedEvent: 'connect', open }, () => host);
}

/** The end of the connection of this number. */
async function closeOf(number: number): Promise<void> {
  const socket = sockets[number];
  if (socket !== undefined) await once(socket, 'close');
}

interface Told {
  readonly done: Promise<void>;
  readonly lines: string[];
  readonly exchange: ReturnType<Http1Pool['exchange']>;
}

/** Begins a request, and keeps what is told of its answer. */
function begin(): Told {
  const lines: string[] = [];
  let end: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (end = resolve));
  const exchange = pool.exchange(
    {
      onConnected: () => undefined,
      onHeaders: (headers, endStream) => {
        lines.push(`${headers.get(':status') ?? ''}${endStream ? ', the end' : ''}`);
        if (endStream) end();
      },
      onData: (data, endStream) => {
        lines.push(`${Buffer.from(data.read()).toString()}${endStream ? ', the end' : ''}`);
        if (endStream) end();
      },
      onTrailers: (trailers) => {
        lines.push(trailers.flat.join(' '));
        end();
      },
      onReset: (reason) => {
        lines.push(reason);
        end();
      },
      onPressure: (slow) => lines.push(slow ? 'slow' : 'quick'),
    },
    new HeaderMap(),
  );
  return { done, lines, exchange };
}

async function ask(...headers: readonly Header[]): Promise<string[]> {
  const { done, lines, exchange } = begin();
  exchange.sendHeaders(new HeaderMap([[':method', 'GET'], [':path', '/'], ...headers]), true);
  await done;
  return lines;
}

test('a connection takes one request after the other', async () => {
  answers = [
    whole,
    `${head}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\na: b\r\n\r\n`,
    'HTTP/1.1 204 No Content\r\n\r\n',
  ];
  expect(await ask()).toEqual(['200', '{}', ', the end']);
  expect(await ask()).toEqual(['200', '{}', 'a b']);
  expect(await ask()).toEqual(['204, the end']);
  expect(connections).toEqual([0, 0, 0]);
});

describe('a connection takes no other request', () => {
  it.each([
    ['where its server ends it', `${head}connection: close\r\ncontent-length: 2\r\n\r\n{}`],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
    ['where its server waits for no time', `${head}keep-alive: timeout=1\r\ncontent-length: 2\r\n\r\n{}`],
    ['with bytes behind the answer', `${whole}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n`],
  ])('%s', async (_, first) => {
    answers = [first, whole];
    expect(await ask()).toEqual(['200', '{}', ', the end']);
    expect(await ask()).toEqual(['200', '{}', ', the end']);
    expect(connections).toEqual([0, 1]);
  });

  it('that the request ends', async () => {
    answers = [whole, whole];
    await ask(['connection', 'close']);
    await ask();
    expect(connections).toEqual([0, 1]);
  });

  it('where bytes come that nobody has asked for', async () => {
    answers = [whole, whole];
    await ask();
    const closed = closeOf(0);
    sockets[0]?.write(whole);
    await closed;
    expect(await ask()).toEqual(['200', '{}', ', the end']);
    expect(connections).toEqual([0, 1]);
  });

  it('that its server has just ended', async () => {
    answers = [whole, whole];
    await ask();
    sockets[0]?.end();
    expect(await ask()).toEqual(['200', '{}', ', the end']);
    expect(connections).toEqual([0, 1]);
  });

  it('whose request was cancelled', async () => {
    const { exchange } = begin();
    exchange.sendHeaders(
      new HeaderMap([
        [':method', 'GET'],
        [':path', '/'],
      ]),
      true,
    );
    await once(arrivals, 'request');
    const closed = closeOf(0);
    exchange.cancel();
    await closed;
    answers = ['', whole];
    expect(await ask()).toEqual(['200', '{}', ', the end']);
    expect(connections.at(-1)).toBe(1);
  });
});

test('what is no HTTP is a protocol error at once, and what ends in its middle as well', async () => {
  answers = ['SSH-2.0-OpenSSH\r\n', `${head}content-length: 3\r\n\r\n{}`];
  expect(await ask()).toEqual(['protocol error']);
  const asked = ask();
  await once(server, 'connection');
  sockets[1]?.once('data', () => sockets[1]?.end());
  expect(await asked).toEqual(['200', '{}', 'protocol error']);
});

test('a request that is no HTTP is a protocol error, and nothing of it is sent', async () => {
  expect(await ask(['a b', 'c'])).toEqual(['protocol error']);
  expect(received).toBe('');
});

test('requests above the limits wait for the one that runs, or are refused', async () => {
  pool.close();
  pool = poolFor({ maxConnections: 1, maxPendingRequests: 1 });
  answers = [whole, whole];
  const outcomes = await Promise.all([ask(), ask(), ask()]);
  expect(outcomes).toEqual([['200', '{}', ', the end'], ['200', '{}', ', the end'], ['overflow']]);
  expect(connections).toEqual([0, 0]);
});

test('a body that has no connection yet is not kept without end', async () => {
  answers = [whole];
  const { done, lines, exchange } = begin();
  exchange.sendHeaders(
    new HeaderMap([
      [':method', 'POST'],
      [':path', '/'],
    ]),
    false,
  );
  exchange.sendData(new BodyBuffer(Buffer.alloc(20_000, 'x')), false);
  expect(lines).toEqual(['slow']);
  exchange.sendData(new BodyBuffer(Buffer.from('y')), false);
  exchange.sendTrailers(new HeaderMap([['a', 'b']]));
  await done;
  expect(lines).toEqual(['slow', 'quick', '200', '{}', ', the end']);
  expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toBe(`4e21\r\n${'x'.repeat(20_000)}y\r\n0\r\na: b\r\n\r\n`);
});

test('a pool that is closed tells those who wait', async () => {
  const asked = ask();
  await once(arrivals, 'request');
  pool.close();
  expect(await asked).toEqual(['connection termination']);
});
