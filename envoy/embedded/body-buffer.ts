const EMPTY: Uint8Array = new Uint8Array(0);

/** A body, or the part of it that is here: a queue of chunks that are never copied until somebody reads. (envoy: Buffer::Instance) */
export class BodyBuffer {
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(...chunks: readonly Uint8Array[]) {
    for (const chunk of chunks) this.append(chunk);
  }

  get length(): number {
    return this.#length;
  }

  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  prepend(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#length += chunk.length;
  }

  /** Takes everything that the other has, which is empty then. */
  move(from: BodyBuffer): void {
    for (const chunk of from.#chunks) this.#chunks.push(chunk);
    this.#length += from.#length;
    from.#chunks = [];
    from.#length = 0;
  }

  /** Removes bytes from the front; more than there are is all of them. */
  drain(count: number): void {
    let rest = Math.min(count, this.#length);
    this.#length -= rest;
    while (rest > 0) {
      const first = this.#chunks[0] ?? EMPTY;
      if (first.length > rest) {
        this.#chunks[0] = first.subarray(rest);
        return;
      }
      rest -= first.length;
      this.#chunks.shift();
    }
  }

  /** A copy of all of it. */
  read(): Uint8Array {
    const copy = new Uint8Array(this.#length);
    this.copyTo(copy, 0, 0, this.#length);
    return copy;
  }

  /** The same bytes once more, which nobody changes in their place. */
  share(): BodyBuffer {
    return new BodyBuffer(...this.#chunks);
  }

  /** Copies at most `length` bytes from `start` on to a place in `target`. */
  copyTo(target: Uint8Array, place: number, start: number, length: number): void {
    const end = Math.min(this.#length, start + length);
    let at = 0;
    for (const chunk of this.#chunks) {
      const from = Math.max(0, start - at);
      const to = Math.min(chunk.length, end - at);
      if (from < to)
        target.set(to - from === chunk.length ? chunk : chunk.subarray(from, to), place + at + from - start);
      at += chunk.length;
      if (at >= end) break;
    }
  }

  /** Everything, in the pieces that it came in; empty afterwards. */
  take(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#length = 0;
    return chunks;
  }
}
