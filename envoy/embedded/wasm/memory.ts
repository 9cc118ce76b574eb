import type { Memory } from '../../../proxy-wasm/webassembly.ts';

/** Linear memory. Views are made anew for each access: a memory that has grown has left its old buffer behind. */
export class GuestMemory {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  /** A copy; undefined: out of bounds. */
  read(pointer: number, length: number): Uint8Array | undefined {
    if (!this.#holds(pointer, length)) return undefined;
    return new Uint8Array(this.#memory.buffer, pointer, length).slice();
  }

  text(pointer: number, length: number, encoding: 'latin1' | 'utf8'): string | undefined {
    if (!this.#holds(pointer, length)) return undefined;
    return Buffer.from(this.#memory.buffer, pointer, length).toString(encoding);
  }

  readU32(pointer: number): number | undefined {
    return this.#holds(pointer, 4) ? new DataView(this.#memory.buffer).getUint32(pointer, true) : undefined;
  }

  /** False: out of bounds, nothing was written. So do the others. */
  write(pointer: number, bytes: Uint8Array): boolean {
    if (!this.#holds(pointer, bytes.length)) return false;
    new Uint8Array(this.#memory.buffer).set(bytes, pointer);
    return true;
  }

  writeU32(pointer: number, value: number): boolean {
    if (!this.#holds(pointer, 4)) return false;
    new DataView(this.#memory.buffer).setUint32(pointer, value, true);
    return true;
  }

  writeU64(pointer: number, value: bigint): boolean {
    if (!this.#holds(pointer, 8)) return false;
    new DataView(this.#memory.buffer).setBigUint64(pointer, value, true);
    return true;
  }

  #holds(pointer: number, length: number): boolean {
    return pointer + length <= this.size;
  }
}
