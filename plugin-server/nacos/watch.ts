import type { NacosClient } from './client.ts';
import { type Listing, groups } from './listing.ts';

/**
 * Milliseconds for which Nacos holds a request while nothing changes; it answers half a second before that, and takes
 * nothing shorter. A change in the moment in which it begins to hold is not told before the next request.
 */
const hold = 10_500;
/** Documents of one request: Nacos takes 10,000. */
const mostDocuments = 5_000;
/** Milliseconds after one that failed: by then an address that was down, or has no such API, may be another one. */
const pauseAfterFailure = 60_000;

/** Milliseconds until Nacos is listened to again after a change that did not show in what it lists: at first, and at most. */
const pauseAfterNothing = { first: 1_000, longest: 60_000 };

/** What separates the parts of a document's address, and ends it. */
const [between, end] = ['\u0002', '\u0001'];

/**
 * Tells at once that a document has changed, by the long poll of Nacos' v1 API. It makes nothing possible that looking does
 * not find, and is not there in every Nacos (3.2 has no v1 any more): where it fails, nothing is lost but time.
 */
export class ChangeWatch {
  readonly #client: NacosClient;
  readonly #namespace: string;
  #form: string | undefined;
  #request: AbortController | undefined;
  #restingUntil = 0;
  #pause = pauseAfterNothing.first;
  #later: NodeJS.Timeout | undefined;
  /** Nacos has told that what is listened for is not so any more. */
  #changed = false;
  /** Nobody has been told of it. */
  #untold = false;
  #wake: () => void = () => undefined;

  /** @param namespace Nacos' id of it */
  constructor(client: NacosClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /**
   * Listens for changes of what was read. A request that is under way goes on while that is the same. Nacos compares with
   * a copy of its own, which can be behind what it lists: a change that does not show there is listened for again later.
   */
  follow(listing: Listing): void {
    const form = this.#formOf(listing);
    const isSame = form === this.#form;
    if (form === undefined || (isSame && (this.#request !== undefined || this.#later !== undefined))) return;
    if (Date.now() < this.#restingUntil) return;
    this.stop();
    if (isSame && this.#changed) {
      this.#later = setTimeout(() => {
        this.#later = undefined;
        this.#listen(form);
      }, this.#pause);
      this.#pause = Math.min(2 * this.#pause, pauseAfterNothing.longest);
      return;
    }
    this.#form = form;
    this.#pause = pauseAfterNothing.first;
    this.#listen(form);
  }

  #listen(form: string): void {
    this.#changed = false;
    const request = new AbortController();
    this.#request = request;
    this.#ask(form, request.signal).then(
      (isChanged) => {
        if (this.#request !== request) return;
        this.#request = undefined;
        if (!isChanged) {
          this.#listen(form);
          return;
        }
        this.#changed = true;
        this.#untold = true;
        this.#wake();
      },
      () => {
        if (this.#request !== request) return;
        this.#request = undefined;
        this.#restingUntil = Date.now() + pauseAfterFailure;
      },
    );
  }

  /** Resolves at the next change that is told, which may have been told already. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#untold = false;
        resolve();
      };
      if (this.#untold) this.#wake();
    });
  }

  stop(): void {
    this.#request?.abort();
    this.#request = undefined;
    clearTimeout(this.#later);
    this.#later = undefined;
  }

  #formOf(listing: Listing): string | undefined {
    const lines: string[] = [];
    for (const group of Object.values(groups)) {
      for (const [dataId, md5] of listing[group]) {
        // Without its name, Nacos 3.1 does not tell of changes in the namespace `public` either.
        lines.push([dataId, group, md5, this.#namespace].join(between) + end);
      }
    }
    return lines.length === 0 || lines.length > mostDocuments ? undefined : lines.join('');
  }

  async #ask(form: string, stop: AbortSignal): Promise<boolean> {
    const headers = { 'long-pulling-timeout': String(hold) };
    const text = await this.#client.listen({ 'Listening-Configs': form }, headers, hold, stop);
    return text !== '';
  }
}
