import { OK } from './imports.ts';
import type { Module } from './wasm.ts';

const INVALID_MEMORY_ACCESS = 6;

/** The module's memory as a host sees it: an address outside of it, or a length that leads there, fails the test. */
export class Memory {
  readonly #module: Module;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(module: Module) {
    this.#module = module;
  }

  /** A copy. */
  read(pointer: number, length: number): Buffer {
    return Buffer.from(this.#within(pointer, length));
  }

  text(pointer: number, length: number): string {
    return this.#within(pointer, length).toString('utf8');
  }

  write(pointer: number, bytes: Uint8Array): void {
    this.#within(pointer, bytes.length).set(bytes);
  }

  writeU32(pointer: number, value: number): void {
    this.#within(pointer, 4).writeUInt32LE(value);
  }

  writeU64(pointer: number, value: bigint): void {
    this.#within(pointer, 8).writeBigUInt64LE(value);
  }

  /**
   * Hands bytes to the module: into memory that it allots, and where they lie into the two places it named. Returns what
   * the host call does: that it failed, where the module allots none.
   */
  hand(bytes: Uint8Array, outPointer: number, outLength: number): number {
    // A host does not ask for memory of no size.
    const pointer = bytes.length === 0 ? 0 : this.#module.proxy_on_memory_allocate(bytes.length) >>> 0;
    if (bytes.length > 0 && pointer === 0) return INVALID_MEMORY_ACCESS;
    this.write(pointer, bytes);
    this.writeU32(outPointer, pointer);
    this.writeU32(outLength, bytes.length);
    return OK;
  }

  get pages(): number {
    return this.#module.memory.buffer.byteLength >>> 16;
  }

  /** The addresses come as signed numbers. A view dies when the memory grows. */
  #within(pointer: number, length: number): Buffer {
    const { buffer } = this.#module.memory;
    if (this.#bytes.buffer !== buffer) this.#bytes = Buffer.from(buffer);
    const from = pointer >>> 0;
    const to = from + (length >>> 0);
    if (to > this.#bytes.length) throw new Error(`${length >>> 0} bytes at ${from} are not in the module's memory`);
    return this.#bytes.subarray(from, to);
  }
}
