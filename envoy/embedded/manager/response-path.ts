import type { BodyBuffer } from '../body-buffer.ts';
import { DataStatus, HeadersStatus, type LocalReply, TrailersStatus } from '../filter.ts';
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
export class ResponsePath {
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
    this.chain = new FilterChain(entries, this.#direction(), stream.options.bufferLimit);
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
    this.#sendHeaders(headers, body.length === 0);
    if (body.length > 0) this.#sendData(body, true);
  }

  #sendHeaders(headers: HeaderMap, endStream: boolean): void {
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

  #sendData(data: BodyBuffer, endStream: boolean): void {
    if (this.#stream.isEnded || this.#encoded) return;
    const { info, response } = this.#stream.options;
    info.bytesSent += data.length;
    response.encodeData(data, endStream);
    if (endStream) this.#end();
  }

  #sendTrailers(trailers: HeaderMap): void {
    if (this.#stream.isEnded || this.#encoded) return;
    this.#stream.options.response.encodeTrailers(trailers);
    this.#end();
  }

  #end(): void {
    this.#encoded = true;
    if (!this.#stream.isRequestComplete) this.#stream.options.response.closeAfterResponse();
    this.#stream.end();
  }

  #direction(): Direction {
    const { info } = this.#stream.options;
    return {
      name: 'encode',
      callHeaders: (filter, headers, end) => filter.encodeHeaders?.(headers, end) ?? HeadersStatus.Continue,
      callData: (filter, data, end) => filter.encodeData?.(data, end) ?? DataStatus.Continue,
      callTrailers: (filter, trailers) => filter.encodeTrailers?.(trailers) ?? TrailersStatus.Continue,
      sendHeaders: (headers, endStream) => {
        this.#sendHeaders(headers, endStream);
      },
      sendData: (data, endStream) => {
        this.#sendData(data, endStream);
      },
      sendTrailers: (trailers) => {
        this.#sendTrailers(trailers);
      },
      headers: () => info.responseHeaders ?? new HeaderMap(),
      trailers: () => info.responseTrailers,
      createTrailers: () => (info.responseTrailers = new HeaderMap()),
      isComplete: () => this.isComplete,
      isOver: () => this.#encoded || this.#stream.isEnded,
      afterAbort: () => undefined,
      onTooMuch: (streaming) => {
        if (streaming) this.#stream.pressure.tell(true);
        else this.#stream.sendLocalReply(tooLarge);
      },
      onDrained: () => {
        this.#stream.pressure.tell(false);
      },
      onIterated: () => undefined,
    };
  }
}

const tooLarge: LocalReply = { status: 500, body: 'Internal Server Error', details: 'response_payload_too_large' };

/** Filters have left a response that is none. (envoy: checkRequiredResponseHeaders) */
const withoutStatus: LocalReply = {
  status: 502,
  body: 'missing required header: :status',
  details: 'filter_removed_required_response_headers{missing_required_header:_:status}',
};
