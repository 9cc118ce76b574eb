// The interfaces between the filter manager, filters and the router. (envoy: envoy/http/filter.h)
import type { BodyBuffer } from './body-buffer.ts';
import type { Route } from './config/route.ts';
import type { HeaderMap } from './header-map.ts';
import type { StreamInfo } from './stream-info.ts';

export const HeadersStatus = {
  Continue: 0,
  StopIteration: 1,
  ContinueAndDontEndStream: 2,
  StopAllIterationAndBuffer: 3,
  StopAllIterationAndWatermark: 4,
} as const;
export type HeadersStatus = (typeof HeadersStatus)[keyof typeof HeadersStatus];

export const DataStatus = {
  Continue: 0,
  StopIterationAndBuffer: 1,
  StopIterationAndWatermark: 2,
  StopIterationNoBuffer: 3,
} as const;
export type DataStatus = (typeof DataStatus)[keyof typeof DataStatus];

export const TrailersStatus = { Continue: 0, StopIteration: 1 } as const;
export type TrailersStatus = (typeof TrailersStatus)[keyof typeof TrailersStatus];

/** Answered instead of an upstream. */
export interface LocalReply {
  readonly status: number;
  readonly body: Uint8Array | string;
  /** Added behind `:status`; content-type and content-length are made where they are missing. */
  readonly headers?: HeaderMap;
  /** RESPONSE_CODE_DETAILS */
  readonly details: string;
  /** Sent as trailers-only where the request is gRPC; undefined: derived from the status. */
  readonly grpcStatus?: number;
  /** Response flags, such as `UF`. */
  readonly flag?: string;
}

/** One filter of one stream. What a filter does not implement lets everything pass. */
export interface StreamFilter {
  decodeHeaders?(headers: HeaderMap, endStream: boolean): HeadersStatus;
  decodeData?(data: BodyBuffer, endStream: boolean): DataStatus;
  decodeTrailers?(trailers: HeaderMap): TrailersStatus;
  encodeHeaders?(headers: HeaderMap, endStream: boolean): HeadersStatus;
  encodeData?(data: BodyBuffer, endStream: boolean): DataStatus;
  encodeTrailers?(trailers: HeaderMap): TrailersStatus;
  /** When the stream is over and before any filter is destroyed: the place of the access log. */
  onLog?(): void;
  /** The stream is gone: answered, or left by its client. Nothing may be called through the callbacks afterwards. */
  onDestroy?(): void;
  /** Asked of a filter that has stopped: why nothing will make it resume, or undefined where something may. */
  explainStop?(): string | undefined;
}

/** Made once for each stream and place in the chain. `undefined`: this stream goes without the filter. */
export type FilterFactory = (callbacks: FilterCallbacks) => StreamFilter | undefined;

/** What a filter can do to its stream. Everything acts at once. */
export interface FilterCallbacks {
  readonly info: StreamInfo;
  /** The route of the headers as they are, looked up once and kept until the cache is cleared. */
  route(): Route | undefined;
  clearRouteCache(): void;

  /** Iterates on behind this filter. @throws HostAssertion where this filter had not stopped */
  continueDecoding(): void;
  continueEncoding(): void;

  /** What has been held of the body so far, by whichever filter: one buffer for a direction of a stream. */
  decodingBuffer(): BodyBuffer | undefined;
  encodingBuffer(): BodyBuffer | undefined;
  /** A filter has written to it: where it is more than the limit now, the stream is answered at once. */
  decodingBufferWritten(): void;
  encodingBufferWritten(): void;
  /** Adds to the held body; inside a data callback the caller then returns StopIterationAndBuffer or Continue. */
  addDecodedData(data: BodyBuffer): void;
  addEncodedData(data: BodyBuffer): void;
  /** Only in the data callback that ends the stream. */
  addDecodedTrailers(): HeaderMap;
  addEncodedTrailers(): HeaderMap;

  /** Through the encoder chain, or straight to the client where response headers were seen, or a reset where they were sent. */
  sendLocalReply(reply: LocalReply): void;
  /** Cuts the client off. */
  resetStream(details: string): void;

  /** A body above this is refused, or held back where a filter asked for that; bytes. */
  readonly bufferLimit: number;
  /** How far the stream is; a local reply depends on it. */
  responseStarted(): boolean;

  /** For the terminal filter: the response of its upstream, which passes the encoder filters from last to first. */
  encodeHeaders(headers: HeaderMap, endStream: boolean): void;
  encodeData(data: BodyBuffer, endStream: boolean): void;
  encodeTrailers(trailers: HeaderMap): void;
  /** For the terminal filter: pauses and resumes the reading of the client's body. */
  pauseDownstream(): void;
  resumeDownstream(): void;
  /** For the terminal filter: told when the client is slow to read, and when it has caught up. */
  onDownstreamPressure(listener: (slow: boolean) => void): void;
}
