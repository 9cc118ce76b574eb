import binaryen from 'binaryen';
import { compileModule } from '../../../proxy-wasm/compile.ts';
import { WasmVm, type VmOptions } from '../../../envoy/embedded/wasm/vm.ts';

/** Bytes of a module in text form. */
export function assemble(text: string, { names = false } = {}): Uint8Array {
  binaryen.setDebugInfo(names);
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(binaryen.Features.All & ~binaryen.Features.GC);
    return module.emitBinary();
  } finally {
    module.dispose();
    binaryen.setDebugInfo(false);
  }
}

export const memory = '(memory (export "memory") 2)';
export const marker = '(func (export "proxy_abi_version_0_2_1"))';
/** Gives the same block each time. */
export const malloc = '(func (export "malloc") (param i32) (result i32) (i32.const 4096))';

/** A module that Envoy loads, with more in it. */
export function plugin(fields: string, imports = '', options?: { names: boolean }): Uint8Array {
  return assemble(`(module ${imports} ${memory} ${marker} ${malloc} ${fields})`, options);
}

/** A VM whose host writes down what it is told. */
export function makeVm(
  bytes: Uint8Array,
  options: Partial<VmOptions> = {},
  capabilities?: readonly string[],
): { vm: WasmVm; logged: string[]; reported: string[] } {
  const logged: string[] = [];
  const reported: string[] = [];
  const vm = new WasmVm(compileModule(bytes, capabilities), {
    functions: {},
    environment: {},
    now: () => 0,
    log: (from, level, text) => logged.push(`${from.contextId} ${level} ${text}`),
    report: (level, text) => reported.push(`${level} ${text}`),
    ...options,
  });
  return { vm, logged, reported };
}
