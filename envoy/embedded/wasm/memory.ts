import type { Memory } from '../../../proxy-wasm/webassembly.ts';

/** Linear memory, through views that are kept for as long as it has the size that they were made for. */
export class GuestMemory {
  readonly #memory: Memory;
  #bytes: Buffer;
  #view: DataView;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#bytes = Buffer.from(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  /** A copy; undefined: out of bounds. */
  read(pointer: number, length: number): Uint8Array | undefined {
    if (!this.#holds(pointer, length)) return undefined;
    return new Uint8Array(this.#bytes.buffer, pointer, length).slice();
  }

  text(pointer: number, length: number, encoding: 'latin1' | 'utf8'): string | undefined {
    if (!this.#holds(pointer, length)) return undefined;
    return this.#bytes.toString(encoding, pointer, pointer + length);
  }

  readU32(pointer: number): number | undefined {
    return this.#holds(pointer, 4) ? this.#view.getUint32(pointer, true) : undefined;
  }

  /** False: out of bounds, nothing was written. So do the others. */
  write(pointer: number, bytes: Uint8Array): boolean {
    if (!this.#holds(pointer, bytes.length)) return false;
    this.#bytes.set(bytes, pointer);
    return true;
  }

  /** Lets somebody write that many bytes in their place. */
  fill(pointer: number, length: number, write: Writer): boolean {
    if (!this.#holds(pointer, length)) return false;
    write(this.#bytes, pointer);
    return true;
  }

  writeU32(pointer: number, value: number): boolean {
    if (!this.#holds(pointer, 4)) return false;
    this.#view.setUint32(pointer, value, true);
    return true;
  }

  writeU64(pointer: number, value: bigint): boolean {
    if (!this.#holds(pointer, 8)) return false;
    this.#view.setBigUint64(pointer, value, true);
    return true;
  }

  #holds(pointer: number, length: number): boolean {
    const end = pointer + length;
    if (end <= this.#bytes.length && this.#bytes.length > 0) return true;
    // A memory that has grown leaves views of no length behind; a shared one leaves them at its old length.
    this.#bytes = Buffer.from(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
    return end <= this.#bytes.length;
  }
}

/** Writes at a place what it was asked for the length of. */
export type Writer = (target: Buffer, at: number) => void;
