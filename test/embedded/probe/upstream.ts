// Servers that do what the path says, and remember what they were sent by the case that it was for.
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { createServer as createServer2 } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pattern } from './cases.ts';

export interface Arrival {
  readonly server: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
  /** Bytes of the body so far. */
  size: number;
  trailers: Readonly<Record<string, string | undefined>>;
  /** `cut`: its end will never come. */
  state: 'arriving' | 'whole' | 'cut';
}

export interface Upstreams {
  /** Ports by the names of the clusters. */
  readonly ports: Readonly<Record<string, number>>;
  of(name: string): readonly Arrival[];
  stop(): Promise<void>;
}

interface Exchange {
  readonly response: ServerResponse;
  /** Resolves with the request's body. */
  readonly whole: Promise<Buffer>;
  readonly request: IncomingMessage;
  readonly argument: string;
  /** Ends the connection, or the stream over HTTP/2, as if the server had died. */
  readonly reset: () => void;
  /** Waits until the filter has seen so many parts of the response. */
  readonly seen: (parts: number) => Promise<unknown>;
  /** Where it is a callout that takes so long: waits until all has happened that is expected to happen before its answer. */
  readonly beforeAnswer: (delay: number) => Promise<unknown>;
}

/** What servers wait for before they go on. */
export interface Gates {
  /** So many parts of the response to the request of this name have passed the filter, or will not. */
  readonly passed: (name: string, parts: number) => Promise<unknown>;
  /** All that was sent to the engine has been dealt with. */
  readonly turned: () => Promise<unknown>;
  /** All has happened that is to happen before the answer of a callout, of this name, that takes so long. */
  readonly beforeCall: (name: string, delay: number) => Promise<unknown>;
}

/** For servers that wait for nothing. */
export const noGates: Gates = {
  passed: () => Promise.resolve(),
  turned: () => Promise.resolve(),
  beforeCall: () => Promise.resolve(),
};

const plain = { 'content-type': 'text/plain' };
const events = { 'content-type': 'text/event-stream' };

/** What a server does, by the first segment of the path. */
const behaviours: Readonly<Record<string, (exchange: Exchange) => Promise<void> | void>> = {
  ok: async ({ response, whole }) => {
    await whole;
    response.writeHead(200, { ...plain, 'content-length': 2 }).end('ok');
  },
  /** Answers at once, with each part of the body as it comes. */
  echo: ({ request, response }) => {
    response.writeHead(200, plain);
    response.flushHeaders();
    request.pipe(response);
  },
  status: async ({ response, whole, argument }) => {
    await whole;
    response.writeHead(Number(argument), { ...plain, 'content-length': 13 }).end('upstream said');
  },
  none: async ({ response, whole }) => {
    await whole;
    response.writeHead(200, { 'content-length': 0 }).end();
  },
  size: async ({ response, whole, argument }) => {
    await whole;
    response.writeHead(200, { ...plain, 'content-length': argument }).end(pattern(Number(argument)));
  },
  after: async ({ response, whole, argument, beforeAnswer }) => {
    await whole;
    await sleep(Number(argument));
    await beforeAnswer(Number(argument));
    response.writeHead(200, { ...plain, 'content-length': 2 }).end('ok');
  },
  never: () => undefined,
  reset: ({ reset }) => {
    reset();
  },
  cut: async ({ response, whole, reset, seen }) => {
    await whole;
    response.writeHead(200, { ...plain, 'content-length': 10 });
    response.write('12345');
    await seen(1);
    reset();
  },
  parts: async ({ response, whole, seen }) => {
    await whole;
    response.writeHead(200, plain);
    for (const [index, part] of ['aaaa', 'bbbb', 'cccc', 'dddd'].entries()) {
      response.write(part);
      await seen(index + 1);
    }
    response.end();
  },
  events: async ({ response, whole, seen }) => {
    await whole;
    response.writeHead(200, events);
    for (const index of [1, 2, 3]) {
      response.write(`data: ${index}\n\n`);
      await seen(index);
    }
    response.end();
  },
  endless: async ({ response, whole }) => {
    await whole;
    response.writeHead(200, events).write('data: 1\n\n');
  },
  trailers: async ({ response, whole }) => {
    await whole;
    response.writeHead(200, { ...plain, trailer: 'x-end' });
    response.write('aaaa');
    response.addTrailers({ 'x-end': 'yes' });
    response.end();
  },
};

export async function startUpstreams(gates: Gates): Promise<Upstreams> {
  const arrivals = new Map<string, Arrival[]>();
  const closers: (() => Promise<void>)[] = [];
  const start = async (name: string, http: 1 | 2): Promise<number> => {
    const handle = (request: IncomingMessage, response: ServerResponse, reset: () => void): void => {
      serve(name, arrivals, gates, request, response, reset);
    };
    const server =
      http === 1
        ? createServer((request, response) => {
            handle(request, response, () => request.socket.destroy());
          })
        : createServer2((request, response) => {
            handle(request as unknown as IncomingMessage, response as unknown as ServerResponse, () => {
              response.stream.close(2);
            });
          });
    // A connection that ends while Envoy takes it again would be a 503 of nobody's making.
    if ('keepAliveTimeout' in server) server.keepAliveTimeout = 0;
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    });
    return (server.address() as AddressInfo).port;
  };
  const ports = { one: await start('one', 1), two: await start('two', 1), h2: await start('h2', 2), refused: 1 };
  return {
    ports,
    of: (name) => arrivals.get(name) ?? [],
    stop: async () => {
      await Promise.all(closers.map((close) => close()));
    },
  };
}

function serve(
  server: string,
  arrivals: Map<string, Arrival[]>,
  gates: Gates,
  request: IncomingMessage,
  response: ServerResponse,
  reset: () => void,
): void {
  const { method = '', url = '', headers } = request;
  const name = String(headers['x-case']);
  const arrival: Arrival = {
    ...{ server, method, path: url, headers },
    ...{ body: Buffer.alloc(0), size: 0, trailers: {}, state: 'arriving' },
  };
  const known = arrivals.get(name);
  if (known === undefined) arrivals.set(name, [arrival]);
  else known.push(arrival);
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => {
    parts.push(part);
    arrival.size += part.length;
  });
  const cut = (): void => {
    if (arrival.state === 'arriving') arrival.state = 'cut';
    arrival.body = Buffer.concat(parts);
  };
  request.on('aborted', cut).on('error', cut).on('close', cut);
  response.on('error', () => undefined);
  const whole = new Promise<Buffer>((resolve) => {
    request.on('end', () => {
      arrival.body = Buffer.concat(parts);
      arrival.trailers = request.trailers;
      if (arrival.state !== 'arriving') return;
      arrival.state = 'whole';
      resolve(arrival.body);
    });
  });
  response.sendDate = false;
  response.setHeader('x-server', server);
  const [, first = '', argument = ''] = url.replace(/^\/two\//, '/').split(/[/?]/);
  const behave = behaviours[first];
  if (behave === undefined) {
    response.writeHead(501).end(`no server does ${url}`);
    return;
  }
  const isCallout = headers['x-envoy-internal'] === 'true';
  void behave({
    ...{ request, response, whole, argument, reset },
    seen: (count) => (isCallout ? gates.turned() : gates.passed(name, count)),
    beforeAnswer: (delay) => (isCallout ? gates.beforeCall(name, delay) : Promise.resolve()),
  });
}
