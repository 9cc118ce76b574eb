// What is used of the JavaScript API: neither lib ES2023 nor @types/node 20 declares it.

export type Import = (...parameters: (number | bigint)[]) => number | bigint | undefined;
export type Export = (...parameters: (number | bigint)[]) => number | bigint | undefined;

export interface Memory {
  readonly buffer: ArrayBuffer;
}

export type CompiledCode = object;

interface JavaScriptApi {
  Module: new (bytes: Uint8Array) => CompiledCode;
  Instance: new (
    code: CompiledCode,
    imports: Readonly<Record<string, Readonly<Record<string, Import | Memory>>>>,
  ) => { readonly exports: Readonly<Record<string, Export | Memory>> };
  Memory: new (limits: { initial: number; maximum?: number }) => Memory;
  RuntimeError: new (message?: string) => Error;
}

export const WebAssembly = (globalThis as unknown as { WebAssembly: JavaScriptApi }).WebAssembly;
