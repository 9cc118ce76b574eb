import { type Headers, valueOf } from './pairs.ts';
import { CONTINUE, type Link } from './place.ts';

export interface LocalReply {
  readonly status: number;
  readonly details: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** A response on its way through the filters of a listener, from the last to the first. */
export class Encoding {
  /** What the client got from us. */
  reply: LocalReply | undefined;
  /** What the client got from the upstream, or from Envoy in its stead. */
  response: { headers: Headers; body: Buffer } | undefined;
  /** While there are some. */
  headerMap: Headers | undefined;
  /** What Envoy calls its origin. */
  details = '';
  #prepared: LocalReply | undefined;
  readonly #links: readonly Link[];
  readonly #isOver: () => boolean;

  constructor(links: readonly Link[], isOver: () => boolean) {
    this.#links = links;
    this.#isOver = isOver;
  }

  begin(headers: Headers, chunks: readonly Buffer[], details: string): void {
    const sent: Headers = headers.map(([name, value]) => [name, value]);
    this.headerMap = sent;
    this.details = details;
    for (const link of this.#links.toReversed()) {
      const action = link.responseHeaders(sent.length, chunks.length === 0);
      if (this.#isOver()) return;
      if (action === CONTINUE) continue;
      if (link.seesHeldResponse) hold(link, chunks);
      return;
    }
    const passed = chunks.map((chunk, index) => this.#body(chunk, index === chunks.length - 1));
    this.headerMap = undefined;
    this.response = { headers: sent, body: Buffer.concat(passed) };
  }

  #body(chunk: Buffer, ended: boolean): Buffer {
    let data = chunk;
    for (const link of this.#links.toReversed()) {
      if (link.responseBody(data, ended) !== CONTINUE) throw new Error('a response that is never sent on');
      data = link.left;
    }
    return data;
  }

  prepareReply(reply: LocalReply): void {
    if (this.#isOver() || this.#prepared !== undefined) throw new Error('a second reply to one request');
    if (reply.status < 200 || reply.status > 599) throw new Error(`${reply.status} is no status of a reply`);
    if (valueOf(reply.headers, 'content-length') !== undefined) throw new Error("content-length is the host's to say");
    this.#prepared = reply;
  }

  /** Whether there was one. */
  sendPrepared(): boolean {
    const reply = this.#prepared;
    if (reply === undefined || this.#isOver()) return false;
    this.#prepared = undefined;
    this.reply = reply;
    // Before a response has begun, a local reply passes through the filters as one.
    if (this.headerMap === undefined) this.#passReply(reply);
    return true;
  }

  #passReply({ status, headers, body }: LocalReply): void {
    const before = JSON.stringify(headers);
    const sent: Headers = [[':status', String(status)], ...headers];
    this.headerMap = sent;
    this.details = 'local';
    const ended = body.length === 0;
    for (const link of this.#links.toReversed()) link.responseHeaders(sent.length, ended);
    if (!ended) for (const link of this.#links.toReversed()) link.responseBody(body, true);
    if (this.#prepared !== undefined) throw new Error('a reply to a reply');
    if (JSON.stringify(sent.slice(1)) !== before) throw new Error('a reply of ours was edited by us');
    this.headerMap = undefined;
  }
}

/** Held until a callout is answered; what comes meanwhile is held too. */
function hold(link: Link, chunks: readonly Buffer[]): void {
  for (const [index, chunk] of chunks.entries()) {
    if (link.responseBody(chunk, index === chunks.length - 1) === CONTINUE)
      throw new Error('a response that was held goes on without its headers');
  }
}
