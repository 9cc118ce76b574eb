import type { BodyBuffer } from './body-buffer.ts';
import type { HeaderMap } from './header-map.ts';

/** The client's side of one request, whatever its protocol: what the filter manager writes to. (envoy: ResponseEncoder) */
export interface ResponseSink {
  encodeHeaders(headers: HeaderMap, endStream: boolean): void;
  encodeData(data: BodyBuffer, endStream: boolean): void;
  encodeTrailers(trailers: HeaderMap): void;
  /** 100 Continue and other informational ones. */
  encodeInformational(headers: HeaderMap): void;
  /** RST_STREAM, or the end of the connection. */
  reset(): void;
  /** Stops and goes on reading the request's body. */
  pauseReading(): void;
  resumeReading(): void;
  /** The response is complete although the request is not: over HTTP/1.1 the connection ends. */
  closeAfterResponse(): void;
  /** Tells when the client is slow to read, and when it has caught up. */
  onPressure(listener: (slow: boolean) => void): void;
}

/** The gateway's side of one request: what a codec reads into. (envoy: RequestDecoder) */
export interface RequestSink {
  decodeHeaders(headers: HeaderMap, endStream: boolean): void;
  decodeData(data: BodyBuffer, endStream: boolean): void;
  decodeTrailers(trailers: HeaderMap): void;
  /** The client has gone, or reset the stream. */
  onReset(details: string): void;
}
