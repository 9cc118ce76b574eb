import type { BodyBuffer } from '../body-buffer.ts';
import type { RequestSink } from '../codec.ts';
import { DataStatus, HeadersStatus, type LocalReply, type StreamFilter, TrailersStatus } from '../filter.ts';
import { HeaderMap } from '../header-map.ts';
import type { StreamInfo } from '../stream-info.ts';
import { type Direction, Entry, FilterChain } from './filter-chain.ts';
import { FilterPlace, type PlacedStream } from './filter-place.ts';
import { HangWatch } from './hang-watch.ts';
import type { StreamOptions } from './options.ts';
import { Pressure } from './pressure.ts';
import { ResponsePath, type ResponseStream } from './response-path.ts';
import { RouteCache } from './route-cache.ts';

const tooLarge: LocalReply = { status: 413, body: 'Payload Too Large', details: 'request_payload_too_large' };

/** One request on its way through the filters and back. (envoy: http/filter_manager.cc) */
export class FilterManager implements RequestSink, ResponseStream, PlacedStream, Direction {
  readonly direction = 'decode';
  readonly options: StreamOptions;
  readonly pressure = new Pressure();
  readonly #filters: readonly StreamFilter[];
  readonly decoding: FilterChain;
  readonly response: ResponsePath;
  readonly route: RouteCache;
  readonly #hangs: HangWatch;
  #requestComplete = false;
  /** How much of the request the last filter has seen. */
  #router: 'waiting' | 'receiving' | 'done' = 'waiting';
  /** A local reply that waits for the end of the callback that asked for it. */
  #prepared: LocalReply | undefined;
  #ended = false;

  constructor(options: StreamOptions) {
    this.options = options;
    this.route = new RouteCache(options);
    const filters: StreamFilter[] = [];
    const decoders: Entry[] = [];
    const places: FilterPlace[] = [];
    for (const { name, create } of options.filters) {
      const place = new FilterPlace(this);
      const filter = create(place);
      if (filter === undefined) continue;
      place.decode = new Entry(name, filter, filters.length);
      decoders.push(place.decode);
      filters.push(filter);
      places.push(place);
    }
    const encoders: Entry[] = [];
    for (let at = filters.length - 1; at >= 0; at--) {
      const entry = decoders[at];
      const place = places[at];
      if (entry === undefined || place === undefined) continue;
      place.encode = new Entry(entry.name, entry.filter, encoders.length);
      encoders.push(place.encode);
    }
    this.#filters = filters;
    this.decoding = new FilterChain(decoders, this, options.bufferLimit);
    this.response = new ResponsePath(encoders, this);
    this.#hangs = new HangWatch(this.decoding, this.response.chain, () => this.#requestComplete, options.logger);
  }

  get info(): StreamInfo {
    return this.options.info;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** The client has sent all of its request. */
  get isRequestComplete(): boolean {
    return this.#requestComplete;
  }

  decodeHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#received(endStream);
    this.route.find();
    this.decoding.headers(undefined, headers, endStream);
    this.look();
  }

  decodeData(data: BodyBuffer, endStream: boolean): void {
    if (this.#ended) return;
    this.info.bytesReceived += data.length;
    this.#received(endStream);
    this.decoding.data(undefined, data, endStream);
    this.look();
  }

  decodeTrailers(trailers: HeaderMap): void {
    if (this.#ended) return;
    this.info.requestTrailers = trailers;
    this.#received(true);
    this.decoding.trailers(undefined, trailers);
    this.look();
  }

  #received(endStream: boolean): void {
    if (endStream) this.#requestComplete = true;
    this.options.onActivity();
  }

  onReset(details: string): void {
    if (this.#ended) return;
    this.info.responseCodeDetails = details;
    this.info.responseFlags.add('DC');
    this.end();
  }

  /** Answers a request that no filter sees. */
  refuse(reply: LocalReply, endStream: boolean): void {
    this.#requestComplete = endStream;
    this.sendLocalReply(reply);
  }

  /** Through the filters; past them where they have seen a response; a reset where the client has. */
  sendLocalReply(reply: LocalReply): void {
    if (this.#ended) return;
    if (reply.flag !== undefined) this.info.responseFlags.add(reply.flag);
    this.info.responseCodeDetails = reply.details;
    const inDecoding = this.decoding.calling !== undefined;
    if (inDecoding) this.decoding.aborted = true;
    else if (this.response.chain.calling !== undefined) this.response.chain.aborted = true;
    if (this.info.responseHeaders === undefined) {
      this.route.find();
      if (inDecoding) this.#prepared ??= reply;
      else this.response.reply(reply);
    } else if (this.response.hasStarted) {
      this.resetStream(reply.details);
    } else {
      this.response.replyDirectly(reply);
    }
  }

  resetStream(details: string): void {
    if (this.#ended) return;
    this.info.responseCodeDetails = details;
    this.options.response.reset();
    this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#hangs.stop();
    this.info.endTime = performance.timeOrigin + performance.now();
    // In a turn of its own, as Envoy does: the callback that ended the stream is still running.
    setImmediate(() => {
      for (const filter of this.#filters) filter.onLog?.();
      this.options.onComplete();
      for (const filter of this.#filters) filter.onDestroy?.();
    });
  }

  look(): void {
    if (!this.#ended) this.#hangs.look();
  }

  callHeaders(filter: StreamFilter, headers: HeaderMap, endStream: boolean): HeadersStatus {
    this.#noteRouter(filter, endStream);
    return filter.decodeHeaders?.(headers, endStream) ?? HeadersStatus.Continue;
  }

  callData(filter: StreamFilter, data: BodyBuffer, endStream: boolean): DataStatus {
    this.#noteRouter(filter, endStream);
    return filter.decodeData?.(data, endStream) ?? DataStatus.Continue;
  }

  callTrailers(filter: StreamFilter, trailers: HeaderMap): TrailersStatus {
    this.#noteRouter(filter, true);
    return filter.decodeTrailers?.(trailers) ?? TrailersStatus.Continue;
  }

  #noteRouter(filter: StreamFilter, endStream: boolean): void {
    if (filter === this.#filters.at(-1)) this.#router = endStream ? 'done' : 'receiving';
  }

  sendHeaders(): void {
    // The router is the last filter: nothing is behind it. So it is with the others.
  }

  sendData(): void {
    // as sendHeaders
  }

  sendTrailers(): void {
    // as sendHeaders
  }

  currentHeaders(): HeaderMap {
    return this.info.requestHeaders;
  }

  currentTrailers(): HeaderMap | undefined {
    return this.info.requestTrailers;
  }

  createTrailers(): HeaderMap {
    return (this.info.requestTrailers = new HeaderMap());
  }

  isWhole(): boolean {
    return this.#requestComplete;
  }

  isOver(): boolean {
    return this.response.isComplete || this.#ended;
  }

  afterAbort(): void {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    this.response.cutsRequest = this.#router === 'receiving';
    if (prepared !== undefined) this.response.reply(prepared);
  }

  onTooMuch(streaming: boolean): void {
    if (streaming) this.options.response.pauseReading();
    else this.sendLocalReply(tooLarge);
  }

  onDrained(): void {
    this.options.response.resumeReading();
  }

  onIterated(): void {
    this.options.onRequestDone();
  }
}
