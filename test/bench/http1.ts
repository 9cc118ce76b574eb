// As much of HTTP/1.1 as a benchmark needs on both of its ends: messages one after the other, with content-length or chunked.

/** Cuts what a connection receives into messages. */
export class Messages {
  /** Put together only once a message may be whole: a large one comes in thousands of chunks. */
  #parts: Buffer[] = [];
  #length = 0;
  /** Bytes of the message under way; NaN where it is chunked, and its end has to be looked for. */
  #awaited = 0;
  #tail = '';
  #received: Buffer = Buffer.alloc(0);
  readonly #take: (head: string, body: Buffer) => void;

  constructor(take: (head: string, body: Buffer) => void) {
    this.#take = take;
  }

  add(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    this.#tail = (this.#tail + chunk.toString('latin1', Math.max(chunk.length - lastChunk.length, 0))).slice(
      -lastChunk.length,
    );
    if (Number.isNaN(this.#awaited) ? this.#tail !== lastChunk : this.#length < this.#awaited) return;
    this.#received = Buffer.concat(this.#parts);
    this.#awaited = 0;
    this.#cut();
    this.#parts = [this.#received];
    this.#length = this.#received.length;
  }

  #cut(): void {
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#received.toString('latin1', 0, end);
      const size = this.#sizeOf(head, end);
      if (size === undefined || this.#received.length < size) {
        this.#awaited = size ?? Number.NaN;
        return;
      }
      const body = this.#received.subarray(end + 4, size);
      this.#received = this.#received.subarray(size);
      this.#take(head, body);
    }
  }

  /** Bytes of a message; undefined where its last chunk has not come. @param end of its head */
  #sizeOf(head: string, end: number): number | undefined {
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) {
      return end + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    }
    const last = this.#received.indexOf(lastChunk, end + 2);
    return last < 0 ? undefined : last + lastChunk.length;
  }
}

const lastChunk = '\r\n0\r\n\r\n';

export function message(first: string, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)) });
  return Buffer.from(`${first}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
}
