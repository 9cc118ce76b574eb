// A filter that does nothing: what a WebAssembly filter costs before it has done anything.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The callbacks that Sluice has, in AssemblyScript. No host call hands it bytes, so it never allocates. */
const SOURCE = `
export function proxy_abi_version_0_2_1(): void {}
export function proxy_on_memory_allocate(size: usize): usize { return 0; }
export function proxy_on_vm_start(root: u32, size: u32): u32 { return 1; }
export function proxy_on_configure(root: u32, size: u32): u32 { return 1; }
export function proxy_on_context_create(id: u32, root: u32): void {}
export function proxy_on_request_headers(id: u32, count: u32, ended: u32): u32 { return 0; }
export function proxy_on_request_body(id: u32, size: u32, ended: u32): u32 { return 0; }
export function proxy_on_request_trailers(id: u32, count: u32): u32 { return 0; }
export function proxy_on_response_headers(id: u32, count: u32, ended: u32): u32 { return 0; }
export function proxy_on_response_body(id: u32, size: u32, ended: u32): u32 { return 0; }
export function proxy_on_done(id: u32): u32 { return 1; }
export function proxy_on_delete(id: u32): void {}
`;

/** Compiles it into a folder; the path of the module. */
export async function buildNoop(folder: string): Promise<string> {
  writeFileSync(join(folder, 'noop.ts'), SOURCE);
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const options = ['--runtime', 'stub', '--exportStart', '_initialize', '-O3', '--outFile', 'noop.wasm'];
  await promisify(execFile)(process.execPath, [asc, 'noop.ts', ...options], { cwd: folder });
  return join(folder, 'noop.wasm');
}
