/** The event loop of a worker: what is posted in an event runs when that is over, in order. */
export class Loop {
  readonly #posted: (() => void)[] = [];
  #depth = 0;

  post(action: () => void): void {
    this.#posted.push(action);
  }

  /** Something that happens outside, such as a read from a socket. Events inside of one are parts of it. */
  event<Result>(run: () => Result): Result {
    const result = this.#within(run);
    while (this.#depth === 0) {
      const next = this.#posted.shift();
      if (next === undefined) break;
      this.#within(next);
    }
    return result;
  }

  #within<Result>(run: () => Result): Result {
    this.#depth++;
    try {
      return run();
    } finally {
      this.#depth--;
    }
  }
}
