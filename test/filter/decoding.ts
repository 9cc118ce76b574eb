import type { Headers } from './pairs.ts';
import { CONTINUE, DISCARD, HOLD_BACK, type Link } from './place.ts';

/** What left the gateway toward an upstream. */
export interface Forwarded {
  readonly headers: Headers;
  /** All that passed so far. */
  body: Buffer;
  /** The upstream saw the end of the request. */
  ended: boolean;
}

const EMPTY = Buffer.alloc(0);

/**
 * A request on its way through the filters of a listener, from the first to the last, as Envoy ≥ 1.39 drives it. Headers
 * that are held leave with the first body callback that continues, or on continue_stream; a body callback that pauses is
 * shown all that is buffered next time, one that continues, holds back or throws away only the new chunk; a filter that held all gets what has come
 * meanwhile in one body callback.
 */
export class Decoding {
  forwarded: Forwarded | undefined;
  headerMap: Headers = [];
  /** What filters hold of the body: one buffer for all of them. */
  buffered: Buffer | undefined;
  #trailers: Headers | undefined;
  #received = false;
  readonly #links: readonly Link[];
  readonly #isOver: () => boolean;
  readonly #atRoute: (headers: Headers) => void;

  /** @param atRoute told of the headers that have come to the router */
  constructor(links: readonly Link[], isOver: () => boolean, atRoute: (headers: Headers) => void) {
    this.#links = links;
    this.#isOver = isOver;
    this.#atRoute = atRoute;
  }

  begin(headers: Headers, ended: boolean): void {
    this.headerMap = headers.map(([name, value]) => [name, value]);
    this.#received = ended;
    this.#headers(0, ended);
  }

  take(chunk: Buffer, ended: boolean): void {
    this.#received = ended;
    this.#body(0, chunk, ended);
  }

  end(trailers: Headers): void {
    this.#received = true;
    this.#trailers = trailers.map(([name, value]) => [name, value]);
    this.#end(0, this.#trailers);
  }

  #headers(from: number, ended: boolean): void {
    for (const link of this.#links.slice(from)) {
      const action = link.requestHeaders(this.headerMap.length, ended);
      if (this.#isOver() || action !== CONTINUE) return;
    }
    const headers: Headers = this.headerMap.map(([name, value]) => [name, value]);
    this.forwarded = { headers, body: EMPTY, ended };
    this.#atRoute(headers);
  }

  #body(from: number, chunk: Buffer, ended: boolean): void {
    let data = chunk;
    for (const [index, link] of [...this.#links.entries()].slice(from)) {
      if (link.holds === 'all') {
        this.buffered = joined(this.buffered, data);
        return;
      }
      if (link.pausesBody) {
        data = joined(this.buffered, data);
        this.buffered = undefined;
      }
      const action = link.requestBody(data, ended);
      data = link.left;
      if (this.#isOver()) return;
      if (action === HOLD_BACK || action === DISCARD) {
        if (action === DISCARD && ended) throw new Error('the last part of a body is thrown away: HTTP/2 loses it');
        link.pausesBody = false;
        if (action === HOLD_BACK) this.buffered = joined(this.buffered, data);
        return;
      }
      if (action !== CONTINUE) {
        if (this.buffered !== undefined) throw new Error('two filters hold parts of one body');
        link.pausesBody = true;
        this.buffered = data;
        return;
      }
      // What it held back goes first. What others hold is theirs.
      if (link.holds === 'headers') {
        data = joined(this.buffered, data);
        this.buffered = undefined;
      }
      this.#letGo(link, index);
      if (this.#isOver()) return;
    }
    this.#pass(data, ended);
  }

  /** Its headers go on, if they were still here. */
  #letGo(link: Link, index: number): void {
    const heldHeaders = link.holds === 'headers';
    link.letGo();
    if (heldHeaders) this.#headers(index + 1, false);
  }

  #end(from: number, trailers: Headers): void {
    for (const [index, link] of [...this.#links.entries()].slice(from)) {
      if (link.holds === 'all') return;
      const action = link.requestTrailers(link.pausesBody ? (this.buffered ?? EMPTY) : EMPTY, trailers);
      if (this.#isOver() || action !== CONTINUE) return;
      const body = link.pausesBody ? this.buffered : undefined;
      if (body !== undefined) this.buffered = undefined;
      this.#letGo(link, index);
      if (!this.#isOver() && body !== undefined) this.#body(index + 1, body, false);
      if (this.#isOver()) return;
    }
    this.#pass(EMPTY, true);
  }

  /** To the upstream. */
  #pass(data: Buffer, ended: boolean): void {
    if (this.forwarded === undefined) throw new Error('a body without headers');
    if (this.forwarded.ended) throw new Error('a request goes on behind its end');
    this.forwarded.body = joined(this.forwarded.body, data);
    this.forwarded.ended = ended;
  }

  /** Sends on what a filter held, to where it would have gone. */
  continue(link: Link): void {
    if (this.#isOver()) return;
    const at = this.#links.indexOf(link);
    // One that held all has not seen the body yet.
    const from = link.holds === 'all' ? at : at + 1;
    const body = this.buffered;
    this.buffered = undefined;
    const ends = this.#received && this.#trailers === undefined;
    link.letGo();
    this.#headers(at + 1, ends && body === undefined);
    if (!this.#isOver() && body !== undefined) this.#body(from, body, ends);
    if (!this.#isOver() && this.#trailers !== undefined) this.#end(from, this.#trailers);
  }
}

function joined(first: Buffer | undefined, second: Buffer): Buffer {
  return first === undefined || first.length === 0 ? second : Buffer.concat([first, second]);
}
