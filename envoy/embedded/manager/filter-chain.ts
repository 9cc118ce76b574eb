import { BodyBuffer } from '../body-buffer.ts';
import { notAccepted } from '../../../proxy-wasm/host-assertion.ts';
import { DataStatus, HeadersStatus, type StreamFilter, TrailersStatus } from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';

type Iteration = 'continue' | 'stop-single' | 'stop-all-buffer' | 'stop-all-watermark';

/** A filter's place in one direction of a stream. */
export class Entry {
  readonly name: string;
  readonly filter: StreamFilter;
  readonly index: number;
  state: Iteration = 'continue';
  /** Resumed after it had stopped everything: the body that waited is shown to this filter first. */
  fromCurrent = false;
  headersContinued = false;
  endStream = false;

  constructor(name: string, filter: StreamFilter, index: number) {
    this.name = name;
    this.filter = filter;
    this.index = index;
  }

  get stoppedAll(): boolean {
    return this.state === 'stop-all-buffer' || this.state === 'stop-all-watermark';
  }
}

/**
 * What a direction is to its stream. Its parts are methods of what makes it, and no functions of their own: those would be
 * made for each request.
 */
export interface Direction {
  readonly direction: 'decode' | 'encode';
  callHeaders(filter: StreamFilter, headers: HeaderMap, endStream: boolean): HeadersStatus;
  callData(filter: StreamFilter, data: BodyBuffer, endStream: boolean): DataStatus;
  callTrailers(filter: StreamFilter, trailers: HeaderMap): TrailersStatus;
  /** What goes behind the last filter. */
  sendHeaders(headers: HeaderMap, endStream: boolean): void;
  sendData(data: BodyBuffer, endStream: boolean): void;
  sendTrailers(trailers: HeaderMap): void;
  currentHeaders(): HeaderMap;
  currentTrailers(): HeaderMap | undefined;
  /** Makes the trailers that a filter adds. */
  createTrailers(): HeaderMap;
  /** The whole message is here. */
  isWhole(): boolean;
  /** Nothing of this direction matters any more. */
  isOver(): boolean;
  /** A local reply that was asked for inside a callback is sent now. */
  afterAbort(): void;
  /** More is held than may be. @param streaming the filter asked for back-pressure instead */
  onTooMuch(streaming: boolean): void;
  onDrained(): void;
  /** The end of the message has been shown to all filters that may see it now. */
  onIterated(): void;
}

/**
 * The filters of a stream in one direction: who sees what, who holds what, and what goes on when one resumes.
 * (envoy: http/filter_manager.cc, ActiveStreamFilterBase; names follow it)
 */
export class FilterChain {
  readonly entries: readonly Entry[];
  /** What filters hold of the body: one buffer for all of them. */
  buffered: BodyBuffer | undefined;
  /** Set by a local reply inside a callback of this direction. */
  aborted = false;
  /** The callback that runs now. */
  calling: 'headers' | 'data' | 'trailers' | undefined;
  readonly #direction: Direction;
  readonly #limit: number;
  #endOfStreamCall = false;
  #streaming = false;
  #tooMuch = false;
  /** The data callback that runs now has added to the held body. */
  #added = false;

  constructor(entries: readonly Entry[], direction: Direction, limit: number) {
    this.entries = entries;
    this.#direction = direction;
    this.#limit = limit;
  }

  /** @param from the filter behind which to go on; undefined: from the first one */
  headers(from: Entry | undefined, headers: HeaderMap, endStream: boolean): void {
    let addedBody: Entry | undefined;
    for (const entry of this.entries.slice(from === undefined ? 0 : from.index + 1)) {
      entry.endStream = endStream && addedBody === undefined;
      const status = this.#callHeaders(entry, headers);
      if (this.aborted) {
        this.#direction.afterAbort();
        entry.state = 'stop-single';
        return;
      }
      if (!this.#afterHeaders(entry, status)) {
        if (addedBody !== undefined) this.#continueWithBody(addedBody);
        return;
      }
      if (this.#direction.direction === 'decode' && this.#direction.isOver()) return;
      // A message of headers only, to which this filter has added a body.
      if (endStream && this.buffered !== undefined && addedBody === undefined) addedBody = entry;
    }
    this.#direction.sendHeaders(headers, endStream && addedBody === undefined);
    if (endStream) this.#direction.onIterated();
    if (addedBody !== undefined) this.#continueWithBody(addedBody);
  }

  #continueWithBody(entry: Entry): void {
    entry.state = 'stop-single';
    this.continue(entry);
  }

  #afterHeaders(entry: Entry, status: HeadersStatus): boolean {
    switch (status) {
      case HeadersStatus.StopIteration:
        entry.state = 'stop-single';
        return false;
      case HeadersStatus.StopAllIterationAndBuffer:
        entry.state = 'stop-all-buffer';
        return false;
      case HeadersStatus.StopAllIterationAndWatermark:
        entry.state = 'stop-all-watermark';
        return false;
      case HeadersStatus.ContinueAndDontEndStream:
      case HeadersStatus.Continue:
        entry.headersContinued = true;
        return true;
    }
  }

  /** @param start whether the filter itself may be the first to see it: the one that stopped everything */
  data(from: Entry | undefined, data: BodyBuffer, endStream: boolean, start: 'next' | 'current' = 'current'): void {
    if (this.#direction.direction === 'decode' && this.#direction.isOver()) return;
    const hadTrailers = this.#direction.currentTrailers() !== undefined;
    let addedTrailers: Entry | undefined;
    let ends = endStream;
    for (const entry of this.entries.slice(this.#first(from, start))) {
      if (entry.stoppedAll) {
        this.#streaming = entry.state === 'stop-all-watermark';
        this.#hold(data);
        return;
      }
      if (entry.endStream) return;
      entry.endStream = ends && this.#direction.currentTrailers() === undefined;
      this.#added = false;
      const status = this.#callData(entry, data, ends);
      if (this.aborted) {
        this.#direction.afterAbort();
        return;
      }
      if (!hadTrailers && this.#direction.currentTrailers() !== undefined && addedTrailers === undefined) {
        addedTrailers = entry;
        ends = false;
      }
      if (!this.#afterData(entry, status, data)) {
        if (addedTrailers !== undefined) this.#addedTrailers(addedTrailers);
        if (endStream) this.#direction.onIterated();
        return;
      }
    }
    this.#direction.sendData(data, ends);
    if (endStream) this.#direction.onIterated();
    this.#checkDrained();
    if (addedTrailers !== undefined) this.#addedTrailers(addedTrailers);
  }

  #addedTrailers(entry: Entry): void {
    const trailers = this.#direction.currentTrailers();
    if (trailers !== undefined) this.trailers(entry, trailers);
  }

  #first(from: Entry | undefined, start: 'next' | 'current'): number {
    if (from === undefined) return 0;
    return start === 'current' && from.fromCurrent ? from.index : from.index + 1;
  }

  #afterData(entry: Entry, status: DataStatus, data: BodyBuffer): boolean {
    if (status === DataStatus.Continue) {
      if (entry.state === 'stop-single') {
        this.#hold(data);
        this.continue(entry);
        return false;
      }
      // A filter that adds its chunk to what is held shows all that is held to the next ones, and so do we: what those
      // hold themselves, such as a router for its retries, is seen by them twice. (envoy #46842, since 1.39.1)
      if (this.#added && this.buffered !== undefined && this.buffered !== data) {
        const rest = data.take();
        data.move(this.buffered);
        for (const chunk of rest) data.append(chunk);
      }
      return true;
    }
    entry.state = 'stop-single';
    if (status !== DataStatus.StopIterationNoBuffer) {
      this.#streaming = status === DataStatus.StopIterationAndWatermark;
      this.#hold(data);
    } else if (this.#direction.isWhole() && this.#direction.currentTrailers() === undefined) {
      // So that a resumption sends an empty end instead of nothing at all. What the chunk had is lost.
      this.buffered ??= new BodyBuffer();
    }
    return false;
  }

  /** @param from as of `headers` */
  trailers(from: Entry | undefined, trailers: HeaderMap): void {
    if (this.#direction.direction === 'decode' && this.#direction.isOver()) return;
    for (const entry of this.entries.slice(this.#first(from, 'current'))) {
      if (entry.stoppedAll) return;
      const status = this.#callTrailers(entry, trailers);
      entry.endStream = true;
      if (this.aborted) {
        this.#direction.afterAbort();
        return;
      }
      if (status === TrailersStatus.StopIteration) {
        if (entry.state === 'continue') entry.state = 'stop-single';
        return;
      }
      if (entry.state === 'stop-single') {
        this.continue(entry);
        return;
      }
    }
    this.#direction.sendTrailers(trailers);
    this.#direction.onIterated();
  }

  /** Goes on behind a filter that had stopped: headers if they wait, then the body that is held, then trailers. */
  continue(entry: Entry): void {
    if (this.#direction.isOver()) return;
    if (entry.state === 'continue') {
      throw notAccepted(`filter ${entry.name} continues although it has not stopped`);
    }
    if (entry.stoppedAll) entry.fromCurrent = true;
    entry.state = 'continue';
    const trailers = this.#direction.currentTrailers();
    if (!entry.headersContinued) {
      entry.headersContinued = true;
      const ends = this.#direction.isWhole() && this.buffered === undefined && trailers === undefined;
      this.headers(entry, this.#direction.currentHeaders(), ends);
    }
    const { buffered } = this;
    if (buffered !== undefined) {
      this.data(entry, buffered, this.#direction.isWhole() && trailers === undefined);
    }
    if (trailers !== undefined) this.trailers(entry, trailers);
    entry.fromCurrent = false;
    this.#checkDrained();
  }

  /** What a filter adds to the held body: to be called inside its own callback, or outside of all. */
  add(entry: Entry, data: BodyBuffer): void {
    if (this.calling === 'trailers' && entry.state === 'continue') {
      this.data(entry, data, false, 'next');
      return;
    }
    this.#streaming = false;
    this.#added = true;
    this.#hold(data);
  }

  /** @throws HostAssertion outside of the callback that ends the body */
  addTrailers(entry: Entry): HeaderMap {
    if (!this.#endOfStreamCall) {
      throw notAccepted(`filter ${entry.name} adds trailers before the end of the body`);
    }
    return this.#direction.createTrailers();
  }

  #hold(data: BodyBuffer): void {
    if (this.buffered !== data) {
      this.buffered ??= new BodyBuffer();
      this.buffered.move(data);
    }
    this.checkLimit();
  }

  /** Whether what is held is too much now. (envoy: WatermarkBuffer) */
  checkLimit(): void {
    if ((this.buffered?.length ?? 0) <= this.#limit || this.#tooMuch) return;
    this.#tooMuch = true;
    this.#direction.onTooMuch(this.#streaming);
  }

  #checkDrained(): void {
    if (!this.#tooMuch || (this.buffered?.length ?? 0) > this.#limit / 2) return;
    this.#tooMuch = false;
    this.#direction.onDrained();
  }

  #callHeaders({ filter, endStream }: Entry, headers: HeaderMap): HeadersStatus {
    const before = this.#begin('headers', endStream);
    try {
      return this.#direction.callHeaders(filter, headers, endStream);
    } finally {
      this.#leave(before);
    }
  }

  #callData({ filter, endStream }: Entry, data: BodyBuffer, endsMessage: boolean): DataStatus {
    const before = this.#begin('data', endsMessage);
    try {
      return this.#direction.callData(filter, data, endStream);
    } finally {
      this.#leave(before);
    }
  }

  #callTrailers({ filter }: Entry, trailers: HeaderMap): TrailersStatus {
    const before = this.#begin('trailers', false);
    try {
      return this.#direction.callTrailers(filter, trailers);
    } finally {
      this.#leave(before);
    }
  }

  /** @returns the callback that this one is called from */
  #begin(what: FilterChain['calling'], endsStream: boolean): FilterChain['calling'] {
    const before = this.calling;
    this.calling = what;
    this.#endOfStreamCall = endsStream;
    return before;
  }

  #leave(before: FilterChain['calling']): void {
    this.calling = before;
    this.#endOfStreamCall = false;
  }
}
