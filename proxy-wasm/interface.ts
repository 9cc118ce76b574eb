import type { AbiVersion } from './abi.ts';
import { abiVersion, readLayout } from './bytecode.ts';
import { compileModule, typeText } from './compile.ts';
import { HostAssertion } from './host-assertion.ts';
import { LoadError } from './load-error.ts';
import { hostImport, importType } from './signatures.ts';

/** What a module asks of its host and offers to it; a fact about its bytes, so it is found out once and kept. */
export interface ModuleInterface {
  readonly abi: AbiVersion;
  readonly imports: readonly ModuleImport[];
  /** Names of the exported functions, in the order of the module. */
  readonly exports: readonly string[];
}

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  /** The type of a function, like `i32 i64 -> i32`. */
  readonly type?: string;
}

/**
 * What a stock Envoy (1.40.0, where it was measured) has for an import: `envoy` the import as it is wanted, `other type` a function
 * of this name with other parameters, `missing` nothing. A module that has one of the last two is not loaded there.
 */
export type ImportLabel = 'envoy' | 'other type' | 'missing';

/** Sections are counted by the module: no more imports, or exports, than this are read. */
const mostEntries = 10_000;

/**
 * Reads the interface of a valid module. Returns the reason where no host would know what to do with it: it says of no
 * known proxy-wasm ABI that it is written for.
 */
export function readInterface(bytes: Uint8Array): ModuleInterface | string {
  try {
    const abi = abiVersion(bytes);
    const { imports, functions } = readLayout(bytes);
    const exports = [...functions.keys()];
    if (abi === undefined) return missingAbi(exports);
    if (imports.length + exports.length > mostEntries) return `it has more than ${mostEntries} imports and exports`;
    return { abi, imports: imports.map(described), exports };
  } catch (error) {
    if (error instanceof LoadError) return error.message;
    throw error;
  }
}

/** Why a stock Envoy would not load the module, in Envoy's own words; `undefined` where it would. */
export function envoyRefusal(bytes: Uint8Array): string | undefined {
  try {
    compileModule(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof LoadError || error instanceof HostAssertion) return error.message;
    throw error;
  }
}

export function importLabel(wanted: ModuleImport, abi: AbiVersion): ImportLabel {
  // Whatever a module wants of these two, it is given. (cpp-host: v8.cc, link)
  if (wanted.kind === 'memory' || wanted.kind === 'table') return 'envoy';
  const found = wanted.kind === 'function' ? hostImport(wanted.module, wanted.name, abi) : undefined;
  if (found === undefined) return 'missing';
  return typeText(importType(found)) === wanted.type ? 'envoy' : 'other type';
}

function described(wanted: ReturnType<typeof readLayout>['imports'][number]): ModuleImport {
  const { module, name, kind } = wanted;
  return kind === 'function' ? { module, name, kind, type: typeText(wanted.type) } : { module, name, kind };
}

/** Envoy's words for it are `Missing or unknown Proxy-Wasm ABI version`; Higress' own ABI ends here, for one. */
function missingAbi(exports: readonly string[]): string {
  const known = 'proxy_abi_version_0_1_0, 0_2_0 or 0_2_1';
  const other = exports.find((name) => name.startsWith('proxy_abi_version_'));
  if (other !== undefined) return `it is made for another host: it exports ${other.slice(0, 64)}, Envoy knows ${known}`;
  return `it is no proxy-wasm plugin: it exports none of ${known}`;
}
