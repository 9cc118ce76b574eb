import {
  Agent,
  type ClientRequest,
  type ClientRequestArgs,
  type IncomingMessage,
  type RequestOptions,
  request,
} from 'node:http';
import type { Socket } from 'node:net';
import { BodyBuffer } from '../body-buffer.ts';
import type { Cluster, HostPort } from '../config/model.ts';
import type { HeaderMap } from '../header-map.ts';
import { headersOf, rawHeaders, removeRaw } from '../http1-headers.ts';
import { ConnectTimeout, type Connector } from './connect.ts';
import type { Balancer } from './balancer.ts';
import type { Pool, ResetReason, ResponseReceiver, UpstreamExchange } from './exchange.ts';

/**
 * Node's own pool, over connections of ours. A request gets its connection once that is made, behind a verified handshake
 * where there is TLS: before that there is nothing that it could be written to.
 */
class ConnectionAgent extends Agent {
  readonly #connector: Connector;

  constructor(connector: Connector, idleTimeout: number) {
    super({ keepAlive: true, maxSockets: Infinity, timeout: idleTimeout, scheduling: 'lifo' });
    this.#connector = connector;
  }

  /** In the place of Node's, which connects without TLS. (node: http.Agent, agent.createConnection) */
  createConnection({ host, port }: ClientRequestArgs, done: (error: Error | null, socket?: Socket) => void): undefined {
    const socket = this.#connector.open({ host: String(host), port: Number(port) });
    const failed = (error: Error): void => {
      done(error);
    };
    socket.once('error', failed);
    socket.once(this.#connector.connectedEvent, () => {
      socket.off('error', failed);
      socket.setDefaultEncoding('latin1'); // of headers that Node writes with no encoding: a character is a byte
      done(null, socket);
    });
  }
}

/** HTTP/1.1 connections that are kept; a request takes one for itself. */
export class Http1Pool implements Pool {
  readonly #agent: Agent;
  readonly #cluster: Cluster;
  readonly #balancer: Balancer;
  #active = 0;
  readonly #waiting: Http1Exchange[] = [];

  constructor(cluster: Cluster, connector: Connector, balancer: Balancer) {
    this.#cluster = cluster;
    this.#balancer = balancer;
    this.#agent = new ConnectionAgent(connector, cluster.idleTimeout);
  }

  exchange(receiver: ResponseReceiver, asked: HeaderMap): UpstreamExchange {
    const { maxConnections, maxPendingRequests } = this.#cluster.circuitBreakers;
    const exchange = new Http1Exchange(receiver, this.#cluster, this.#agent, this.#balancer(asked), () => {
      this.#release(exchange);
    });
    if (this.#active < Math.max(1, maxConnections)) {
      this.#active++;
      // A kept connection that its server has just closed looks alive until the event loop has been round.
      if (Object.keys(this.#agent.freeSockets).length === 0) exchange.start();
      else
        afterNextPoll(() => {
          exchange.start();
        });
    } else if (this.#waiting.length < maxPendingRequests) {
      this.#waiting.push(exchange);
    } else {
      exchange.refuse();
    }
    return exchange;
  }

  #release(exchange: Http1Exchange): void {
    const at = this.#waiting.indexOf(exchange);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#active--;
    else next.start();
  }

  close(): void {
    this.#agent.destroy();
  }
}

function afterNextPoll(action: () => void): void {
  setImmediate(() => setImmediate(action));
}

class Http1Exchange implements UpstreamExchange {
  readonly #receiver: ResponseReceiver;
  readonly #cluster: Cluster;
  readonly #agent: Agent;
  readonly #host: HostPort;
  readonly #release: () => void;
  #started = false;
  /** What was sent before there was a connection to be had. */
  #early: (() => void)[] = [];
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #connected = false;
  #socket: Socket | undefined;
  /** Bytes that the socket had read for earlier requests. */
  #readBefore = 0;
  #peerEnded = false;
  #over = false;
  #sent = false;
  #received = false;

  constructor(receiver: ResponseReceiver, cluster: Cluster, agent: Agent, host: HostPort, release: () => void) {
    this.#receiver = receiver;
    this.#cluster = cluster;
    this.#agent = agent;
    this.#host = host;
    this.#release = release;
  }

  start(): void {
    if (this.#over) return;
    this.#started = true;
    const early = this.#early;
    this.#early = [];
    for (const action of early) action();
  }

  /** Over the limits of the cluster: said in a turn of its own, so that the caller has the exchange by then. */
  refuse(): void {
    queueMicrotask(() => {
      this.#fail('overflow', false);
    });
  }

  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    if (!this.#started) {
      this.#early.push(() => {
        this.sendHeaders(headers, endStream);
      });
      return;
    }
    const method = headers.get(':method') ?? 'GET';
    const request1 = this.#newRequest(method, headers, endStream);
    if (request1 === undefined) {
      queueMicrotask(() => {
        this.#fail('protocol error');
      });
      return;
    }
    this.#request = request1;
    request1.on('socket', (socket) => {
      this.#watchConnection(socket);
    });
    request1.on('response', (response) => {
      this.#onResponse(response, method);
    });
    // Nobody has asked for another protocol: Envoy takes it for a response, and Node would end the connection.
    request1.on('upgrade', (response, socket) => {
      socket.destroy();
      this.#onUpgrade(response);
    });
    request1.on('error', (error) => {
      this.#fail(this.#reasonOf(error));
    });
    request1.on('close', () => {
      // One that is complete may still be waiting to be read.
      if (!this.#received && this.#response?.complete !== true) this.#fail(this.#cutReason());
    });
    request1.on('drain', () => {
      if (!this.#over) this.#receiver.onPressure(false);
    });
    if (endStream) this.#end();
    else request1.flushHeaders();
  }

  /** @returns undefined: a method, path or header that Node does not write */
  #newRequest(method: string, headers: HeaderMap, endStream: boolean): ClientRequest | undefined {
    let made: ClientRequest | undefined;
    try {
      made = request(this.#options(method, headers));
      const raw = this.#headersFor(method, headers, endStream);
      for (let at = 0; at + 1 < raw.length; at += 2) made.appendHeader(raw[at] ?? '', raw[at + 1] ?? '');
      if (!headers.has('connection')) made.removeHeader('connection'); // HTTP/1.1 keeps connections without a word
      return made;
    } catch {
      made?.on('error', () => undefined).destroy();
      return undefined;
    }
  }

  #options(method: string, headers: HeaderMap): RequestOptions {
    return {
      method,
      path: headers.get(':path') ?? '/',
      setHost: false,
      agent: this.#agent,
      host: this.#host.host,
      port: this.#host.port,
      maxHeaderSize: this.#cluster.maxResponseHeadersKb * 1024,
    };
  }

  /** Node's flat list, with what HTTP/1.1 needs to tell where the body ends. */
  #headersFor(method: string, headers: HeaderMap, endStream: boolean): string[] {
    const raw = rawHeaders(headers);
    const hasLength = headers.has('content-length');
    // Node takes a Trailer header only where there are chunks for the trailers to follow, and throws elsewhere.
    if (endStream || hasLength) removeRaw(raw, 'trailer');
    if (!endStream && !hasLength) raw.push('transfer-encoding', 'chunked');
    // A length of nothing for methods that are expected to have content. (RFC 9110 §8.6)
    if (endStream && !hasLength && /^(?:POST|PUT|PATCH)$/.test(method)) raw.push('content-length', '0');
    return raw;
  }

  #watchConnection(socket: Socket): void {
    this.#socket = socket;
    this.#readBefore = socket.bytesRead;
    const onEnd = (): void => {
      this.#peerEnded = true;
    };
    socket.prependOnceListener('end', onEnd); // before Node says that the request has failed
    // The connection outlives this exchange.
    this.#request?.once('close', () => socket.off('end', onEnd));
    this.#connected = true;
    if (!this.#over) this.#receiver.onConnected(this.#host);
  }

  #onResponse(response: IncomingMessage, method: string): void {
    if (this.#over) return;
    this.#response = response;
    const headers = headersOf(response.rawHeaders, [[':status', String(response.statusCode)]]);
    if (!isHttp(response, headers)) {
      this.#fail('protocol error');
      return;
    }
    const status = response.statusCode ?? 0;
    const empty = method === 'HEAD' || status === 204 || status === 304 || headers.get('content-length') === '0';
    if (empty) this.#received = true;
    this.#receiver.onHeaders(headers, empty);
    response.on('error', () => {
      this.#fail(this.#cutReason());
    });
    response.on('data', (chunk: Buffer) => {
      if (!this.#over && !empty) this.#receiver.onData(new BodyBuffer(chunk), false);
    });
    response.on('end', () => {
      if (this.#over) return;
      if (!empty) {
        this.#received = true;
        const trailers = headersOf(this.#cluster.trailers ? response.rawTrailers : []);
        if (trailers.size > 0) this.#receiver.onTrailers(trailers);
        else this.#receiver.onData(new BodyBuffer(), true);
      }
      this.#finish();
    });
  }

  #onUpgrade(response: IncomingMessage): void {
    if (this.#over) return;
    this.#receiver.onHeaders(headersOf(response.rawHeaders, [[':status', String(response.statusCode)]]), false);
    this.#receiver.onData(new BodyBuffer(), true);
    this.#finish();
  }

  sendData(data: BodyBuffer, endStream: boolean): void {
    if (!this.#started) {
      const copy = new BodyBuffer(...data.take());
      this.#early.push(() => {
        this.sendData(copy, endStream);
      });
      return;
    }
    let room = true;
    for (const chunk of data.take()) room = this.#request?.write(chunk) ?? true;
    if (endStream) this.#end();
    else if (!room && !this.#over) this.#receiver.onPressure(true);
  }

  sendTrailers(trailers: HeaderMap): void {
    if (!this.#started) {
      this.#early.push(() => {
        this.sendTrailers(trailers);
      });
      return;
    }
    if (this.#cluster.trailers) {
      this.#request?.addTrailers(Array.from(trailers, ([name, value]): [string, string] => [name, value]));
    }
    this.#end();
  }

  #end(): void {
    this.#sent = true;
    this.#request?.end();
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#request?.destroy();
    this.#release();
  }

  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  #reasonOf(error: Error): ResetReason {
    if (error instanceof ConnectTimeout) return 'connection timeout';
    if (!this.#connected) return 'remote connection failure';
    const { code = '' } = error as NodeJS.ErrnoException;
    return code.startsWith('HPE_') ? 'protocol error' : this.#cutReason();
  }

  /** A message that ends before its end is not HTTP; a connection that is reset is one that is gone. */
  #cutReason(): ResetReason {
    return this.#peerEnded && this.#begun() ? 'protocol error' : 'connection termination';
  }

  #begun(): boolean {
    return this.#response !== undefined || (this.#socket?.bytesRead ?? 0) > this.#readBefore;
  }

  #fail(reason: ResetReason, started = true): void {
    if (this.#over) return;
    this.#over = true;
    this.#request?.destroy();
    if (started) this.#release();
    this.#receiver.onReset(reason);
  }

  /** Answered: the connection is free once the request is out as well. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#sent) this.#request?.destroy(); // nobody reads the rest
    this.#release();
  }
}

/** Envoy's `max_headers_count` for responses. */
const mostHeaders = 100;

/** Whether Envoy takes for HTTP what Node's parser does. */
function isHttp({ statusCode = 0, rawHeaders: raw }: IncomingMessage, headers: HeaderMap): boolean {
  const coding = headers.get('transfer-encoding');
  return raw.length <= 2 * mostHeaders && statusCode >= 100 && (coding === undefined || /^chunked$/i.test(coding));
}
