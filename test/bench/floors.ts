// Filters to hold Sluice against: what a WebAssembly filter costs before it has done anything, and what it costs one that
// routes on the body, as any must, to have read it and to have named the server.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What is used of the JavaScript API, which neither ES2023 nor @types/node 20 declares. */
declare const WebAssembly: {
  Module: (new (bytes: Uint8Array) => object) & { exports(module: object): { name: string; kind: string }[] };
};

export interface Floors {
  /** It has the callbacks of a filter that follows a request and its response, and does nothing in them. */
  readonly noop: string;
  /** It holds the headers until the body is whole, reads the body, and sets the header that routes match on. */
  readonly floor: string;
  /** The same, and every callback that Sluice has. */
  readonly exports: string;
}

const CALLBACKS: Readonly<Record<string, string>> = {
  proxy_on_context_create: '(id: u32, root: u32): void {}',
  proxy_on_request_headers: '(id: u32, count: u32, ended: u32): u32 { return 0; }',
  proxy_on_request_body: '(id: u32, size: u32, ended: u32): u32 { return 0; }',
  proxy_on_request_trailers: '(id: u32, count: u32): u32 { return 0; }',
  proxy_on_response_headers: '(id: u32, count: u32, ended: u32): u32 { return 0; }',
  proxy_on_response_body: '(id: u32, size: u32, ended: u32): u32 { return 0; }',
  proxy_on_response_trailers: '(id: u32, count: u32): u32 { return 0; }',
  proxy_on_http_call_response: '(root: u32, token: u32, headers: u32, size: u32, trailers: u32): void {}',
  proxy_on_queue_ready: '(root: u32, token: u32): void {}',
  proxy_on_tick: '(root: u32): void {}',
  proxy_on_done: '(id: u32): u32 { return 1; }',
  proxy_on_log: '(id: u32): void {}',
  proxy_on_delete: '(id: u32): void {}',
};

const FOLLOWS = ['context_create', 'request_headers', 'request_body', 'request_trailers', 'response_headers'];
const NOOP = [...FOLLOWS, 'response_body', 'done', 'delete'].map((name) => `proxy_on_${name}`);

/** Each module needs these. What the host hands over lands in a place that the next request uses again. */
const BASE = `
let at: usize = __heap_base;
export function proxy_abi_version_0_2_1(): void {}
export function proxy_on_memory_allocate(size: usize): usize {
  const result = at;
  at += (size + 15) & ~15;
  while (at > (memory.size() as usize) << 16) memory.grow(1);
  return result;
}
export function proxy_on_vm_start(root: u32, size: u32): u32 { return 1; }
export function proxy_on_configure(root: u32, size: u32): u32 { return 1; }
`;

/** @param server the one that every request goes to */
function readsBody(server: string): Record<string, string> {
  return {
    proxy_on_request_headers: '(id: u32, count: u32, ended: u32): u32 { return ended ? 0 : 1; }',
    proxy_on_request_body: `(id: u32, size: u32, ended: u32): u32 {
      if (!ended) return 1;
      at = __heap_base;
      read(0, 0, size, OUT, OUT + 4);
      replace(0, ${text('x-mcp-servername')}, ${text(server)});
      return 0;
    }`,
  };
}

const IMPORTS = `
@external("env", "proxy_get_buffer_bytes")
declare function read(type: u32, start: u32, size: u32, data: usize, length: usize): u32;
@external("env", "proxy_replace_header_map_value")
declare function replace(map: u32, name: usize, nameSize: usize, value: usize, valueSize: usize): u32;
const OUT: usize = memory.data(8, 4);
`;

/** Address and length of a constant, as two parameters. */
function text(value: string): string {
  return `memory.data<u8>([${[...Buffer.from(value)].join(',')}]), ${value.length}`;
}

/**
 * Compiles them into a folder.
 * @param sluice the module whose exports `exports` has
 * @param server that `floor` and `exports` name
 */
export async function buildFloors(folder: string, sluice: string, server: string): Promise<Floors> {
  const reading = { ...CALLBACKS, ...readsBody(server) };
  const module = new WebAssembly.Module(readFileSync(sluice));
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
  const [noop, floor, exports] = await Promise.all([
    compile(folder, 'noop', BASE + functions(CALLBACKS, NOOP)),
    compile(folder, 'floor', IMPORTS + BASE + functions(reading, Object.keys(readsBody(server)))),
    compile(folder, 'exports', IMPORTS + BASE + functions(reading, exported)),
  ]);
  return { noop, floor, exports };
}

function functions(bodies: Readonly<Record<string, string>>, names: readonly string[]): string {
  return names.flatMap((name) => (name in bodies ? [`export function ${name}${bodies[name] ?? ''}\n`] : [])).join('');
}

async function compile(folder: string, name: string, source: string): Promise<string> {
  writeFileSync(join(folder, `${name}.ts`), source);
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const options = ['--runtime', 'stub', '--exportStart', '_initialize', '-O3', '--outFile', `${name}.wasm`];
  await promisify(execFile)(process.execPath, [asc, `${name}.ts`, ...options], { cwd: folder });
  return join(folder, `${name}.wasm`);
}
