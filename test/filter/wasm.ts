import { readFile } from 'node:fs/promises';

/** What is used of the JavaScript API; neither ES2023 nor @types/node 20 declares it. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  Instance: new (module: object, imports: Record<string, Imports>) => { exports: object };
  Module: { imports(module: object): { module: string; name: string }[] };
};

export type Imports = Record<string, (...parameters: number[]) => number>;

/** The callbacks of the ABI that the module has. */
export interface Module {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  proxy_on_memory_allocate(size: number): number;
  proxy_on_vm_start(root: number, size: number): number;
  proxy_on_configure(root: number, size: number): number;
  proxy_on_context_create(id: number, root: number): void;
  proxy_on_request_headers(id: number, count: number, ended: number): number;
  proxy_on_request_body(id: number, size: number, ended: number): number;
  proxy_on_request_trailers(id: number, count: number): number;
  proxy_on_response_headers(id: number, count: number, ended: number): number;
  proxy_on_response_body(id: number, size: number, ended: number): number;
  proxy_on_response_trailers(id: number, count: number): number;
  proxy_on_http_call_response(root: number, token: number, headers: number, size: number, trailers: number): void;
  proxy_on_queue_ready(root: number, token: number): void;
  proxy_on_tick(root: number): void;
  proxy_on_log(id: number): void;
  proxy_on_delete(id: number): void;
}

/** The shipped file: what users load is what is tested. */
const compiled = await WebAssembly.compile(await readFile(new URL('../../build/plugin.wasm', import.meta.url)));

/** What the module asks of a host, `module.name` each. */
export const importNames = WebAssembly.Module.imports(compiled).map(({ module, name }) => `${module}.${name}`);

export function instantiate(imports: Record<string, Imports>): Module {
  return new WebAssembly.Instance(compiled, imports).exports as Module;
}
