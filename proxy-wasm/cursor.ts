import { unloadable } from './load-error.ts';

const utf8 = new TextDecoder();

/** Reads forwards and never past the end. */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? fail('it ends early');
  }

  u32(): number {
    const value = this.leb(5);
    return value < 2 ** 32 ? value : fail('a number has more than 32 bits');
  }

  /** An unsigned LEB128 number of at most so many bytes. */
  leb(most: number): number {
    let value = 0;
    for (let index = 0; index < most; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    return fail('a number is too long');
  }

  name(): string {
    return utf8.decode(this.#take(this.u32()));
  }

  part(length: number): Cursor {
    return new Cursor(this.#take(length));
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) fail('it ends early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** @throws LoadError with this cause */
export function fail(cause: string): never {
  throw unloadable('Failed to parse corrupted Wasm module', cause);
}
