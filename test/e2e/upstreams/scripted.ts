// An MCP server whose every byte is the test's: it records what it is sent, and answers as it is told.
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import {
  type Http2ServerRequest,
  type Http2ServerResponse,
  createSecureServer as createSecureServer2,
  createServer as createServer2,
} from 'node:http2';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, type Socket, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { stopListening } from './held-port.ts';

export interface Recorded {
  readonly method: string;
  readonly path: string;
  /** Lower-case names; values of a repeated header are joined. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string | undefined>>;
  /** Of the JSON-RPC message, where there is one. */
  readonly rpcMethod: string | undefined;
  /** The message's id as it was written. */
  readonly id: string;
}

/** A request from its headers on, whether it is ever complete or not. */
interface Arrival {
  readonly method: string;
  readonly headers: Recorded['headers'];
  /** Bytes of the body so far. */
  readonly size: number;
  /** `cut`: its end will never come. */
  readonly state: 'arriving' | 'whole' | 'cut';
}

/** What both kinds of response can do. */
interface Reply {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  write(bytes: string | Buffer): void;
  /** @param trailers sent where the body is in chunks (HTTP/1.1), or always (HTTP/2) */
  end(bytes?: string | Buffer, trailers?: Readonly<Record<string, string>>): void;
  /** Ends the connection (HTTP/2: the stream) as if the server had died. */
  reset(): void;
}

export type Answer = (request: Recorded, reply: Reply) => void | Promise<void>;

export interface Scripted {
  readonly url: string;
  /** Those that came whole. */
  readonly requests: readonly Recorded[];
  /** All of them. */
  readonly arrivals: readonly Arrival[];
  /** The messages of a JSON-RPC method, or the requests of an HTTP method. */
  of(method: string): Recorded[];
  /** The last of them. @throws where there was none */
  last(method: string): Recorded;
  /** By JSON-RPC method, or by HTTP method for requests without a message; what is not there is answered as usual. */
  answers: Record<string, Answer>;
  forget(): void;
  /** Refuses connections, those that exist included, until `start` is called again; the port stays its own meanwhile. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface ScriptedOptions {
  readonly http2?: boolean;
  /** Its key and certificate; without them it speaks in the clear. */
  readonly tls?: Pick<TlsOptions, 'key' | 'cert' | 'SNICallback' | 'minVersion' | 'maxVersion'>;
  /** An address of loopback; 127.0.0.1 unless said otherwise. */
  readonly host?: string;
  readonly answers?: Readonly<Record<string, Answer>>;
  /** What `initialize` answers with beside the protocol revision; JSON members. */
  readonly initialized?: Readonly<Record<string, unknown>>;
  /** Tools by name, or the JSON of the whole list. */
  readonly tools?: readonly string[] | string;
  /** None: the server keeps no session. */
  readonly sessionId?: string;
  /** Ends each connection after its first answer, and does not say so before. */
  readonly closesSilently?: boolean;
  /** What is answered by the headers alone, as soon as they have come; such a body is not recorded. */
  readonly early?: (headers: Recorded['headers']) => Answer | undefined;
}

export async function startScripted(options: ScriptedOptions = {}): Promise<Scripted> {
  const requests: Recorded[] = [];
  const arrivals: Arrival[] = [];
  const sockets = new Set<Socket>();
  const scripted: Pick<Scripted, 'answers'> = { answers: { ...options.answers } };
  const usual = usualAnswers(options);

  const serve = async (request: Incoming, reply: Reply): Promise<void> => {
    const { method = '', headers } = request;
    const arrival = { method, headers, size: 0, state: 'arriving' as Arrival['state'] };
    arrivals.push(arrival);
    const early = options.early?.(headers);
    if (early !== undefined) {
      await early(record(request, Buffer.alloc(0)), reply);
      return;
    }
    const recorded = record(request, await bodyOf(request, arrival));
    requests.push(recorded);
    const key = recorded.rpcMethod ?? recorded.method;
    const answer = scripted.answers[key] ?? usual[key] ?? status(404, 'text/plain', `nothing is known about ${key}`);
    await answer(recorded, reply);
  };
  const guarded = (request: Incoming, reply: Reply): void => {
    serve(request, reply).catch(() => undefined); // the peer went away: its tests see that themselves
  };
  const overHttp1 = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    if (options.closesSilently === true) response.on('finish', () => request.socket.end());
    response.socket?.setDefaultEncoding('latin1'); // of flushed headers: a character is a byte
    guarded(request, {
      head: (code, headers) => {
        response.writeHead(code, headers);
        response.flushHeaders();
      },
      // Bodies are UTF-8 all the same.
      write: (bytes) => void response.write(Buffer.from(bytes)),
      end: (bytes = '', trailers = {}) => {
        response.addTrailers(trailers);
        response.end(Buffer.from(bytes));
      },
      reset: () => void request.socket.destroy(),
    });
  };
  const overHttp2 = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    guarded(request as unknown as Incoming, {
      head: (code, headers) => void response.writeHead(code, headers),
      // As text, what waits behind another part can come out as other bytes in Node 20.
      write: (bytes) => void response.write(Buffer.from(bytes)),
      end: (bytes = '', trailers = {}) => {
        response.addTrailers(trailers);
        response.end(Buffer.from(bytes));
      },
      reset: () => {
        response.stream.close(2);
      },
    });
  };
  const { tls, host = '127.0.0.1' } = options;
  const secured = { ...tls, allowHTTP1: false };
  const server =
    options.http2 === true
      ? tls === undefined
        ? createServer2(overHttp2)
        : createSecureServer2(secured, overHttp2)
      : tls === undefined
        ? createServer(overHttp1)
        : createSecureServer(secured, overHttp1);
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  let port = 0;
  let letGo: (() => Promise<void>) | undefined;
  const start = async (): Promise<void> => {
    await letGo?.();
    letGo = undefined;
    server.listen(port, host);
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  await start();
  const of = (method: string): Recorded[] =>
    requests.filter(({ rpcMethod, method: verb }) => (rpcMethod ?? verb) === method);
  return Object.assign(scripted, {
    url: `${tls === undefined ? 'http' : 'https'}://${isIPv6(host) ? `[${host}]` : host}:${port}/mcp`,
    requests,
    arrivals,
    of,
    last: (method: string) => {
      const found = of(method).at(-1);
      if (found === undefined) throw new Error(`the upstream was never sent ${method}`);
      return found;
    },
    forget: () => {
      requests.length = 0;
      arrivals.length = 0;
    },
    start,
    stop: async () => {
      if (!server.listening) return;
      letGo = await stopListening(server);
      const closed = [...sockets].map((socket) => once(socket, 'close'));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  });
}

interface Incoming extends AsyncIterable<unknown> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Recorded['headers'];
  readonly trailers: Recorded['trailers'];
  readonly aborted?: boolean;
}

/** @throws where the request was cut off */
async function bodyOf(request: Incoming, arrival: { size: number; state: Arrival['state'] }): Promise<Buffer> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) {
      parts.push(part as Buffer);
      arrival.size += (part as Buffer).length;
    }
    // Over HTTP/2 a stream that was reset ends like any other.
    if (request.aborted === true) throw new Error('the request was cut off');
    arrival.state = 'whole';
  } catch (error) {
    arrival.state = 'cut';
    throw error;
  }
  return Buffer.concat(parts);
}

function record(request: Incoming, body: Buffer): Recorded {
  const message = messageIn(body);
  const rpcMethod = typeof message['method'] === 'string' ? message['method'] : undefined;
  // As it was written: a number may be larger than this program can hold.
  const id = /"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)/.exec(body.toString())?.[1] ?? JSON.stringify(message['id'] ?? null);
  const { method = '', url = '', headers, trailers } = request;
  return { method, path: url, headers, body, trailers, rpcMethod, id };
}

function messageIn(body: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function usualAnswers({ initialized, tools = [], sessionId }: ScriptedOptions): Record<string, Answer> {
  const list =
    typeof tools === 'string'
      ? tools
      : JSON.stringify(tools.map((name) => ({ name, inputSchema: { type: 'object' } })));
  return {
    initialize: (request, reply) => {
      const offered = /"protocolVersion"\s*:\s*"([^"]*)"/.exec(request.body.toString())?.[1] ?? '';
      const result = {
        protocolVersion: offered,
        capabilities: { tools: {} },
        serverInfo: { name: 'scripted', version: '1' },
        ...initialized,
      };
      const session = sessionId === undefined ? {} : { 'mcp-session-id': sessionId };
      reply.head(200, { 'content-type': 'application/json', ...session });
      reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":${JSON.stringify(result)}}`);
    },
    'notifications/initialized': status(202),
    'tools/list': result(`{"tools":${list}}`),
    'tools/call': result('{"content":[{"type":"text","text":"done"}]}'),
    DELETE: status(200),
  };
}

/** A JSON response with the request's id and this result. */
export function result(json: string): Answer {
  return (request, reply) => {
    reply.head(200, { 'content-type': 'application/json' });
    reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":${json}}`);
  };
}

export function status(code: number, type?: string, body = '', headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, reply) => {
    reply.head(code, type === undefined ? headers : { 'content-type': type, ...headers });
    reply.end(body);
  };
}

/** JSON in the coding gzip, whatever the request accepts. @param body compressed, by the id of the request */
export function compressed(body: (id: string) => Buffer): Answer {
  return (request, reply) => {
    reply.head(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    reply.end(body(request.id));
  };
}

/** Exactly these bytes, piece by piece; `ID` in a string stands for the request's id. */
export function pieces(type: string, parts: readonly (string | Buffer)[], pause = 0): Answer {
  return async (request, reply) => {
    reply.head(200, { 'content-type': type });
    for (const [index, part] of parts.entries()) {
      if (index > 0) await sleep(pause);
      reply.write(typeof part === 'string' ? part.replaceAll('ID', request.id) : part);
    }
    reply.end();
  };
}

export const json = (...parts: (string | Buffer)[]): Answer => pieces('application/json', parts, 2);
export const events = (...parts: (string | Buffer)[]): Answer => pieces('text/event-stream', parts, 2);

export const never: Answer = () => undefined;
export const reset: Answer = (_, reply) => {
  reply.reset();
};
