import type { BodyBuffer } from '../body-buffer.ts';
import { DataStatus, HeadersStatus, type LocalReply, type StreamFilter, TrailersStatus } from '../filter.ts';
import { HeaderMap } from '../header-map.ts';
import { type Direction, type Entry, FilterChain } from './filter-chain.ts';
import { responseOf } from './local-reply.ts';
import type { StreamOptions } from './options.ts';
import type { Pressure } from './pressure.ts';

/** What the response has to know of its stream, and tell it. */
export interface ResponseStream {
  readonly options: StreamOptions;
  readonly pressure: Pressure;
  readonly isEnded: boolean;
  readonly isRequestComplete: boolean;
  sendLocalReply(reply: LocalReply): void;
  /** The response is out, to its end. */
  end(): void;
}

/** The way back: from the router, or from a local reply, through the filters to the client. */
export class ResponsePath implements Direction {
  readonly direction = 'encode';
  readonly chain: FilterChain;
  /** Whole, as far as the router or a local reply goes. */
  isComplete = false;
  /** Its headers have gone to the client. */
  hasStarted = false;
  /** Answered by a filter in the middle of what the router was being given. */
  cutsRequest = false;
  readonly #stream: ResponseStream;
  #encoded = false;

  constructor(entries: readonly Entry[], stream: ResponseStream) {
    this.#stream = stream;
    this.chain = new FilterChain(entries, this, stream.options.bufferLimit);
    stream.options.response.onPressure((slow) => {
      stream.pressure.tell(slow);
    });
  }

  headers(headers: HeaderMap, endStream: boolean): void {
    const { info, onActivity, onRequestDone } = this.#stream.options;
    if (this.#stream.isEnded || this.isComplete) return;
    onActivity();
    onRequestDone();
    info.responseHeaders = headers;
    info.responseCode = Number(headers.get(':status'));
    this.isComplete = endStream;
    this.chain.headers(undefined, headers, endStream);
  }

  data(data: BodyBuffer, endStream: boolean): void {
    if (this.#stream.isEnded) return;
    this.#stream.options.onActivity();
    if (endStream) this.isComplete = true;
    this.chain.data(undefined, data, endStream);
  }

  trailers(trailers: HeaderMap): void {
    const { info, onActivity } = this.#stream.options;
    if (this.#stream.isEnded) return;
    onActivity();
    info.responseTrailers = trailers;
    this.isComplete = true;
    this.chain.trailers(undefined, trailers);
  }

  /** Through all filters, also the one that has asked for it. */
  reply(reply: LocalReply): void {
    const { headers, body } = responseOf(reply, { headers: this.#stream.options.info.requestHeaders });
    this.headers(headers, body.length === 0);
    if (body.length > 0) this.data(body, true);
  }

  /** Past the filters: response headers are among them, and they must not see another response. */
  replyDirectly(reply: LocalReply): void {
    const { info } = this.#stream.options;
    const { headers, body } = responseOf(reply, { headers: info.requestHeaders });
    this.isComplete = true;
    info.responseHeaders = headers;
    this.sendHeaders(headers, body.length === 0);
    if (body.length > 0) this.sendData(body, true);
  }

  sendHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.#stream.isEnded || this.#encoded) return;
    const { info, response, finishResponse } = this.#stream.options;
    const status = Number(headers.get(':status'));
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      this.replyDirectly(withoutStatus);
      return;
    }
    this.hasStarted = true;
    info.responseCode = status;
    finishResponse(headers);
    // Over HTTP/1.1 the rest of the request would have to be read, and nobody wants it.
    if (!this.#stream.isRequestComplete || this.cutsRequest) response.closeAfterResponse();
    response.encodeHeaders(headers, endStream);
    if (endStream) this.#end();
  }

  sendData(data: BodyBuffer, endStream: boolean): void {
    if (this.#stream.isEnded || this.#encoded) return;
    const { info, response } = this.#stream.options;
    info.bytesSent += data.length;
    response.encodeData(data, endStream);
    if (endStream) this.#end();
  }

  sendTrailers(trailers: HeaderMap): void {
    if (this.#stream.isEnded || this.#encoded) return;
    this.#stream.options.response.encodeTrailers(trailers);
    this.#end();
  }

  #end(): void {
    this.#encoded = true;
    if (!this.#stream.isRequestComplete) this.#stream.options.response.closeAfterResponse();
    this.#stream.end();
  }

  callHeaders(filter: StreamFilter, headers: HeaderMap, endStream: boolean): HeadersStatus {
    return filter.encodeHeaders?.(headers, endStream) ?? HeadersStatus.Continue;
  }

  callData(filter: StreamFilter, data: BodyBuffer, endStream: boolean): DataStatus {
    return filter.encodeData?.(data, endStream) ?? DataStatus.Continue;
  }

  callTrailers(filter: StreamFilter, trailers: HeaderMap): TrailersStatus {
    return filter.encodeTrailers?.(trailers) ?? TrailersStatus.Continue;
  }

  currentHeaders(): HeaderMap {
    return this.#stream.options.info.responseHeaders ?? new HeaderMap();
  }

  currentTrailers(): HeaderMap | undefined {
    return this.#stream.options.info.responseTrailers;
  }

  createTrailers(): HeaderMap {
    return (this.#stream.options.info.responseTrailers = new HeaderMap());
  }

  isWhole(): boolean {
    return this.isComplete;
  }

  isOver(): boolean {
    return this.#encoded || this.#stream.isEnded;
  }

  afterAbort(): void {
    // The local reply was sent at once.
  }

  onTooMuch(streaming: boolean): void {
    if (streaming) this.#stream.pressure.tell(true);
    else this.#stream.sendLocalReply(tooLarge);
  }

  onDrained(): void {
    this.#stream.pressure.tell(false);
  }

  onIterated(): void {
    // Nobody waits for it.
  }
}

const tooLarge: LocalReply = { status: 500, body: 'Internal Server Error', details: 'response_payload_too_large' };

/** Filters have left a response that is none. (envoy: checkRequiredResponseHeaders) */
const withoutStatus: LocalReply = {
  status: 502,
  body: 'missing required header: :status',
  details: 'filter_removed_required_response_headers{missing_required_header:_:status}',
};
