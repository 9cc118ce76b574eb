import type { BodyBuffer } from '../body-buffer.ts';
import type { HostPort } from '../config/model.ts';
import type { HeaderMap } from '../header-map.ts';

/** Why a request to an upstream came to nothing, as Envoy's replies and details name it. (envoy: utility.cc resetReasonToString) */
export type ResetReason =
  | 'remote connection failure'
  | 'connection timeout'
  | 'connection termination'
  | 'remote reset'
  | 'remote refused stream reset'
  | 'protocol error'
  | 'overflow';

/** What an upstream sends back. */
export interface ResponseReceiver {
  /** A connection has been found; `host` is its other end. */
  onConnected(host: HostPort): void;
  onHeaders(headers: HeaderMap, endStream: boolean): void;
  onData(data: BodyBuffer, endStream: boolean): void;
  onTrailers(trailers: HeaderMap): void;
  /** The end of it, before or after headers; nothing follows. */
  onReset(reason: ResetReason): void;
  /** The upstream is slow to read, or has caught up. */
  onPressure(slow: boolean): void;
}

/** One request to an upstream, whatever its protocol. */
export interface UpstreamExchange {
  sendHeaders(headers: HeaderMap, endStream: boolean): void;
  sendData(data: BodyBuffer, endStream: boolean): void;
  sendTrailers(trailers: HeaderMap): void;
  /** Nobody wants the answer any more: nothing is reported after this. */
  cancel(): void;
  /** Stops and goes on reading the response. */
  pause(): void;
  resume(): void;
}

/** Connections of one worker to one cluster. */
export interface Pool {
  /** The circuit breakers of the cluster allow no more requests. */
  readonly isFull: boolean;
  /** @param asked headers of the request, as its endpoint is chosen by them; sent by `sendHeaders` */
  exchange(receiver: ResponseReceiver, asked: HeaderMap): UpstreamExchange;
  close(): void;
}
