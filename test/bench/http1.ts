// As much of HTTP/1.1 as a benchmark needs on both of its ends: messages one after the other, with content-length or chunked.

/** Cuts what a connection receives into messages. */
export class Messages {
  #received: Buffer = Buffer.alloc(0);
  readonly #take: (head: string, body: Buffer) => void;

  constructor(take: (head: string, body: Buffer) => void) {
    this.#take = take;
  }

  add(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#received.toString('latin1', 0, end);
      const size = this.#sizeOf(head, end);
      if (size === undefined || this.#received.length < size) return;
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
