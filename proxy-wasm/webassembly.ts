import { setFlagsFromString } from 'node:v8';

/** 64 KiB each: 1 GiB, the most that a VM of Envoy has; memory.grow beyond it answers -1. (cpp-host: limits.h) */
const mostMemoryPages = 16_384;
setFlagsFromString(`--wasm-max-mem-pages=${mostMemoryPages}`);

export interface Memory {
  readonly buffer: ArrayBuffer;
}
export type Module = object;
type Table = object;
export type Import = Memory | Table | ((...args: (number | bigint)[]) => number | undefined);

interface MemoryDescriptor {
  readonly initial: number;
  readonly maximum?: number;
  readonly shared?: boolean;
}
interface TableDescriptor {
  readonly element: string;
  readonly initial: number;
  readonly maximum?: number;
}

/** The part of the engine's API that is used here: neither ES2023 nor @types/node 20 declares it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => Module;
  readonly Instance: new (
    module: Module,
    imports: Readonly<Record<string, Readonly<Record<string, Import>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (descriptor: MemoryDescriptor) => Memory;
  readonly Table: new (descriptor: TableDescriptor) => Table;
  readonly CompileError: new () => Error;
  readonly RuntimeError: new () => Error;
  /** What `throw` of the exception handling proposal throws; no Error. */
  readonly Exception: new (...args: never) => object;
};

const engine = WebAssembly;
export { engine as WebAssembly };
