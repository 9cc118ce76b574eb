import type { Logger } from '../log.ts';
import type { Entry, FilterChain } from './filter-chain.ts';

/** How often a stopped stream is looked at again, in ms. */
const interval = 250;

/**
 * Notices a stream that nothing will move any more. Envoy says nothing of it and waits for its timeouts; so does this host,
 * but the log tells who stopped it and why that was the end.
 */
export class HangWatch {
  readonly #decoding: FilterChain;
  readonly #encoding: FilterChain;
  readonly #requestComplete: () => boolean;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #told = false;
  #over = false;

  constructor(decoding: FilterChain, encoding: FilterChain, requestComplete: () => boolean, logger: Logger) {
    this.#decoding = decoding;
    this.#encoding = encoding;
    this.#requestComplete = requestComplete;
    this.#logger = logger;
  }

  /** To be called whenever something has happened on the stream. */
  look(): void {
    if (this.#told || this.#over || this.#timer !== undefined || this.#stopped() === undefined) return;
    // Later: a callout or a queue item may be on its way within the same turn.
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#judge();
    }, interval);
    this.#timer.unref();
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #judge(): void {
    const why = this.#stopped()?.filter.explainStop?.();
    if (why === undefined) {
      this.look();
      return;
    }
    this.#told = true;
    this.#logger.log(
      'warning',
      'filter',
      `nothing will resume this request: ${why}. A timeout of the listener ends it.`,
    );
  }

  /** The filter that holds the stream, where nothing that still comes from outside would call it. */
  #stopped(): Entry | undefined {
    const request = this.#decoding.entries.find(({ state }) => state !== 'continue');
    // A body that still arrives calls a filter that stopped headers only.
    if (request !== undefined && (request.stoppedAll || this.#requestComplete())) return request;
    return this.#encoding.entries.find((entry) => entry.stoppedAll);
  }
}
