import type { Host } from './host.ts';
import type { Headers } from './pairs.ts';
import type { Stream } from './stream.ts';

/** What callbacks return. */
export const CONTINUE = 0;
const PAUSE = 1;
/** A body callback keeps what it was shown, which is not shown again; or throws it away. */
export const HOLD_BACK = 2;
export const DISCARD = 3;
/** What a headers callback says. */
const HOLD_ALL = 3;

/** Whether `allow_on_headers_stop_iteration` is set, missing where it is needed, or not needed. */
export type Flag = 'set' | 'missing' | 'unneeded';

/** What a filter keeps of a request, and whether it is shown more of it meanwhile. */
export type Holds = 'nothing' | 'headers' | 'all';

/** One filter of one stream, whatever it is made of. What it leaves of a body goes on in its stead. */
export interface Link {
  holds: Holds;
  /** Its last body callback paused: the next one is shown all that is buffered. */
  pausesBody: boolean;
  requestHeaders(count: number, ended: boolean): number;
  requestBody(shown: Buffer, ended: boolean): number;
  requestTrailers(shown: Buffer, trailers: Headers): number;
  responseHeaders(count: number, ended: boolean): number;
  responseBody(shown: Buffer, ended: boolean): number;
  /** Of the body callback that was last. */
  readonly left: Buffer;
  /** What comes of a response whose headers it holds is shown to it. */
  readonly seesHeldResponse: boolean;
  /** The place of what was held is empty now. */
  letGo(): void;
  log(): void;
  end(): void;
}

const EMPTY = Buffer.alloc(0);

/** A stream's context in a VM. */
export class Place implements Link {
  readonly id: number;
  readonly host: Host;
  readonly root: number;
  readonly stream: Stream;
  holds: Holds = 'nothing';
  pausesBody = false;
  readonly #flag: Flag;
  /** Envoy makes a context when the first callback is due: one before us may have answered. */
  #created = false;
  #ended = false;
  /** In its callback, and while they are held. */
  #hasHeaders = false;
  /** In their callback. */
  #trailers: Headers | undefined;
  /** Which body its callback is shown. */
  #shown: 'request' | 'response' | undefined;
  #view: Buffer = EMPTY;
  readonly #said = new Set<string>();

  constructor(id: number, host: Host, root: number, flag: Flag, stream: Stream) {
    this.id = id;
    this.host = host;
    this.root = root;
    this.stream = stream;
    this.#flag = flag;
  }

  requestHeaders(count: number, ended: boolean): number {
    this.#create();
    this.#hasHeaders = true;
    const action = this.#call('on_request_headers', (module) =>
      module.proxy_on_request_headers(this.id, count, Number(ended)),
    );
    // Behind a reply it does not matter what a callback returns.
    if (this.stream.over) return action;
    this.holds = this.#held(action);
    this.#hasHeaders = action !== CONTINUE;
    return action;
  }

  /** Without the flag, who holds headers holds everything. */
  #held(action: number): Holds {
    if (action === CONTINUE) return 'nothing';
    if (action === HOLD_ALL) return 'all';
    if (action !== PAUSE) throw new Error(`on_request_headers returned ${action}`);
    if (this.#flag === 'unneeded') {
      throw new Error(
        'headers are held by back-pressure: a body over the limit would never be read, nor a client missed',
      );
    }
    return this.#flag === 'set' ? 'headers' : 'all';
  }

  requestBody(shown: Buffer, ended: boolean): number {
    this.#view = shown;
    this.#shown = 'request';
    const action = this.#call(
      'on_request_body',
      (module) => module.proxy_on_request_body(this.id, shown.length, Number(ended)),
      ended,
    );
    this.#shown = undefined;
    if (action < CONTINUE || action > DISCARD) throw new Error(`on_request_body returned ${action}`);
    return action;
  }

  requestTrailers(shown: Buffer, trailers: Headers): number {
    this.#view = shown;
    this.#trailers = trailers;
    const action = this.#call(
      'on_request_trailers',
      (module) => module.proxy_on_request_trailers(this.id, trailers.length),
      true,
    );
    this.#trailers = undefined;
    this.#isAction(action);
    return action;
  }

  responseHeaders(count: number, ended: boolean): number {
    if (!this.#created) return CONTINUE;
    const action = this.#call('on_response_headers', (module) =>
      module.proxy_on_response_headers(this.id, count, Number(ended)),
    );
    this.#isAction(action);
    return action;
  }

  responseBody(shown: Buffer, ended: boolean): number {
    this.#view = shown;
    if (!this.#created) return CONTINUE;
    this.#shown = 'response';
    const action = this.#call('on_response_body', (module) =>
      module.proxy_on_response_body(this.id, shown.length, Number(ended)),
    );
    this.#shown = undefined;
    return action;
  }

  get seesHeldResponse(): boolean {
    return this.#flag === 'set';
  }

  get left(): Buffer {
    return this.#view;
  }

  letGo(): void {
    this.holds = 'nothing';
    this.pausesBody = false;
    this.#hasHeaders = false;
    this.#view = EMPTY;
  }

  /** Also of a stream that it was never shown. */
  log(): void {
    this.#create();
    this.host.callback(this.id, 'on_log', () => {
      this.host.module.proxy_on_log(this.id);
    });
  }

  end(): void {
    this.#ended = true;
    this.host.leave(this);
  }

  headersOf(map: number): Headers {
    if (map === 0 && this.#hasHeaders) return this.stream.requestHeaderMap;
    if (map === 1 && this.#trailers !== undefined) return this.#trailers;
    const response = this.stream.responseHeaderMap;
    if (map === 2 && response !== undefined) return response;
    throw new Error(`header map ${map} is not there any more, or not yet: Envoy would ignore this`);
  }

  bufferOf(buffer: number): Buffer {
    if (buffer === 1 && this.#shown === 'response') return this.#view;
    // What a filter holds whole is shown to it when it goes on, and not before, even where it asks.
    if (buffer === 0 && (this.#shown === 'request' || this.pausesBody)) return this.#view;
    throw new Error(`buffer ${buffer} is not there any more, or not yet: Envoy would show nothing`);
  }

  replaceBuffer(buffer: number, bytes: Buffer): void {
    this.#view = bytes;
    if (buffer === 0 && this.#shown === undefined) this.stream.replaceBuffered(bytes);
  }

  property(name: string): Buffer | undefined {
    return this.stream.property(name);
  }

  /** Envoy lets a filter change what it or another one has said; once is meant. */
  setAttribute(name: string, value: Buffer): void {
    if (this.#said.has(name)) throw new Error(`the attribute ${name} is set twice`);
    this.#said.add(name);
    this.stream.setAttribute(name, value);
  }

  #create(): void {
    if (this.#created) return;
    this.#created = true;
    this.host.module.proxy_on_context_create(this.id, this.root);
  }

  #call(name: string, run: (module: Host['module']) => number, last = false): number {
    if (this.#ended) throw new Error(`${name} for a stream that is gone`);
    return this.stream.within({ place: this, last }, () => this.host.call(this.id, name, () => run(this.host.module)));
  }

  #isAction(action: number): void {
    if (action !== CONTINUE && action !== PAUSE) throw new Error(`a callback returned ${action}`);
  }
}

/** A filter of another kind, such as one that asks an authorization server: it holds all until it is told to go on. */
export class Waiting implements Link {
  holds: Holds = 'nothing';
  pausesBody = false;
  readonly seesHeldResponse = false;
  left: Buffer = EMPTY;

  requestHeaders(): number {
    this.holds = 'all';
    return HOLD_ALL;
  }

  requestBody(shown: Buffer): number {
    return this.#pass(shown);
  }

  responseBody(shown: Buffer): number {
    return this.#pass(shown);
  }

  requestTrailers(): number {
    return CONTINUE;
  }

  responseHeaders(): number {
    return CONTINUE;
  }

  #pass(shown: Buffer): number {
    this.left = shown;
    return CONTINUE;
  }

  letGo(): void {
    this.holds = 'nothing';
  }

  log(): void {
    // Nothing of this is ours.
  }

  end(): void {
    // Nothing of this is ours.
  }
}
