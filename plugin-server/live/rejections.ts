import type { PluginServerError } from '../errors.ts';

export interface Rejection {
  readonly code: string;
  readonly message: string;
  readonly address: string;
  /** When it was rejected last. */
  last: string;
  times: number;
}

/** How many different ones are kept. */
const limit = 50;

/**
 * Polls that were answered with an error, each kind once. Envoy's log says that a poll failed, and nothing of the answer:
 * whoever looks for the reason finds it here.
 */
export class Rejections {
  readonly #known = new Map<string, Rejection>();

  /** @returns whether it is a new one */
  add({ code, message }: PluginServerError, address: string, now: Date): boolean {
    const key = `${address} ${message}`;
    const known = this.#known.get(key);
    const rejection = known ?? { code, message, address, last: '', times: 0 };
    rejection.last = now.toISOString();
    rejection.times += 1;
    this.#known.delete(key);
    this.#known.set(key, rejection);
    if (this.#known.size > limit) {
      const [oldest = ''] = this.#known.keys();
      this.#known.delete(oldest);
    }
    return known === undefined;
  }

  /** The last one first. */
  all(): Rejection[] {
    return [...this.#known.values()].reverse();
  }
}
