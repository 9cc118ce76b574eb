// Everything that Envoy checks of a module before any of its code runs. (cpp-host: wasm.cc, v8.cc)
import type { AbiVersion, FunctionType } from './abi.ts';
import { notAccepted } from './host-assertion.ts';
import { abiVersion, hasFunctionNames, readLayout, type ModuleLayout } from './bytecode.ts';
import { unlinkable, unloadable } from './load-error.ts';
import { callbackTypes, entryPointTypes, hostImport, importType } from './signatures.ts';
import { WebAssembly, type Module } from './webassembly.ts';

/** Checked and compiled once, for all VMs of a plugin. */
export interface CompiledModule {
  readonly module: Module;
  readonly abi: AbiVersion;
  readonly layout: ModuleLayout;
  /** Whether a trap comes with a backtrace. */
  readonly named: boolean;
  readonly exports: LinkedExports;
  readonly capabilities: Capabilities;
}

interface LinkedExports {
  /** Called in this order when a VM begins. */
  readonly start: readonly string[];
  readonly malloc: string;
  /** Those that the host will call. */
  readonly callbacks: ReadonlySet<string>;
}

/** capability_restriction_config.allowed_capabilities; undefined or empty: everything. */
export type Capabilities = readonly string[] | undefined;

export function allows(capabilities: Capabilities, name: string): boolean {
  return !capabilities?.length || capabilities.includes(name);
}

/**
 * @param capabilities what of the host is not in them refuses, what of the module is not in them is not called
 * @throws LoadError whose message is Envoy's own
 * @throws HostAssertion for a module with types that Envoy does not accept at its border
 */
export function compileModule(bytes: Uint8Array, capabilities?: Capabilities): CompiledModule {
  const abi = abiVersion(bytes);
  if (!abi) throw unloadable('Missing or unknown Proxy-Wasm ABI version');
  const named = hasFunctionNames(bytes);
  const module = compile(bytes);
  const layout = readLayout(bytes);
  assertDescribable(layout);
  checkImports(layout, abi);
  return { module, abi, layout, named, exports: linkExports(layout, abi, capabilities), capabilities };
}

function compile(bytes: Uint8Array): Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw unloadable('Failed to load Wasm bytecode', error);
  }
}

/** Types that V8's C API, through which Envoy sees a module, has no words for, whether they are used or not. (v8: c-api.cc) */
function assertDescribable({ imports, functions, exportsTag }: ModuleLayout): void {
  if (exportsTag || imports.some(({ kind }) => kind === 'tag')) {
    throw notAccepted('the module imports or exports an exception tag');
  }
  const imported = imports.flatMap((each) => (each.kind === 'function' ? [[each.name, each.type] as const] : []));
  for (const [name, { params, results }] of [...imported, ...functions]) {
    if (![...params, ...results].includes('v128')) continue;
    throw notAccepted(`v128 in the signature of ${name}, which is imported or exported`);
  }
}

function checkImports({ imports }: ModuleLayout, abi: AbiVersion): void {
  for (const wanted of imports) {
    if (wanted.kind === 'memory' || wanted.kind === 'table') continue;
    const path = `${wanted.module}.${wanted.name}`;
    const found = wanted.kind === 'function' ? hostImport(wanted.module, wanted.name, abi) : undefined;
    if (wanted.kind !== 'function' || !found) {
      throw unlinkable(`Failed to load Wasm module due to a missing import: ${path}`);
    }
    const [want, offer] = [typeText(wanted.type), typeText(importType(found))];
    if (want === offer) continue;
    const mismatch = `${path}, want: ${want}, but host exports: ${offer}`;
    throw unlinkable(`Failed to load Wasm module due to an import type mismatch: ${mismatch}`);
  }
}

/** Every export of another type is told, and the first one is the message. */
function linkExports({ functions }: ModuleLayout, abi: AbiVersion, capabilities: Capabilities): LinkedExports {
  const mismatches: string[] = [];
  const isLinked = (name: string, wanted: FunctionType | undefined): boolean => {
    const found = functions.get(name);
    if (!found || !wanted || typeText(found) === typeText(wanted)) return found !== undefined;
    const types = `want: ${typeText(wanted)}, but the module exports: ${typeText(found)}`;
    mismatches.push(`Bad function signature for: ${name}, ${types}`);
    return false;
  };
  const firstOf = (...names: string[]): string[] => {
    const first = names.find((name) => isLinked(name, entryPointTypes.get(name)));
    return first === undefined ? [] : [first];
  };

  const reactor = firstOf('_initialize');
  const start = reactor.length > 0 ? [...reactor, ...firstOf('main', '__main_void')] : firstOf('_start');
  const [malloc] = firstOf('malloc', 'proxy_on_memory_allocate');
  const callbacks = new Set<string>();
  for (const [name, type] of callbackTypes(abi)) {
    if ((isEnvoysOwn(name) || allows(capabilities, name)) && isLinked(name, type)) callbacks.add(name);
  }

  if (malloc === undefined) throw missingMalloc(mismatches);
  const [first] = mismatches;
  if (first !== undefined) throw unlinkable(first, undefined, mismatches);
  return { start, malloc, callbacks };
}

function missingMalloc(mismatches: readonly string[]): Error {
  const message = 'Wasm module is missing malloc function.';
  return unlinkable(mismatches[0] ?? message, undefined, [...mismatches, `Wasm VM failed ${message}`]);
}

/** Capabilities are those of proxy-wasm and WASI; what Envoy adds is always there. */
export function isEnvoysOwn(name: string): boolean {
  return name.startsWith('envoy_');
}

/** `i32 i64 -> i32`, as Envoy prints it. */
export function typeText({ params, results }: FunctionType): string {
  return `${params.join(' ') || 'void'} -> ${results.join(' ') || 'void'}`;
}
