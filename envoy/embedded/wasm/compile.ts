import { setFlagsFromString } from 'node:v8';
import { type Bytecode, type Signature, readBytecode } from './bytecode.ts';
import { LoadError } from './load-error.ts';
import {
  type AbiVersion,
  abiMarkers,
  callbacks,
  callbacks010,
  hostFunctions,
  printSignature,
  runtimeFunctions,
  wasiFunctions,
} from './signatures.ts';
import { type CompiledCode, WebAssembly } from './webassembly.ts';

/** Code that passed every check that does not need to run it. */
export interface CompiledModule {
  readonly code: CompiledCode;
  readonly abi: AbiVersion;
  readonly bytecode: Bytecode;
  /** `malloc`, or the ABI's own name for it. */
  readonly allocator: string;
}

/** 1 GiB: what Envoy lets a VM have. (cpp-host: limits.h) */
const mostPages = 16_384;
setFlagsFromString(`--wasm-max-mem-pages=${mostPages}`);

/**
 * Checks a module as Envoy does when it loads it, and compiles it.
 * @throws LoadError with Envoy's own text
 */
export function compileModule(bytes: Uint8Array): CompiledModule {
  const bytecode = readBytecode(bytes);
  const abi = abiOf(bytecode);
  const code = compile(bytes);
  checkImports(bytecode, abi);
  checkExports(bytecode, abi);
  const allocator = ['malloc', 'proxy_on_memory_allocate'].find((name) => bytecode.functions.has(name));
  if (allocator === undefined) throw new LoadError('Wasm module is missing malloc function.');
  return { code, abi, bytecode, allocator };
}

function abiOf({ functions }: Bytecode): AbiVersion {
  for (const name of functions.keys()) {
    const version = abiMarkers.get(name);
    if (version !== undefined) return version;
  }
  throw new LoadError('Missing or unknown Proxy-Wasm ABI version');
}

function compile(bytes: Uint8Array): CompiledCode {
  try {
    return new WebAssembly.Module(bytes);
  } catch {
    throw new LoadError('Failed to load Wasm bytecode');
  }
}

/** The signature of an import, or undefined where the host has none of this name. */
function importSignature(module: string, name: string, abi: AbiVersion): Signature | undefined {
  if (module === 'env') return own(hostFunctions[abi], name) ?? own(runtimeFunctions, name);
  if (module === 'wasi_snapshot_preview1' || module === 'wasi_unstable') return own(wasiFunctions, name);
  return undefined;
}

function own(table: Readonly<Record<string, Signature>>, name: string): Signature | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function checkImports({ imports }: Bytecode, abi: AbiVersion): void {
  for (const { module, name, kind, signature } of imports) {
    const qualified = `${module}.${name}`;
    if (kind === 'memory') continue;
    if (kind === 'global' || kind === 'tag') {
      throw new LoadError(`Failed to load Wasm module due to a missing import: ${qualified}`);
    }
    if (kind === 'table') throw new LoadError(`Failed to load Wasm module due to a missing import: ${qualified}`);
    const host = importSignature(module, name, abi);
    if (host === undefined) throw new LoadError(`Failed to load Wasm module due to a missing import: ${qualified}`);
    if (host === signature) continue;
    throw new LoadError(
      `Failed to load Wasm module due to an import type mismatch: ${qualified}, ` +
        `want: ${printSignature(signature)}, but host exports: ${printSignature(host)}`,
    );
  }
}

function checkExports({ functions }: Bytecode, abi: AbiVersion): void {
  const expected = abi === '0.1.0' ? callbacks010 : callbacks;
  for (const [name, signature] of functions) {
    const host = own(expected, name);
    if (host === undefined || host === signature) continue;
    // `main` is called after `_initialize` only: a function of that name is anybody's otherwise.
    if ((name === 'main' || name === '__main_void') && !functions.has('_initialize')) continue;
    throw new LoadError(
      `Bad function signature for: ${name}, want: ${printSignature(host)}, ` +
        `but the module exports: ${printSignature(signature)}`,
    );
  }
}
