import type { BodyBuffer } from '../body-buffer.ts';
import type { Route } from '../config/route.ts';
import type { FilterCallbacks, LocalReply } from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';
import type { StreamInfo } from '../stream-info.ts';
import type { Entry, FilterChain } from './filter-chain.ts';
import type { StreamOptions } from './options.ts';
import type { Pressure } from './pressure.ts';
import type { ResponsePath } from './response-path.ts';
import type { RouteCache } from './route-cache.ts';

/** What a filter acts on. */
export interface PlacedStream {
  readonly options: StreamOptions;
  readonly isEnded: boolean;
  readonly route: RouteCache;
  readonly decoding: FilterChain;
  readonly response: ResponsePath;
  readonly pressure: Pressure;
  sendLocalReply(reply: LocalReply): void;
  resetStream(details: string): void;
  /** Something has happened: nothing else may be left that would. */
  look(): void;
}

/** What one filter can do to its stream, by its places in the two chains. */
export class FilterPlace implements FilterCallbacks {
  readonly info: StreamInfo;
  readonly bufferLimit: number;
  /** Set once all filters have been made. */
  decode: Entry | undefined;
  encode: Entry | undefined;
  readonly #stream: PlacedStream;

  constructor(stream: PlacedStream) {
    this.#stream = stream;
    this.info = stream.options.info;
    this.bufferLimit = stream.options.bufferLimit;
  }

  responseStarted(): boolean {
    return this.#stream.response.hasStarted;
  }

  route(): Route | undefined {
    return this.#stream.route.find();
  }

  clearRouteCache(): void {
    this.#stream.route.clear();
  }

  continueDecoding(): void {
    if (this.decode !== undefined && !this.#stream.isEnded) this.#stream.decoding.continue(this.decode);
    this.#stream.look();
  }

  continueEncoding(): void {
    if (this.encode !== undefined && !this.#stream.isEnded) this.#stream.response.chain.continue(this.encode);
    this.#stream.look();
  }

  decodingBuffer(): BodyBuffer | undefined {
    return this.#stream.decoding.buffered;
  }

  encodingBuffer(): BodyBuffer | undefined {
    return this.#stream.response.chain.buffered;
  }

  decodingBufferWritten(): void {
    if (!this.#stream.isEnded) this.#stream.decoding.checkLimit();
    this.#stream.look();
  }

  encodingBufferWritten(): void {
    if (!this.#stream.isEnded) this.#stream.response.chain.checkLimit();
    this.#stream.look();
  }

  addDecodedData(data: BodyBuffer): void {
    if (this.decode !== undefined && !this.#stream.isEnded) this.#stream.decoding.add(this.decode, data);
    this.#stream.look();
  }

  addEncodedData(data: BodyBuffer): void {
    if (this.encode !== undefined && !this.#stream.isEnded) this.#stream.response.chain.add(this.encode, data);
    this.#stream.look();
  }

  addDecodedTrailers(): HeaderMap {
    return this.#stream.decoding.addTrailers(required(this.decode));
  }

  addEncodedTrailers(): HeaderMap {
    return this.#stream.response.chain.addTrailers(required(this.encode));
  }

  sendLocalReply(reply: LocalReply): void {
    this.#stream.sendLocalReply(reply);
    this.#stream.look();
  }

  resetStream(details: string): void {
    this.#stream.resetStream(details);
  }

  encodeHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#stream.response.headers(headers, endStream);
    this.#stream.look();
  }

  encodeData(data: BodyBuffer, endStream: boolean): void {
    this.#stream.response.data(data, endStream);
    this.#stream.look();
  }

  encodeTrailers(trailers: HeaderMap): void {
    this.#stream.response.trailers(trailers);
    this.#stream.look();
  }

  pauseDownstream(): void {
    this.#stream.options.response.pauseReading();
  }

  resumeDownstream(): void {
    this.#stream.options.response.resumeReading();
  }

  onDownstreamPressure(listener: (slow: boolean) => void): void {
    this.#stream.pressure.listen(listener);
  }
}

function required(entry: Entry | undefined): Entry {
  if (entry === undefined) throw new RangeError('a filter acts before its stream has begun');
  return entry;
}
