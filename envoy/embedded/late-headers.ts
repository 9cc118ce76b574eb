import type { OutgoingMessage } from 'node:http';

/**
 * Headers that are written, and go out with the beginning of the body where it comes in the same turn of the event loop: in
 * one write instead of two.
 */
export class LateHeaders {
  readonly #message: OutgoingMessage;
  #wait = true;

  constructor(message: OutgoingMessage) {
    this.#message = message;
    setImmediate(() => {
      this.flush();
    });
  }

  /** What follows them takes them along. */
  follow(): void {
    this.#wait = false;
  }

  /** They go out now, unless they have. */
  flush(): void {
    if (this.#wait && !this.#message.destroyed) this.#message.flushHeaders();
    this.#wait = false;
  }
}
