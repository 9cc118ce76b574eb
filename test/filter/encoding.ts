import { type Headers, valueOf } from './pairs.ts';
import { CONTINUE, type Link } from './place.ts';

export interface LocalReply {
  readonly status: number;
  readonly details: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** A response that a filter keeps. */
interface HeldResponse {
  readonly link: Link;
  readonly sent: Headers;
  /** The filters that have not seen it. */
  readonly behind: readonly Link[];
  readonly chunks: readonly Buffer[];
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
  #held: HeldResponse | undefined;
  #cut = '';
  readonly #links: readonly Link[];
  readonly #isOver: () => boolean;

  constructor(links: readonly Link[], isOver: () => boolean) {
    this.#links = links;
    this.#isOver = isOver;
  }

  /** @param cut what Envoy says of it where it breaks off, else empty */
  begin(headers: Headers, chunks: readonly Buffer[], details: string, cut = ''): void {
    this.#cut = cut;
    const sent: Headers = headers.map(([name, value]) => [name, value]);
    this.headerMap = sent;
    this.details = details;
    const links = this.#links.toReversed();
    this.#pass(sent, links, links, chunks);
  }

  /** To those that have not seen its headers, then to those that have not seen its body, in its order. */
  #pass(sent: Headers, links: readonly Link[], bodyLinks: readonly Link[], chunks: readonly Buffer[]): void {
    for (const [index, link] of links.entries()) {
      const action = link.responseHeaders(sent.length, chunks.length === 0);
      if (this.#isOver()) return;
      if (action === CONTINUE) continue;
      this.#held = { link, sent, behind: links.slice(index + 1), chunks };
      if (link.seesHeldResponse) this.#showHeld(this.#held);
      else this.#passTo(this.#held, bodyLinks.slice(0, bodyLinks.indexOf(link)));
      return;
    }
    const isLast = (index: number): boolean => index === chunks.length - 1 && this.#cut === '';
    const passed = chunks.map((chunk, index) => this.#body(bodyLinks, chunk, isLast(index)));
    if (this.#cut !== '') this.details = this.#cut;
    this.headerMap = undefined;
    this.response = { headers: sent, body: Buffer.concat(passed) };
  }

  /** What comes behind headers that are held is held too, and shown whole with each part. */
  #showHeld(held: HeldResponse): void {
    const { link, chunks } = held;
    for (const index of chunks.keys()) {
      const ended = index === chunks.length - 1;
      const action = link.responseBody(Buffer.concat(chunks.slice(0, index + 1)), ended);
      if (this.#isOver()) return;
      if (action !== CONTINUE) continue;
      this.#held = { ...held, chunks: [link.left, ...chunks.slice(index + 1)] };
      this.continue();
      return;
    }
  }

  /** What comes behind headers that are held passes those that have let them go, and is kept there unseen. */
  #passTo(held: HeldResponse, before: readonly Link[]): void {
    const { chunks } = held;
    const passed = chunks.map((chunk, index) => this.#body(before, chunk, index === chunks.length - 1));
    this.#held = { ...held, chunks: passed };
  }

  prepareContinue(link: Link): void {
    if (this.#held?.link !== link) throw new Error('continue_stream for a response that is not held');
  }

  /** A response that was held goes on to the other filters, and to the client. */
  continue(): void {
    const held = this.#held;
    if (held === undefined) throw new Error('a response goes on that is not held');
    this.#held = undefined;
    const { link, sent, behind, chunks } = held;
    this.#pass(sent, behind, link.seesHeldResponse ? behind : [link, ...behind], chunks);
  }

  #body(links: readonly Link[], chunk: Buffer, ended: boolean): Buffer {
    let data = chunk;
    for (const link of links) {
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
