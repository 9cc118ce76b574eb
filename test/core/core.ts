import { readFile } from 'node:fs/promises';

/** What is used of the JavaScript API; neither ES2023 nor @types/node 20 declares it. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<CompiledModule>;
  Instance: new (module: CompiledModule, imports: Record<string, never>) => { exports: object };
  Module: { imports(module: CompiledModule): { module: string; name: string }[] };
};
type CompiledModule = object;
interface Exports {
  memory: { readonly buffer: ArrayBuffer };
  _initialize: () => void;
  allocate: (size: number) => number;
  release: (pointer: number) => void;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const FENCE = 64;
const PATTERN = 0xa5;

const compiled = await WebAssembly.compile(await readFile(new URL('../../build/core.wasm', import.meta.url)));

/** What the module asks of a host. */
export const imports = WebAssembly.Module.imports(compiled);

/** A fresh core: nothing that another test did to static memory is in it. */
export function instance(): Core {
  return new Core(new WebAssembly.Instance(compiled, {}).exports as Exports);
}

/** As `instance`, of another build of the core. */
export async function instanceOf(bytes: Uint8Array): Promise<Core> {
  return new Core(new WebAssembly.Instance(await WebAssembly.compile(bytes), {}).exports as Exports);
}

/** What a function of test/core/module takes; a span is two of them, see `Core.span`. */
type Parameter = number | bigint | boolean;

/** The two parameters of a span that is absent. */
export const NONE = [0, 0] as const;

/** The core of the filter without a host: bytes go into its memory, functions run on addresses, bytes come out. */
export class Core {
  readonly #exports: Exports;
  #held: number[] = [];

  constructor(exports: Exports) {
    this.#exports = exports;
    exports._initialize();
  }

  /** Calls a function of test/core/module; what returns nothing returns 0. */
  call(name: string, ...parameters: Parameter[]): number {
    return Number(this.#run(name, parameters) ?? 0);
  }

  /** As call, for a function that returns a span: a copy of its bytes, or undefined for NONE. */
  bytes(name: string, ...parameters: Parameter[]): Uint8Array | undefined {
    const span = BigInt.asUintN(64, this.#run(name, parameters) as bigint);
    return span === 0n ? undefined : this.get(Number(span >> 32n), Number(span & 0xffffffffn));
  }

  /** As bytes, for a span of UTF-8. */
  text(name: string, ...parameters: Parameter[]): string | undefined {
    const bytes = this.bytes(name, ...parameters);
    return bytes && strictUtf8.decode(bytes);
  }

  /** Address and length of a copy: the two parameters that functions take for a span. */
  span(content: Uint8Array | string): [pointer: number, length: number] {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return [this.put(bytes), bytes.length];
  }

  /** Memory for as long as the core lives. */
  reserve(size: number): number {
    return this.#exports.allocate(size);
  }

  /** Memory until the next `clear`. */
  allocate(size: number): number {
    const pointer = this.reserve(size);
    this.#held.push(pointer);
    return pointer;
  }

  /** The address of a copy. */
  put(bytes: Uint8Array): number {
    const pointer = this.allocate(bytes.length);
    this.memory.set(bytes, pointer);
    return pointer;
  }

  /** A copy. */
  get(pointer: number, length: number): Uint8Array {
    return this.memory.slice(pointer, pointer + length);
  }

  /** Room for a result, fenced on both sides. */
  room(size: number): Room {
    return new Room(this, size);
  }

  /** Gives back all that was allocated here. */
  clear(): void {
    for (const pointer of this.#held) this.#exports.release(pointer);
    this.#held = [];
  }

  #run(name: string, parameters: Parameter[]): unknown {
    const found: unknown = this.#exports[name as keyof Exports];
    if (typeof found !== 'function') throw new Error(`test/core/module exports no function ${name}`);
    return (found as (...parameters: Parameter[]) => unknown)(...parameters);
  }

  /** A view of all memory. Never keep it: when the memory grows, the view becomes empty. */
  get memory(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer);
  }
}

/**
 * Filled with a pattern before and behind too, so that a write past either end shows.
 *
 *     │ fence (64) │ pointer ▸ size bytes │ fence (64) │
 */
export class Room {
  readonly pointer: number;
  readonly #core: Core;
  readonly #size: number;

  constructor(core: Core, size: number) {
    this.#core = core;
    this.#size = size;
    this.pointer = core.allocate(size + 2 * FENCE) + FENCE;
    core.memory.fill(PATTERN, this.pointer - FENCE, this.pointer + size + FENCE);
  }

  /** The first `length` bytes; throws if anything was written behind them or before. */
  bytes(length = this.#size): Uint8Array {
    const before = this.#core.get(this.pointer - FENCE, FENCE);
    const behind = this.#core.get(this.pointer + length, this.#size - length + FENCE);
    for (const byte of [...before, ...behind]) {
      if (byte !== PATTERN) throw new Error(`written outside of the ${length} bytes of the result`);
    }
    return this.#core.get(this.pointer, length);
  }
}
