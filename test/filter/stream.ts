import { Decoding, type Forwarded } from './decoding.ts';
import { Encoding, type LocalReply } from './encoding.ts';
import type { Loop } from './loop.ts';
import type { Headers } from './pairs.ts';
import { type Link, Place } from './place.ts';
import { OF_RECORD, type Properties } from './properties.ts';

export interface StreamOptions {
  /** Beyond those that every request has. */
  readonly properties: Properties | undefined;
  /** What a route of the listener answers by itself to a request that comes to it; undefined: it has an upstream. */
  readonly route: ((headers: Headers) => LocalReply | undefined) | undefined;
}

/** Where connections end unless a test says otherwise: not on a loopback address, so any host name may be meant. */
const DESTINATION = '192.0.2.7:8080';
const METADATA = 'metadata.filter_metadata.';
/** What filters of this module tell each other. */
const MARK = /^sluice_(decider|holder)$/;

/** One request and its response in a listener: what comes from outside, and what its filters ask for. */
export class Stream {
  /** The filters, in the order of the configuration. */
  readonly links: Link[] = [];
  /** Filter state: what filters tell each other, and the access log. */
  readonly attributes = new Map<string, Buffer>();
  readonly #loop: Loop;
  readonly #properties: Properties;
  readonly #decoding: Decoding;
  readonly #encoding: Encoding;
  /** Bytes of headers and body that came, whoever saw them. */
  #totalSize = 0;
  #protocol = 'HTTP/2';
  /** The callback that runs now, or whose consequences do. */
  #current: { place: Place; last: boolean } | undefined;
  #closed = false;

  constructor(loop: Loop, { properties = new Map<string, string>(), route }: Partial<StreamOptions>) {
    this.#loop = loop;
    this.#properties = properties;
    const isOver = (): boolean => this.over;
    this.#encoding = new Encoding(this.links, isOver);
    this.#decoding = new Decoding(this.links, isOver, (headers) => {
      const reply = route?.(headers);
      if (reply !== undefined)
        this.#encoding.begin([[':status', String(reply.status)], ...reply.headers], [reply.body], reply.details);
    });
  }

  /** Nothing more happens to it: answered, or gone. */
  get over(): boolean {
    return this.#closed || this.reply !== undefined || this.response !== undefined;
  }

  /** A response is on its way, or was. */
  get isResponding(): boolean {
    return this.over || this.responseHeaderMap !== undefined;
  }

  /** In their VMs. */
  get contexts(): number[] {
    return this.links.flatMap((link) => (link instanceof Place ? [link.id] : []));
  }

  get forwarded(): Forwarded | undefined {
    return this.#decoding.forwarded;
  }

  /** Bytes of the body that the host holds. */
  get held(): number {
    return this.#decoding.buffered?.length ?? 0;
  }

  /** What the client got from us. */
  get reply(): LocalReply | undefined {
    return this.#encoding.reply;
  }

  /** What the client got from the upstream, or from Envoy in its stead. */
  get response(): { headers: Headers; body: Buffer } | undefined {
    return this.#encoding.response;
  }

  requestHeaders(headers: Headers, ended: boolean): void {
    this.#totalSize = headers.flat().join('').length;
    // Envoy takes it out, and says how a body is framed nowhere else.
    const shown = headers.filter(([name]) => name !== 'transfer-encoding');
    if (shown.length < headers.length) this.#protocol = 'HTTP/1.1';
    this.#loop.event(() => {
      this.#decoding.begin(shown, ended);
    });
  }

  requestBody(chunk: Buffer, ended: boolean): void {
    if (this.over) return; // Envoy reads on and tells nobody
    this.#totalSize += chunk.length;
    this.#loop.event(() => {
      this.#decoding.take(chunk, ended);
    });
  }

  requestTrailers(trailers: Headers): void {
    if (this.over) return;
    this.#loop.event(() => {
      this.#decoding.end(trailers);
    });
  }

  /** The filters of another kind go on with what they held. */
  resumeOthers(): void {
    this.#loop.event(() => {
      for (const link of this.links)
        if (!(link instanceof Place) && link.holds !== 'nothing') this.#decoding.continue(link);
    });
  }

  /**
   * The response to what was forwarded, or what Envoy answers by itself, whoever holds the request.
   * @param details what Envoy calls its origin
   * @param cut what Envoy says of a response that breaks off, else empty
   */
  respond(headers: Headers, chunks: readonly Buffer[], details = 'via_upstream', cut = ''): void {
    if (this.forwarded === undefined && details === 'via_upstream')
      throw new Error('a response to a request that was never sent on');
    this.#loop.event(() => {
      this.#encoding.begin(headers, chunks, details, cut);
    });
  }

  /** The end, whoever brings it about: the access log first, while all that belongs to it is still there. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loop.event(() => {
      for (const link of this.links) link.log();
      for (const link of this.links) link.end();
    });
  }

  prepareContinue(place: Place): void {
    if (this.over) throw new Error('continue_stream for a request that is answered');
    if (place.holds === 'nothing') throw new Error('continue_stream for a request that was not held: iterates twice');
    if (this.#current?.last === true) {
      throw new Error('continue_stream in the last callback of a body: on HTTP/2 Envoy loses it and tells nobody');
    }
    if (this.#current?.place === place) throw new Error('a callback goes on by what it returns');
  }

  prepareContinueResponse(place: Place): void {
    if (this.over) throw new Error('continue_stream for a request that is answered');
    if (this.#current?.place === place) throw new Error('a callback goes on by what it returns');
    this.#encoding.prepareContinue(place);
  }

  continueResponse(): void {
    if (!this.over) this.#encoding.continue();
  }

  continue(place: Place): void {
    this.#decoding.continue(place);
  }

  prepareReply(reply: LocalReply): void {
    this.#encoding.prepareReply(reply);
  }

  sendPrepared(): void {
    if (this.#encoding.sendPrepared()) this.close();
  }

  /** Runs a callback of a place: what it asks for is judged by it. */
  within<Result>(current: { place: Place; last: boolean }, run: () => Result): Result {
    const before = this.#current;
    this.#current = current;
    try {
      return run();
    } finally {
      this.#current = before;
    }
  }

  get requestHeaderMap(): Headers {
    return this.#decoding.headerMap;
  }

  get responseHeaderMap(): Headers | undefined {
    return this.#encoding.headerMap;
  }

  replaceBuffered(bytes: Buffer): void {
    this.#decoding.buffered = bytes;
  }

  property(name: string): Buffer | undefined {
    const responds = this.responseHeaderMap !== undefined;
    if (name === 'response.code_details' && (responds || this.#encoding.details !== ''))
      return Buffer.from(this.#encoding.details);
    if (name === 'request.protocol') return Buffer.from(this.#protocol);
    if (name === 'request.total_size' && !responds) return numberOf(this.#totalSize);
    if (MARK.test(name)) return this.attributes.get(name);
    const value = this.#properties.get(name) ?? (name === 'destination.address' ? DESTINATION : undefined);
    if (value !== undefined) return Buffer.from(value);
    if (name.startsWith(METADATA)) return undefined;
    throw new Error(`this host has no property ${name} now`);
  }

  setAttribute(name: string, value: Buffer): void {
    if (!OF_RECORD.test(name) && !MARK.test(name)) throw new Error(`the attribute ${name} could be somebody else's`);
    this.attributes.set(name, value);
  }
}

/** As Envoy hands over numbers. */
function numberOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
