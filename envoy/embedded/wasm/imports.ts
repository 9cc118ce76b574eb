import type { AbiVersion } from '../../../proxy-wasm/abi.ts';
import type { ModuleLayout } from '../../../proxy-wasm/bytecode.ts';
import { hostImport, type HostImport } from '../../../proxy-wasm/signatures.ts';
import { WebAssembly, type Import, type Memory } from '../../../proxy-wasm/webassembly.ts';

/** As the engine calls it: signed, and i64 as BigInt. */
export type ImportedFunction = (...args: (number | bigint)[]) => number | undefined;

interface Imports {
  readonly imports: Readonly<Record<string, Readonly<Record<string, Import>>>>;
  /** Where the module wants to be given its memory. */
  readonly memory: Memory | undefined;
}

/** Everything that a checked module asks for. @throws RangeError for a memory or table that cannot be made */
export function makeImports(
  { imports }: ModuleLayout,
  abi: AbiVersion,
  makeFunction: (found: HostImport) => ImportedFunction,
): Imports {
  const modules = new Map<string, Map<string, Import>>();
  let memory: Memory | undefined;
  for (const wanted of imports) {
    const entries = modules.get(wanted.module) ?? new Map<string, Import>();
    modules.set(wanted.module, entries);
    if (wanted.kind === 'memory') {
      memory = new WebAssembly.Memory(wanted.limits);
      entries.set(wanted.name, memory);
    } else if (wanted.kind === 'table') {
      const element = wanted.element === 'funcref' ? 'anyfunc' : wanted.element;
      entries.set(wanted.name, new WebAssembly.Table({ element, ...wanted.limits }));
    } else {
      const found = hostImport(wanted.module, wanted.name, abi);
      if (found) entries.set(wanted.name, makeFunction(found));
    }
  }
  // fromEntries defines what an assignment would not: the names are the module's, `__proto__` is one.
  const objects = Array.from(modules, ([name, entries]) => [name, Object.fromEntries(entries)] as const);
  return { imports: Object.fromEntries(objects), memory };
}
