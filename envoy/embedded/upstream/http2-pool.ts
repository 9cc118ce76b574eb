import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { BodyBuffer } from '../body-buffer.ts';
import type { Cluster, HostPort } from '../config/model.ts';
import { HeaderMap } from '../header-map.ts';
import { headersOf, http2Headers } from '../http1-headers.ts';
import { endStreamFlag, readFrames, resetCodes } from '../http2-stream.ts';
import { ConnectTimeout, type Connector } from './connect.ts';
import type { Balancer } from './balancer.ts';
import type { Pool, ResetReason, ResponseReceiver, UpstreamExchange } from './exchange.ts';

/** One HTTP/2 connection for each endpoint, on which all requests are streams. */
export class Http2Pool implements Pool {
  /** No limit of streams is kept here. */
  readonly isFull = false;
  readonly #cluster: Cluster;
  readonly #connector: Connector;
  readonly #balancer: Balancer;
  readonly #sessions = new Map<string, ClientHttp2Session>();

  constructor(cluster: Cluster, connector: Connector, balancer: Balancer) {
    this.#cluster = cluster;
    this.#connector = connector;
    this.#balancer = balancer;
  }

  exchange(receiver: ResponseReceiver, asked: HeaderMap): UpstreamExchange {
    const host = this.#balancer(asked);
    return new Http2Exchange(receiver, this.#session(host), host);
  }

  #session(host: HostPort): ClientHttp2Session {
    const key = `${host.host}:${host.port}`;
    const known = this.#sessions.get(key);
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const authority = `${this.#cluster.tls === undefined ? 'http' : 'https'}://${key}`;
    const session = connect(authority, {
      createConnection: () => this.#connector.open(host), // nothing is written before it is connected
      settings: { initialWindowSize: this.#cluster.windows.stream, enablePush: false },
    });
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(this.#cluster.windows.connection);
    });
    session.on('error', () => undefined); // told to its streams
    session.on('close', () => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    });
    if (this.#cluster.idleTimeout > 0) {
      session.setTimeout(this.#cluster.idleTimeout, () => {
        if (session.state.outboundQueueSize === 0) session.close();
      });
    }
    session.unref();
    this.#sessions.set(key, session);
    return session;
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
    this.#sessions.clear();
  }
}

class Http2Exchange implements UpstreamExchange {
  readonly #receiver: ResponseReceiver;
  readonly #session: ClientHttp2Session;
  readonly #host: HostPort;
  #stream: ClientHttp2Stream | undefined;
  #trailers: HeaderMap | undefined;
  #over = false;
  #connected = false;
  #error: Error | undefined;

  constructor(receiver: ResponseReceiver, session: ClientHttp2Session, host: HostPort) {
    this.#receiver = receiver;
    this.#session = session;
    this.#host = host;
  }

  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    const stream = this.#newStream(headers, endStream);
    if (stream === undefined) {
      queueMicrotask(() => {
        if (this.#over) return;
        this.#over = true;
        this.#receiver.onReset('protocol error');
      });
      return;
    }
    this.#stream = stream;
    const connected = (): void => {
      this.#connected = true;
      if (!this.#over) this.#receiver.onConnected(this.#host);
    };
    if (this.#session.connecting) this.#session.once('connect', connected);
    else connected();
    stream.on('wantTrailers', () => {
      stream.sendTrailers(http2Headers(this.#trailers ?? []));
    });
    stream.on('response', (_, flags, raw?: string[]) => {
      if (this.#over) return;
      const rawList = raw ?? [];
      const status = rawList[rawList.indexOf(':status') + 1] ?? '';
      const ends = (flags & endStreamFlag) !== 0;
      this.#receiver.onHeaders(headersOf(rawList, [[':status', status]]), ends);
      if (ends) this.#finish();
      else this.#readBody(stream);
    });
    stream.on('error', (error: Error) => {
      this.#error = error;
    });
    stream.on('drain', () => {
      if (!this.#over) this.#receiver.onPressure(false);
    });
    stream.on('close', () => {
      this.#closed(stream);
    });
  }

  /** @returns undefined: headers that Node does not write */
  #newStream(headers: HeaderMap, endStream: boolean): ClientHttp2Stream | undefined {
    try {
      return this.#session.request(http2Headers(headers), { endStream, waitForTrailers: true });
    } catch {
      return undefined;
    }
  }

  #readBody(stream: ClientHttp2Stream): void {
    readFrames(stream, {
      onData: (data, endStream) => {
        if (this.#over) return;
        if (endStream) this.#over = true;
        this.#receiver.onData(data, endStream);
        if (endStream) this.#finish();
      },
      onTrailers: (trailers) => {
        if (this.#over) return;
        this.#over = true;
        this.#receiver.onTrailers(trailers);
        this.#finish();
      },
    });
  }

  #closed(stream: ClientHttp2Stream): void {
    // Its last frames may still be waiting to be told of.
    setImmediate(() => {
      if (this.#over) return;
      this.#over = true;
      this.#receiver.onReset(this.#reasonOf(stream));
    });
  }

  #reasonOf({ rstCode }: ClientHttp2Stream): ResetReason {
    if (this.#error instanceof ConnectTimeout) return 'connection timeout';
    if (!this.#connected) return 'remote connection failure';
    const { code = '' } = (this.#error ?? {}) as NodeJS.ErrnoException;
    if (code === 'ERR_HTTP2_ERROR') return 'protocol error';
    if (this.#session.destroyed) return 'connection termination';
    return rstCode === resetCodes.refused ? 'remote refused stream reset' : 'remote reset';
  }

  sendData(data: BodyBuffer, endStream: boolean): void {
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed) return;
    let room = true;
    for (const chunk of data.take()) room = stream.write(chunk);
    if (endStream) stream.end();
    else if (!room && !this.#over) this.#receiver.onPressure(true);
  }

  sendTrailers(trailers: HeaderMap): void {
    this.#trailers = trailers;
    this.#stream?.end();
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream?.close(resetCodes.cancel);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** Answered before the request was out: nobody reads the rest. */
  #finish(): void {
    this.#over = true;
    if (this.#stream?.writableEnded === false) this.#stream.close(resetCodes.none);
  }
}
