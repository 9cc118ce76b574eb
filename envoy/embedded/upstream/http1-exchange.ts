import { BodyBuffer } from '../body-buffer.ts';
import type { Cluster, HostPort } from '../config/model.ts';
import type { HeaderMap } from '../header-map.ts';
import { ConnectTimeout } from './connect.ts';
import type { ResetReason, ResponseReceiver, UpstreamExchange } from './exchange.ts';
import type { ConnectionUser, Http1Connection } from './http1-connection.ts';
import { type RequestHead, lastChunk, requestHead } from './request-head.ts';
import { MalformedResponse, type ResponseHandler, type ResponseHead, ResponseParser } from './response-parser.ts';

/** How much of a body waits for a connection before its sender is told to wait, in bytes. */
const mostWaiting = 16 << 10;

/** What an exchange asks of its pool. */
export interface ExchangeOwner {
  /** A connection to an endpoint, made or on its way. */
  connectionTo(host: HostPort): Http1Connection;
  /** The connection can take another request. @param most ms that it may wait for one */
  giveBack(connection: Http1Connection, most: number): void;
  /** The exchange is over, or waits no more. */
  release(exchange: Http1Exchange): void;
}

/** One request over HTTP/1.1, and its answer. */
export class Http1Exchange implements UpstreamExchange, ConnectionUser, ResponseHandler {
  readonly #receiver: ResponseReceiver;
  readonly #cluster: Cluster;
  readonly #owner: ExchangeOwner;
  readonly host: HostPort;
  #connection: Http1Connection | undefined;
  #connected = false;
  #method = 'GET';
  #head: RequestHead | undefined;
  /** What is to be written in front of the body. */
  #unwritten = '';
  readonly #body = new BodyBuffer();
  #trailers: HeaderMap | undefined;
  /** All of the request is here. */
  #ended = false;
  /** All of it has been written. */
  #sent = false;
  #slow = false;
  #parser: ResponseParser | undefined;
  #isEmpty = false;
  #idleMost = Infinity;
  #peerEnded = false;
  #over = false;

  constructor(receiver: ResponseReceiver, cluster: Cluster, owner: ExchangeOwner, host: HostPort) {
    this.#receiver = receiver;
    this.#cluster = cluster;
    this.#owner = owner;
    this.host = host;
  }

  /** Takes a connection. */
  start(): void {
    if (this.#over) return;
    const connection = this.#owner.connectionTo(this.host);
    this.#connection = connection;
    connection.use(this);
    if (connection.isConnected) this.onConnected();
  }

  /** Over the limits of the cluster: said in a turn of its own, so that the caller has the exchange by then. */
  refuse(): void {
    queueMicrotask(() => {
      this.#fail('overflow', false);
    });
  }

  onConnected(): void {
    this.#connected = true;
    this.#receiver.onConnected(this.host);
    this.#write();
  }

  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#method = (headers.get(':method') ?? 'GET').toUpperCase();
    const head = requestHead(this.#method, headers, endStream);
    if (head === undefined) {
      this.#refuseToWrite();
      return;
    }
    this.#head = head;
    this.#unwritten = head.text;
    this.#ended = endStream;
    this.#write();
  }

  sendData(data: BodyBuffer, endStream: boolean): void {
    this.#body.move(data);
    if (this.#over) this.#body.take(); // nobody reads it
    this.#ended = endStream;
    this.#write();
  }

  sendTrailers(trailers: HeaderMap): void {
    if (this.#cluster.trailers) this.#trailers = trailers;
    this.#ended = true;
    this.#write();
  }

  /** Writes what is here, once there is something that it can be written to. */
  #write(): void {
    const connection = this.#connection;
    const head = this.#head;
    if (this.#over) return;
    if (connection === undefined || !this.#connected || head === undefined) {
      this.#tellPressure(this.#body.length > mostWaiting);
      return;
    }
    let before = this.#unwritten;
    let behind = '';
    this.#unwritten = '';
    if (head.isChunked) {
      if (this.#body.length > 0) {
        before += `${this.#body.length.toString(16)}\r\n`;
        behind = '\r\n';
      }
      const last = this.#ended ? lastChunk(this.#trailers) : '';
      if (last === undefined) {
        this.#refuseToWrite();
        return;
      }
      behind += last;
    }
    this.#sent = this.#ended;
    const room = connection.write(before, this.#body.take(), behind);
    this.#tellPressure(!room && !this.#ended);
  }

  /** What is no HTTP is not sent: said in a turn of its own, as with `refuse`. */
  #refuseToWrite(): void {
    this.#head = undefined;
    queueMicrotask(() => {
      this.#fail('protocol error');
    });
  }

  onDrain(): void {
    this.#tellPressure(false);
  }

  #tellPressure(slow: boolean): void {
    if (slow === this.#slow || this.#over) return;
    this.#slow = slow;
    this.#receiver.onPressure(slow);
  }

  onRead(bytes: Buffer): void {
    this.#parser ??= new ResponseParser(this, this.#method, this.#cluster.maxResponseHeadersKb * 1024);
    try {
      this.#parser.read(bytes);
    } catch (error) {
      if (!(error instanceof MalformedResponse)) throw error;
      this.#fail('protocol error');
    }
  }

  onHead({ headers, isEmpty }: ResponseHead): void {
    this.#isEmpty = isEmpty;
    this.#idleMost = announcedIdle(headers.get('keep-alive'));
    this.#receiver.onHeaders(headers, isEmpty);
  }

  onBody(part: Uint8Array): void {
    this.#receiver.onData(new BodyBuffer(part), false);
  }

  onEnd(trailers: HeaderMap): void {
    if (this.#over) return;
    if (!this.#isEmpty) {
      if (this.#cluster.trailers && trailers.size > 0) this.#receiver.onTrailers(trailers);
      else this.#receiver.onData(new BodyBuffer(), true);
    }
    this.#finish();
  }

  onEnded(): void {
    this.#peerEnded = true;
    if (this.#parser?.finish() !== true) this.#fail(this.#cutReason());
  }

  onGone(error: Error | undefined): void {
    if (error instanceof ConnectTimeout) this.#fail('connection timeout');
    else this.#fail(this.#connected ? this.#cutReason() : 'remote connection failure');
  }

  /** A message that ends before its end is not HTTP; a connection that is reset is one that is gone. */
  #cutReason(): ResetReason {
    return this.#peerEnded && this.#parser !== undefined ? 'protocol error' : 'connection termination';
  }

  pause(): void {
    if (this.#parser !== undefined && !this.#over) this.#connection?.pause();
  }

  resume(): void {
    if (!this.#over) this.#connection?.resume();
  }

  cancel(): void {
    if (this.#over) return;
    this.#leave();
    this.#owner.release(this);
  }

  #fail(reason: ResetReason, started = true): void {
    if (this.#over) return;
    this.#leave();
    if (started) this.#owner.release(this);
    this.#receiver.onReset(reason);
  }

  /** Ends the connection: nobody reads the rest. */
  #leave(): void {
    this.#over = true;
    this.#parser?.drop();
    this.#connection?.destroy();
  }

  /** Answered: the connection is free if the request is out as well. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    const connection = this.#connection;
    if (connection !== undefined) {
      const kept = this.#sent && this.#head?.keepsAlive === true && this.#parser?.keepsAlive === true;
      if (kept && this.#idleMost > 0) this.#owner.giveBack(connection, this.#idleMost);
      else if (this.#sent) connection.end();
      else connection.destroy();
    }
    this.#owner.release(this);
  }
}

/** Ahead of the moment at which a server says that it ends a connection, in ms. */
const ahead = 1000;

/** How long a connection may wait, by what its server says. @returns ms */
function announcedIdle(keepAlive = ''): number {
  const seconds = /^timeout=(\d+)/.exec(keepAlive)?.[1];
  return seconds === undefined ? Infinity : Math.max(0, Number(seconds) * 1000 - ahead);
}
