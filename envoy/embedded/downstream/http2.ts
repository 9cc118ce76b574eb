import { type ServerHttp2Stream, createServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { BodyBuffer } from '../body-buffer.ts';
import type { ResponseSink } from '../codec.ts';
import type { Header, HeaderMap } from '../header-map.ts';
import { headersOf, http2Headers } from '../http1-headers.ts';
import { endStreamFlag, readFrames, resetCodes } from '../http2-stream.ts';
import { type Connection, type ManagerSurroundings, beginStream } from './connection-manager.ts';

/** @returns what serves HTTP/2 on a connection */
export function http2Server(surroundings: ManagerSurroundings): (socket: Socket, connection: Connection) => void {
  const { manager } = surroundings;
  const { maxConcurrentStreams, stream: streamWindow, connection: connectionWindow } = manager.http2;
  const server = createServer({
    settings: {
      maxConcurrentStreams,
      initialWindowSize: streamWindow,
      maxHeaderListSize: manager.maxRequestHeadersKb * 1024,
    },
    maxHeaderListPairs: 0xffff, // counted below: Node refuses with another code than Envoy
  });
  const connections = new WeakMap<object, Connection>();
  let arriving: Connection | undefined;
  server.on('session', (session) => {
    if (arriving !== undefined) connections.set(session, arriving);
    session.setLocalWindowSize(connectionWindow);
    session.on('error', () => undefined); // ends its streams, which is told there
    if (manager.idleTimeout > 0) {
      session.setTimeout(manager.idleTimeout, () => {
        session.close();
      });
    }
  });
  server.on('stream', (stream: ServerHttp2Stream, _headers: unknown, flags: number, raw: string[]) => {
    stream.on('error', () => undefined); // told by close; may come for one whose session is gone already
    const connection = stream.session && connections.get(stream.session);
    if (raw.length / 2 > manager.maxRequestHeaders) {
      stream.close(resetCodes.internal); // pseudo-headers count
      return;
    }
    if (connection !== undefined) serveStream(surroundings, connection, stream, (flags & endStreamFlag) !== 0, raw);
  });
  server.on('sessionError', () => undefined);
  return (socket, connection) => {
    arriving = connection; // the session is made, and told of, within this call
    server.emit('connection', socket);
    arriving = undefined;
  };
}

function serveStream(
  surroundings: ManagerSurroundings,
  connection: Connection,
  stream: ServerHttp2Stream,
  endStream: boolean,
  raw: readonly string[],
): void {
  const sink = new Http2Sink(stream);
  const begun = beginStream(surroundings, connection, 'HTTP/2', requestHeaders(raw), sink);
  stream.on('close', () => {
    if (!sink.isComplete) begun.stream.onReset('downstream_remote_disconnect');
  });
  begun.start(endStream);
  if (endStream) return;
  readFrames(stream, {
    onData: (data, ends) => {
      begun.stream.decodeData(data, ends);
    },
    onTrailers: (trailers) => {
      begun.stream.decodeTrailers(trailers);
    },
  });
}

function requestHeaders(raw: readonly string[]): HeaderMap {
  const pseudo: Header[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (name.startsWith(':') && name !== ':scheme') pseudo.push([name, raw[at + 1] ?? '']);
  }
  const headers = headersOf(raw, pseudo);
  const host = headers.get('host');
  if (host !== undefined && !headers.has(':authority')) headers.set(':authority', host); // RFC 9113 §8.3.1
  headers.remove('host');
  return headers;
}

class Http2Sink implements ResponseSink {
  readonly #stream: ServerHttp2Stream;
  #trailers: HeaderMap | undefined;
  #complete = false;
  #unread = false;
  #pressed: (slow: boolean) => void = () => undefined;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    stream.on('wantTrailers', () => {
      stream.sendTrailers(http2Headers(this.#trailers ?? []));
      this.#refuseRest();
    });
    stream.on('drain', () => {
      this.#pressed(false);
    });
  }

  get isComplete(): boolean {
    return this.#complete;
  }

  encodeHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.#stream.destroyed) return;
    this.#stream.respond(http2Headers(headers), { endStream, waitForTrailers: !endStream, sendDate: false } as object);
    if (!endStream) return;
    this.#complete = true;
    this.#refuseRest();
  }

  encodeData(data: BodyBuffer, endStream: boolean): void {
    if (this.#stream.destroyed) return;
    let room = true;
    for (const chunk of data.take()) room = this.#stream.write(chunk);
    if (endStream) this.#end();
    else if (!room) this.#pressed(true);
  }

  encodeTrailers(trailers: HeaderMap): void {
    this.#trailers = trailers;
    this.#end();
  }

  #end(): void {
    this.#complete = true;
    this.#stream.end();
  }

  /** RFC 9113 §8.1: the rest of the request is not wanted, which is no error. Behind the last frame of the response. */
  #refuseRest(): void {
    setImmediate(() => {
      if (this.#unread && !this.#stream.readableEnded) this.#stream.close(resetCodes.none);
    });
  }

  encodeInformational(): void {
    if (!this.#stream.destroyed) this.#stream.additionalHeaders({ ':status': 100 });
  }

  reset(): void {
    this.#complete = true;
    this.#stream.close(resetCodes.internal);
  }

  pauseReading(): void {
    this.#stream.pause();
  }

  resumeReading(): void {
    this.#stream.resume();
  }

  closeAfterResponse(): void {
    this.#unread = true;
  }

  onPressure(listener: (slow: boolean) => void): void {
    this.#pressed = listener;
  }
}
