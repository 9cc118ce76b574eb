export interface Part {
  stop(): Promise<void>;
  /** Ends a process at once; absent for what ends with this one. */
  kill?(): void;
}

/** What was started, in order. */
export class Running {
  readonly #parts: Part[] = [];
  readonly #ends: Promise<Error>[] = [];

  /** @param ended resolves with what to say when the part ended by itself; absent for what cannot */
  add(part: Part, ended?: Promise<Error>): void {
    this.#parts.push(part);
    if (ended !== undefined) this.#ends.push(ended);
  }

  /** Resolves when `signal` is aborted; rejects when a part ends before. */
  async untilStopped(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => {
        resolve(undefined);
      });
    });
    const error = await Promise.race([stopped, ...this.#ends]);
    if (error !== undefined) throw error;
  }

  /** Stops all parts, the last one first. */
  async stop(): Promise<void> {
    for (const part of this.#parts.toReversed()) await part.stop();
  }

  kill(): void {
    for (const part of this.#parts) part.kill?.();
  }
}
