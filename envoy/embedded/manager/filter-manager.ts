import { BodyBuffer } from '../body-buffer.ts';
import type { RequestSink, ResponseSink } from '../codec.ts';
import type { Route } from '../config/model.ts';
import {
  DataStatus,
  type FilterCallbacks,
  type FilterFactory,
  HeadersStatus,
  type LocalReply,
  type StreamFilter,
  TrailersStatus,
} from '../filter.ts';
import { HeaderMap } from '../header-map.ts';
import type { Logger } from '../log.ts';
import type { StreamInfo } from '../stream-info.ts';
import { type Direction, Entry, FilterChain } from './filter-chain.ts';
import { HangWatch } from './hang-watch.ts';
import { responseOf } from './local-reply.ts';

export interface NamedFactory {
  readonly name: string;
  readonly create: FilterFactory;
}

export interface StreamOptions {
  readonly info: StreamInfo;
  readonly response: ResponseSink;
  /** In the order of the configuration, the router last. */
  readonly filters: readonly NamedFactory[];
  readonly findRoute: (headers: HeaderMap) => { readonly route: Route; readonly virtualHost: string } | undefined;
  /** Of a body that filters hold, in bytes. */
  readonly bufferLimit: number;
  readonly logger: Logger;
  /** A route was found for the headers as they are, or none. */
  readonly onRoute: (route: Route | undefined) => void;
  /** Something happened on the stream: it is not idle. */
  readonly onActivity: () => void;
  /** The filters have seen the end of the request, or it is answered. */
  readonly onRequestDone: () => void;
  /** Before response headers leave: what a connection manager adds to every response. */
  readonly finishResponse: (headers: HeaderMap, local: boolean) => void;
  /** Once: after all filters have seen the end, before they are destroyed. */
  readonly onComplete: () => void;
}

/** One request on its way through the filters and back. (envoy: http/filter_manager.cc) */
export class FilterManager implements RequestSink {
  readonly #options: StreamOptions;
  readonly #filters: readonly StreamFilter[];
  readonly #decoding: FilterChain;
  readonly #encoding: FilterChain;
  readonly #hangs: HangWatch;
  readonly #pressure: ((slow: boolean) => void)[] = [];
  #route: Route | undefined;
  #routeKnown = false;
  /** The client has sent all of its request. */
  #requestComplete = false;
  /** The response is whole, as far as the router or a local reply goes. */
  #responseComplete = false;
  /** The response has been handed to the codec, to its end. */
  #encoded = false;
  #headersEncoded = false;
  #local = false;
  /** How much of the request the last filter has seen. */
  #router: 'waiting' | 'receiving' | 'done' = 'waiting';
  /** Answered by a filter in the middle of what the last one was being given. */
  #cutOff = false;
  #prepared: (() => void) | undefined;
  #ended = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    const made = options.filters.map(({ name, create }, index) => {
      const entries: { decode?: Entry; encode?: Entry } = {};
      return { name, entries, filter: create(this.#callbacks(entries)), index };
    });
    const present = made.flatMap(({ filter, ...rest }) => (filter === undefined ? [] : [{ ...rest, filter }]));
    const decoders = present.map(({ name, filter, entries }, index) => {
      return (entries.decode = new Entry(name, filter, index));
    });
    const encoders = present.reverse().map(({ name, filter, entries }, index) => {
      return (entries.encode = new Entry(name, filter, index));
    });
    this.#filters = decoders.map(({ filter }) => filter);
    this.#decoding = new FilterChain(decoders, this.#decodeDirection(), options.bufferLimit);
    this.#encoding = new FilterChain(encoders, this.#encodeDirection(), options.bufferLimit);
    this.#hangs = new HangWatch(this.#decoding, this.#encoding, () => this.#requestComplete, options.logger);
    options.response.onPressure((slow) => {
      for (const listener of this.#pressure) listener(slow);
    });
  }

  get info(): StreamInfo {
    return this.#options.info;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  get isRequestComplete(): boolean {
    return this.#requestComplete;
  }

  decodeHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#received(endStream);
    this.#findRoute();
    this.#decoding.headers(undefined, headers, endStream);
    this.#settle();
  }

  decodeData(data: BodyBuffer, endStream: boolean): void {
    if (this.#ended) return;
    this.info.bytesReceived += data.length;
    this.#received(endStream);
    this.#decoding.data(undefined, data, endStream);
    this.#settle();
  }

  decodeTrailers(trailers: HeaderMap): void {
    if (this.#ended) return;
    this.info.requestTrailers = trailers;
    this.#received(true);
    this.#decoding.trailers(undefined, trailers);
    this.#settle();
  }

  #received(endStream: boolean): void {
    if (endStream) this.#requestComplete = true;
    this.#options.onActivity();
  }

  onReset(details: string): void {
    if (this.#ended) return;
    this.info.responseCodeDetails = details;
    this.info.responseFlags.add('DC');
    this.#end();
  }

  /** What Envoy itself answers, outside of any filter's callback. */
  sendLocalReply(reply: LocalReply): void {
    if (this.#ended) return;
    if (reply.flag !== undefined) this.info.responseFlags.add(reply.flag);
    this.info.responseCodeDetails = reply.details;
    if (this.#decoding.calling !== undefined) this.#decoding.aborted = true;
    else if (this.#encoding.calling !== undefined) this.#encoding.aborted = true;
    if (this.info.responseHeaders === undefined) {
      this.#local = true;
      this.#findRoute();
      if (this.#decoding.calling === undefined) this.#replyThroughFilters(reply);
      else
        this.#prepared ??= () => {
          this.#replyThroughFilters(reply);
        };
    } else if (!this.#headersEncoded) {
      this.#replyDirectly(reply);
    } else {
      this.resetStream(reply.details);
    }
  }

  #replyThroughFilters(reply: LocalReply): void {
    const { headers, body } = responseOf(reply, { headers: this.info.requestHeaders });
    this.#encodeHeaders(headers, body.length === 0);
    if (body.length > 0) this.#encodeData(body, true);
  }

  /** Response headers are among the filters: they must not see another response. */
  #replyDirectly(reply: LocalReply): void {
    const { headers, body } = responseOf(reply, { headers: this.info.requestHeaders });
    this.#local = true;
    this.#responseComplete = true;
    this.info.responseHeaders = headers;
    this.#sendHeaders(headers, body.length === 0);
    if (body.length > 0) this.#sendData(body, true);
  }

  resetStream(details: string): void {
    if (this.#ended) return;
    this.info.responseCodeDetails = details;
    this.#options.response.reset();
    this.#end();
  }

  #encodeHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.#ended || this.#responseComplete) return;
    this.#options.onActivity();
    this.#options.onRequestDone();
    this.info.responseHeaders = headers;
    this.info.responseCode = Number(headers.get(':status'));
    this.#responseComplete = endStream;
    this.#encoding.headers(undefined, headers, endStream);
    this.#settle();
  }

  #encodeData(data: BodyBuffer, endStream: boolean): void {
    if (this.#ended) return;
    this.#options.onActivity();
    if (endStream) this.#responseComplete = true;
    this.#encoding.data(undefined, data, endStream);
    this.#settle();
  }

  #encodeTrailers(trailers: HeaderMap): void {
    if (this.#ended) return;
    this.#options.onActivity();
    this.info.responseTrailers = trailers;
    this.#responseComplete = true;
    this.#encoding.trailers(undefined, trailers);
    this.#settle();
  }

  #sendHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.#ended || this.#encoded) return;
    const status = Number(headers.get(':status'));
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      // The filters have left a response that is none. (envoy: checkRequiredResponseHeaders)
      this.#replyDirectly({
        status: 502,
        body: 'missing required header: :status',
        details: 'filter_removed_required_response_headers{missing_required_header:_:status}',
      });
      return;
    }
    this.#headersEncoded = true;
    this.info.responseCode = status;
    this.#options.finishResponse(headers, this.#local);
    // Over HTTP/1.1 the rest of the request would have to be read, and nobody wants it.
    if (!this.#requestComplete || this.#cutOff) this.#options.response.closeAfterResponse();
    this.#options.response.encodeHeaders(headers, endStream);
    if (endStream) this.#endEncoding();
  }

  #sendData(data: BodyBuffer, endStream: boolean): void {
    if (this.#ended || this.#encoded) return;
    this.info.bytesSent += data.length;
    this.#options.response.encodeData(data, endStream);
    if (endStream) this.#endEncoding();
  }

  #endEncoding(): void {
    this.#encoded = true;
    if (!this.#requestComplete) this.#options.response.closeAfterResponse();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#hangs.stop();
    this.info.endTime = performance.timeOrigin + performance.now();
    // In a turn of its own, as Envoy does: the callback that ended the stream is still running.
    setImmediate(() => {
      for (const filter of this.#filters) filter.onLog?.();
      this.#options.onComplete();
      for (const filter of this.#filters) filter.onDestroy?.();
    });
  }

  #settle(): void {
    if (!this.#ended) this.#hangs.look();
  }

  #findRoute(): Route | undefined {
    if (this.#routeKnown) return this.#route;
    this.#routeKnown = true;
    const found = this.#options.findRoute(this.info.requestHeaders);
    this.#route = found?.route;
    this.info.routeName = found?.route.name;
    this.info.virtualHost = found?.virtualHost;
    const action = found?.route.action;
    const byName = action?.kind === 'route' && action.cluster.kind === 'name';
    this.info.upstreamCluster = byName ? action.cluster.value : undefined;
    this.#options.onRoute(this.#route);
    return this.#route;
  }

  #noteRouter(filter: StreamFilter, endStream: boolean): void {
    if (filter === this.#filters.at(-1)) this.#router = endStream ? 'done' : 'receiving';
  }

  #decodeDirection(): Direction {
    const { info, response } = this.#options;
    return {
      name: 'decode',
      callHeaders: (filter, headers, end) => {
        this.#noteRouter(filter, end);
        return filter.decodeHeaders?.(headers, end) ?? HeadersStatus.Continue;
      },
      callData: (filter, data, end) => {
        this.#noteRouter(filter, end);
        return filter.decodeData?.(data, end) ?? DataStatus.Continue;
      },
      callTrailers: (filter, trailers) => {
        this.#noteRouter(filter, true);
        return filter.decodeTrailers?.(trailers) ?? TrailersStatus.Continue;
      },
      // The router is the last filter: nothing is behind it.
      sendHeaders: () => undefined,
      sendData: () => undefined,
      sendTrailers: () => undefined,
      headers: () => info.requestHeaders,
      trailers: () => info.requestTrailers,
      createTrailers: () => (info.requestTrailers = new HeaderMap()),
      isComplete: () => this.#requestComplete,
      isOver: () => this.#responseComplete || this.#ended,
      afterAbort: () => {
        const prepared = this.#prepared;
        this.#cutOff = this.#router === 'receiving';
        this.#prepared = undefined;
        prepared?.();
      },
      onTooMuch: (streaming) => {
        if (streaming) response.pauseReading();
        else this.sendLocalReply({ status: 413, body: 'Payload Too Large', details: 'request_payload_too_large' });
      },
      onDrained: () => {
        response.resumeReading();
      },
      onIterated: () => {
        this.#options.onRequestDone();
      },
    };
  }

  #encodeDirection(): Direction {
    const { info } = this.#options;
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
        if (this.#ended || this.#encoded) return;
        this.#options.response.encodeTrailers(trailers);
        this.#endEncoding();
      },
      headers: () => info.responseHeaders ?? new HeaderMap(),
      trailers: () => info.responseTrailers,
      createTrailers: () => (info.responseTrailers = new HeaderMap()),
      isComplete: () => this.#responseComplete,
      isOver: () => this.#encoded || this.#ended,
      afterAbort: () => undefined,
      onTooMuch: (streaming) => {
        if (streaming) {
          for (const listener of this.#pressure) listener(true);
          return;
        }
        this.sendLocalReply({ status: 500, body: 'Internal Server Error', details: 'response_payload_too_large' });
      },
      onDrained: () => {
        for (const listener of this.#pressure) listener(false);
      },
      onIterated: () => undefined,
    };
  }

  /** What one filter can do; its entries are known once all filters have been made. */
  #callbacks(entries: { decode?: Entry; encode?: Entry }): FilterCallbacks {
    const unless = (entry: Entry | undefined, act: (entry: Entry) => void): void => {
      if (entry !== undefined && !this.#ended) act(entry);
      this.#settle();
    };
    const { response } = this.#options;
    return {
      info: this.#options.info,
      bufferLimit: this.#options.bufferLimit,
      responseStarted: () => this.#headersEncoded,
      route: () => this.#findRoute(),
      clearRouteCache: () => {
        this.#routeKnown = false;
      },
      continueDecoding: () => {
        unless(entries.decode, (entry) => {
          this.#decoding.continue(entry);
        });
      },
      continueEncoding: () => {
        unless(entries.encode, (entry) => {
          this.#encoding.continue(entry);
        });
      },
      decodingBuffer: () => this.#decoding.buffered,
      encodingBuffer: () => this.#encoding.buffered,
      addDecodedData: (data) => {
        unless(entries.decode, (entry) => {
          this.#decoding.add(entry, data);
        });
      },
      addEncodedData: (data) => {
        unless(entries.encode, (entry) => {
          this.#encoding.add(entry, data);
        });
      },
      addDecodedTrailers: () => this.#decoding.addTrailers(required(entries.decode)),
      addEncodedTrailers: () => this.#encoding.addTrailers(required(entries.encode)),
      sendLocalReply: (reply) => {
        this.sendLocalReply(reply);
      },
      resetStream: (details) => {
        this.resetStream(details);
      },
      encodeHeaders: (headers, endStream) => {
        this.#encodeHeaders(headers, endStream);
      },
      encodeData: (data, endStream) => {
        this.#encodeData(data, endStream);
      },
      encodeTrailers: (trailers) => {
        this.#encodeTrailers(trailers);
      },
      pauseDownstream: () => {
        response.pauseReading();
      },
      resumeDownstream: () => {
        response.resumeReading();
      },
      onDownstreamPressure: (listener) => this.#pressure.push(listener),
    };
  }
}

function required(entry: Entry | undefined): Entry {
  if (entry === undefined) throw new RangeError('a filter acts before its stream has begun');
  return entry;
}
