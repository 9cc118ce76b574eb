import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { Socket } from 'node:net';
import { BodyBuffer } from '../body-buffer.ts';
import type { ResponseSink } from '../codec.ts';
import type { HeaderMap } from '../header-map.ts';
import { headersOf, rawHeaders } from '../http1-headers.ts';
import { type Connection, type ManagerSurroundings, beginStream } from './connection-manager.ts';
import { httpDate } from './http-date.ts';
import { Turns } from './turns.ts';

/** How often the time that headers may take is looked at, in ms. */
const checkingInterval = 500;

/** @returns what serves HTTP/1.x on a connection */
export function http1Server(surroundings: ManagerSurroundings): (socket: Socket, connection: Connection) => void {
  const { manager } = surroundings;
  const server = createServer({
    maxHeaderSize: manager.maxRequestHeadersKb * 1024,
    requireHostHeader: false, // refused by the connection manager, as a request like any other
    keepAlive: false,
    noDelay: true,
    connectionsCheckingInterval: checkingInterval,
    requestTimeout: 0, // each stream has its own
    headersTimeout: manager.requestHeadersTimeout,
    keepAliveTimeout: manager.idleTimeout,
  });
  server.maxHeadersCount = 0; // too many are refused by the connection manager; Node would leave them out without a word
  const connections = new WeakMap<Socket, { readonly connection: Connection; readonly turns: Turns }>();
  const serve = (request: IncomingMessage, response: ServerResponse, asksFirst = false): void => {
    const { connection, turns } = connections.get(request.socket) ?? {};
    if (connection === undefined) return;
    turns?.take({
      request,
      response,
      answer: (done) => {
        response.on('close', done);
        if (asksFirst) response.writeContinue();
        serveRequest(surroundings, connection, request, response);
      },
    });
  };
  server.on('request', (request, response) => {
    serve(request, response);
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response, true);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response);
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    connections.get(socket)?.turns.takeLast(() => {
      endWith(socket, '404 Not Found', ''); // no route is one for CONNECT
    });
  });
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket: Socket) => {
    const turns = connections.get(socket)?.turns;
    if (turns === undefined || !socket.writable || code === 'HPE_INVALID_EOF_STATE') socket.destroy();
    // After a request that ends the connection nothing is read, and the answer to it ends the connection.
    else if (code !== 'HPE_CLOSED_CONNECTION') {
      turns.takeLast(() => {
        refuse(code, socket);
      });
    }
  });
  return (socket, connection) => {
    connections.set(socket, { connection, turns: new Turns(socket) });
    socket.setDefaultEncoding('latin1'); // of headers that Node writes with no encoding: a character is a byte
    server.emit('connection', socket);
  };
}

/** What is not HTTP/1.x is answered as far as it can be, and the connection ends. */
function refuse(code: string, socket: Socket): void {
  const [status, body] = refusals[code] ?? ['400 Bad Request', 'Bad Request'];
  endWith(socket, status, body);
}

/** What Envoy answers to what Node's parser does not read, by Node's code. */
const refusals: Readonly<Record<string, readonly [status: string, body: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', ''],
};

/** Answers without a stream, and ends the connection. */
function endWith(socket: Socket, status: string, body: string): void {
  const head = [
    `HTTP/1.1 ${status}`,
    `content-length: ${body.length}`,
    ...(body === '' ? [] : ['content-type: text/plain']),
    `date: ${httpDate()}`,
    'server: envoy',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function serveRequest(
  surroundings: ManagerSurroundings,
  connection: Connection,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const headers = requestHeaders(request);
  const endStream = !hasBody(headers);
  const sink = new Http1Sink(request, response);
  const protocol = request.httpVersion === '1.1' ? 'HTTP/1.1' : 'HTTP/1.0';
  const begun = beginStream(surroundings, connection, protocol, headers, sink);
  response.on('close', () => {
    if (!response.writableFinished) begun.stream.onReset('downstream_remote_disconnect');
  });
  response.on('error', () => undefined); // the connection's end is told by close
  request.on('error', () => undefined);
  begun.start(endStream);
  if (endStream) {
    request.resume();
    return;
  }
  request.on('data', (chunk: Buffer) => {
    begun.stream.decodeData(new BodyBuffer(chunk), false);
  });
  request.on('end', () => {
    const trailers = headersOf(surroundings.manager.enableTrailersHttp1 ? request.rawTrailers : []);
    if (trailers.size > 0) begun.stream.decodeTrailers(trailers);
    else begun.stream.decodeData(new BodyBuffer(), true); // its end is always a callback of its own
  });
}

/** `:path` and `:method` as they were written: the connection manager resolves them. */
function requestHeaders({ method = '', url = '', rawHeaders: raw }: IncomingMessage): HeaderMap {
  const headers = headersOf(raw);
  const authority = headers.get('host');
  headers.remove('host');
  if (authority !== undefined) headers.add(':authority', authority);
  headers.add(':path', url);
  headers.add(':method', method);
  return headers;
}

function hasBody(headers: HeaderMap): boolean {
  return headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > 0;
}

class Http1Sink implements ResponseSink {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #closes = false;
  #slow = false;
  #onPressure: ((slow: boolean) => void) | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.sendDate = false; // the connection manager's
  }

  encodeHeaders(headers: HeaderMap, endStream: boolean): void {
    const status = Number(headers.get(':status'));
    const raw = rawHeaders(headers);
    const empty = this.#request.method === 'HEAD' || status === 204 || status === 304;
    if (endStream && !empty && !headers.has('content-length')) raw.push('content-length', '0');
    const bounded = headers.has('content-length') || (endStream && !empty);
    const connection = this.#connectionHeader(bounded);
    if (connection === undefined) this.#response.removeHeader('connection');
    else raw.push('connection', connection);
    this.#response.writeHead(status, raw as unknown as Record<string, string>);
    if (endStream) {
      this.#end();
      return;
    }
    // What comes of the body in this turn of the event loop goes out with them: most answers are one write.
    const { socket } = this.#request;
    socket.cork();
    setImmediate(() => {
      socket.uncork();
    });
    this.#response.flushHeaders();
  }

  /** HTTP/1.1 keeps connections without a word; HTTP/1.0 knows no chunks: a body without a length ends with the connection. */
  #connectionHeader(bounded: boolean): 'close' | 'keep-alive' | undefined {
    const old = this.#request.httpVersion !== '1.1';
    if (this.#closes || !this.#response.shouldKeepAlive || (old && !bounded)) return 'close';
    return old ? 'keep-alive' : undefined;
  }

  encodeData(data: BodyBuffer, endStream: boolean): void {
    for (const chunk of data.take()) this.#response.write(chunk);
    if (endStream) this.#end();
    else this.#pressed();
  }

  encodeTrailers(trailers: HeaderMap): void {
    this.#response.addTrailers(Array.from(trailers, ([name, value]): [string, string] => [name, value]));
    this.#end();
  }

  #end(): void {
    const { socket } = this.#request;
    if (this.#closes) {
      // Node ends the connection with the response, and a client that is still writing is reset before it has read it.
      socket.destroySoon = () => {
        this.#request.resume();
        socket.end();
        setTimeout(() => socket.destroy(), lingering).unref();
      };
    }
    this.#response.end();
    // The header that would tell Node has gone out by then, or there was none yet.
    if (this.#closes)
      this.#response.once('finish', () => {
        socket.destroySoon();
      });
  }

  encodeInformational(): void {
    this.#response.writeContinue();
  }

  reset(): void {
    this.#request.socket.uncork(); // what was said before it goes out
    this.#request.socket.destroy();
  }

  pauseReading(): void {
    this.#request.pause();
  }

  resumeReading(): void {
    this.#request.resume();
  }

  closeAfterResponse(): void {
    this.#closes = true;
  }

  onPressure(listener: (slow: boolean) => void): void {
    this.#onPressure = listener;
    this.#response.on('drain', () => {
      if (this.#slow) listener((this.#slow = false));
    });
  }

  // A method, and no function in a field: V8 takes such a function for one that stays, and all that it reaches, which is
  // the whole stream, would stay until all of the memory is collected.
  #pressed(): void {
    if (!this.#slow && this.#response.writableNeedDrain) this.#onPressure?.((this.#slow = true));
  }
}

/** delayed_close_timeout, in ms */
const lingering = 1000;
