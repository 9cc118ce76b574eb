import type { Host } from './host.ts';
import { type Headers, valueOf } from './pairs.ts';

export interface LocalReply {
  readonly status: number;
  readonly details: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** What left the gateway toward an upstream. */
export interface Forwarded {
  readonly headers: Headers;
  /** All that passed so far. */
  body: Buffer;
  /** The upstream saw the end of the request. */
  ended: boolean;
}

/** What the host knows about a request, by path with dots: `destination.address`. */
export type Properties = ReadonlyMap<string, string>;

const CONTINUE = 0;
const EMPTY = Buffer.alloc(0);
/** Where connections end unless a test says otherwise: not on a loopback address, so any host name may be meant. */
const DESTINATION = '192.0.2.7:8080';
const METADATA = 'metadata.filter_metadata.';

/**
 * One request and its response under `allow_on_headers_stop_iteration`, as Envoy ≥ 1.39 drives a filter:
 * headers that are held leave with the first body callback that continues, or on continue_stream; a body callback that
 * pauses is shown all that is buffered next time, one that continues only the new chunk.
 */
export class Stream {
  readonly id: number;
  /** Context of the configuration that it came under. */
  readonly root: number;
  forwarded: Forwarded | undefined;
  /** What the client got from us. */
  reply: LocalReply | undefined;
  /** What the client got from the upstream, or from Envoy in its stead. */
  response: { headers: Headers; body: Buffer } | undefined;
  /** For the access log. */
  readonly attributes = new Map<string, string>();
  readonly #host: Host;
  readonly #properties: Properties;
  #request: Headers = [];
  #requestHeld = false;
  #buffered: Buffer = EMPTY;
  /** What a body callback sees, and edits. */
  #view: Buffer = EMPTY;
  #received = false;
  #bodyPaused = false;
  #responseHeaders: Headers | undefined;
  #responseView: Buffer = EMPTY;
  #details = '';
  #queuedReply: LocalReply | undefined;
  #queuedContinue = false;
  #closed = false;

  constructor(host: Host, id: number, root: number, properties: Properties = new Map()) {
    this.#properties = properties;
    this.#host = host;
    this.id = id;
    this.root = root;
  }

  /** Nothing more happens to it: answered, or gone. */
  get over(): boolean {
    return this.#closed || this.reply !== undefined;
  }

  requestHeaders(headers: Headers, ended: boolean): void {
    this.#request = headers.map(([name, value]) => [name, value]);
    this.#requestHeld = true;
    this.#received = ended;
    const action = this.#callback('on_request_headers', (module) =>
      module.proxy_on_request_headers(this.id, headers.length, Number(ended)),
    );
    if (!this.settle() && action === CONTINUE) this.#pass();
  }

  requestBody(chunk: Buffer, ended: boolean): void {
    if (this.over) return; // Envoy reads on and tells nobody
    this.#received = ended;
    this.#view = this.#bodyPaused ? Buffer.concat([this.#buffered, chunk]) : chunk;
    const action = this.#callback('on_request_body', (module) =>
      module.proxy_on_request_body(this.id, this.#view.length, Number(ended)),
    );
    this.#buffered = this.#view;
    if (this.settle()) return;
    this.#bodyPaused = action !== CONTINUE;
    if (!this.#bodyPaused) this.#pass();
  }

  requestTrailers(trailers: Headers): void {
    if (this.over) return;
    this.#received = true;
    this.#view = this.#bodyPaused ? this.#buffered : EMPTY;
    const action = this.#callback('on_request_trailers', (module) =>
      module.proxy_on_request_trailers(this.id, trailers.length),
    );
    this.#buffered = this.#view;
    if (!this.settle() && action === CONTINUE) this.#pass();
  }

  /** The response to what was forwarded. @param details what Envoy calls its origin */
  respond(headers: Headers, chunks: readonly Buffer[], details = 'via_upstream'): void {
    if (this.forwarded === undefined) throw new Error('a response to a request that was never sent on');
    this.#responseHeaders = headers.map(([name, value]) => [name, value]);
    this.#details = details;
    const action = this.#callback('on_response_headers', (module) =>
      module.proxy_on_response_headers(this.id, headers.length, Number(chunks.length === 0)),
    );
    if (this.settle()) return;
    if (action !== CONTINUE) {
      // Held until a callout is answered; what comes meanwhile is held too.
      for (const [index, chunk] of chunks.entries()) this.#responseBody(chunk, index === chunks.length - 1);
      return;
    }
    const passed: Buffer[] = [];
    const sent = this.#responseHeaders;
    for (const [index, chunk] of chunks.entries()) {
      if (!this.#responseBody(chunk, index === chunks.length - 1)) throw new Error('a response that is never sent on');
      passed.push(this.#responseView);
    }
    this.#responseHeaders = undefined;
    this.response = { headers: sent, body: Buffer.concat(passed) };
  }

  /** The end, whoever brings it about. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.forget(this);
  }

  headersOf(map: number): Headers {
    if (map === 0 && this.#requestHeld) return this.#request;
    if (map === 2 && this.#responseHeaders !== undefined) return this.#responseHeaders;
    throw new Error(`header map ${map} is not there any more, or not yet: Envoy would ignore this`);
  }

  bufferOf(buffer: number): Buffer {
    if (buffer === 0) return this.#view;
    if (buffer === 1) return this.#responseView;
    throw new Error(`this host has no buffer ${buffer}`);
  }

  replaceBuffer(buffer: number, bytes: Buffer): void {
    if (buffer === 0) this.#view = bytes;
    else if (buffer === 1) this.#responseView = bytes;
    else throw new Error(`buffer ${buffer} cannot be written`);
    if (buffer === 0) this.#buffered = bytes;
  }

  property(name: string): string | undefined {
    if (name === 'response.code_details' && this.#responseHeaders !== undefined) return this.#details;
    if (name === 'destination.address') return this.#properties.get(name) ?? DESTINATION;
    if (name.startsWith(METADATA)) return this.#properties.get(name);
    throw new Error(`this host has no property ${name} now`);
  }

  /** Filter state, which Envoy refuses to change once it is set. */
  setAttribute(name: string, value: string): void {
    if (!/^mcp_[a-z]+$/.test(name)) throw new Error(`the attribute ${name} could be somebody else's`);
    if (this.attributes.has(name)) throw new Error(`the attribute ${name} is set twice`);
    this.attributes.set(name, value);
  }

  queueReply(reply: LocalReply): void {
    if (this.over || this.#queuedReply !== undefined) throw new Error('a second reply to one request');
    if (reply.status < 200 || reply.status > 599) throw new Error(`${reply.status} is no status of a reply`);
    if (valueOf(reply.headers, 'content-length') !== undefined) throw new Error("content-length is the host's to say");
    this.#queuedReply = reply;
  }

  queueContinue(): void {
    if (!this.#requestHeld) throw new Error('continue_stream for a request that was not held: iterates twice');
    this.#queuedContinue = true;
  }

  /** Carries out what a callback asked for. True: the stream is over. */
  settle(): boolean {
    if (this.#queuedReply !== undefined) {
      const reply = this.#queuedReply;
      this.#queuedReply = undefined;
      this.reply = reply;
      this.#requestHeld = false;
      // Before a response has begun, a local reply passes through the filters as one.
      if (this.#responseHeaders === undefined) this.#passReply(reply);
      this.close();
      return true;
    }
    if (this.#queuedContinue) {
      this.#queuedContinue = false;
      this.#bodyPaused = false;
      this.#pass();
    }
    return false;
  }

  #passReply({ status, headers, body }: LocalReply): void {
    const before = JSON.stringify(headers);
    this.#responseHeaders = [[':status', String(status)], ...headers];
    this.#details = 'local';
    const ended = Number(body.length === 0);
    this.#callback('on_response_headers', (module) =>
      module.proxy_on_response_headers(this.id, headers.length + 1, ended),
    );
    if (ended === 0) this.#responseBody(body, true);
    if (this.#queuedReply !== undefined) throw new Error('a reply to a reply');
    if (JSON.stringify(this.#responseHeaders.slice(1)) !== before) throw new Error('a reply of ours was edited by us');
    this.#responseHeaders = undefined;
  }

  /** Sends on headers, if they are still here, and what is buffered. */
  #pass(): void {
    this.forwarded ??= { headers: this.#request.map(([name, value]) => [name, value]), body: EMPTY, ended: false };
    this.#requestHeld = false;
    this.forwarded.body = Buffer.concat([this.forwarded.body, this.#buffered]);
    this.forwarded.ended = this.#received;
    this.#buffered = EMPTY;
    this.#view = EMPTY;
  }

  /** Whether the chunk goes on to the client. */
  #responseBody(chunk: Buffer, ended: boolean): boolean {
    this.#responseView = chunk;
    return (
      this.#callback('on_response_body', (module) =>
        module.proxy_on_response_body(this.id, chunk.length, Number(ended)),
      ) === CONTINUE
    );
  }

  #callback(name: string, run: (module: Host['module']) => number): number {
    if (this.#closed) throw new Error(`${name} for a stream that is gone`);
    return this.#host.callback(this.id, name, () => run(this.#host.module));
  }
}
