// The binary format, as far as a host has to look into it. (cpp-host: bytecode_util.cc)
import { Cursor, fail } from './cursor.ts';
import type { AbiVersion, FunctionType } from './abi.ts';

interface Limits {
  readonly initial: number;
  readonly maximum?: number;
  readonly shared?: boolean;
}
type ImportType =
  | { readonly kind: 'function'; readonly type: FunctionType }
  | { readonly kind: 'table'; readonly element: string; readonly limits: Limits }
  | { readonly kind: 'memory'; readonly limits: Limits }
  | { readonly kind: 'global' | 'tag' };
type ModuleImport = ImportType & { readonly module: string; readonly name: string };

/** What a module asks for and offers. */
export interface ModuleLayout {
  readonly imports: readonly ModuleImport[];
  readonly functions: ReadonlyMap<string, FunctionType>;
  readonly exportsTag: boolean;
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const HEADER_LENGTH = 8;
const Section = { custom: 0, type: 1, import: 2, function: 3, export: 7 } as const;
const externKinds = ['function', 'table', 'memory', 'global', 'tag'] as const;
const abiMarkers: ReadonlyMap<string, AbiVersion> = new Map([
  ['proxy_abi_version_0_1_0', '0.1.0'],
  ['proxy_abi_version_0_2_0', '0.2.0'],
  ['proxy_abi_version_0_2_1', '0.2.1'],
]);
const valueTypes: ReadonlyMap<number, string> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
]);
/** `(ref null? heap)`: the heap type follows. */
const typedReferences: readonly number[] = [0x63, 0x64];
const FUNCTION_FORM = 0x60;

/** The version that the first function export with a marker's name stands for; its type is not looked at. */
export function abiVersion(bytes: Uint8Array): AbiVersion | undefined {
  for (const [id, section] of sections(bytes)) {
    if (id !== Section.export) continue;
    for (let rest = section.u32(); rest > 0; rest--) {
      const name = section.name();
      const kind = externKinds[section.byte()];
      section.u32();
      const version = abiMarkers.get(name);
      if (kind === 'function' && version) return version;
    }
    return undefined;
  }
  return undefined;
}

/** Whether the module has a name section that names functions: only then a trap comes with a backtrace. */
export function hasFunctionNames(bytes: Uint8Array): boolean {
  let named = false;
  for (const [id, section] of sections(bytes)) {
    if (id === Section.custom && section.name() === 'name' && !named) named = namesFunctions(section);
  }
  return named;
}

function namesFunctions(section: Cursor): boolean {
  let named = false;
  while (!section.done) {
    const id = section.byte();
    const names = section.part(section.u32());
    if (id !== 1) continue;
    for (let rest = names.u32(); rest > 0; rest--) {
      names.u32();
      names.name();
      named = true;
    }
    if (!names.done) fail('the names of its functions end late');
  }
  return named;
}

/** @throws LoadError for what no engine would have compiled, and for types of the GC proposal */
export function readLayout(bytes: Uint8Array): ModuleLayout {
  const types: FunctionType[] = [];
  const imports: ModuleImport[] = [];
  const functionTypes: FunctionType[] = [];
  const functions = new Map<string, FunctionType>();
  let exportsTag = false;
  const typeAt = (index: number): FunctionType => types[index] ?? fail(`there is no type ${index}`);

  for (const [id, section] of sections(bytes)) {
    if (id === Section.type) each(section, () => types.push(functionType(section)));
    if (id === Section.import) {
      each(section, () => {
        const imported = { module: section.name(), name: section.name(), ...importType(section, typeAt) };
        imports.push(imported);
        if (imported.kind === 'function') functionTypes.push(imported.type);
      });
    }
    if (id === Section.function) each(section, () => functionTypes.push(typeAt(section.u32())));
    if (id === Section.export) {
      each(section, () => {
        const name = section.name();
        const kind = externKinds[section.byte()];
        const index = section.u32();
        if (kind === 'function') functions.set(name, functionTypes[index] ?? fail(`there is no function ${index}`));
        if (kind === 'tag') exportsTag = true;
      });
    }
  }
  return { imports, functions, exportsTag };
}

function each(section: Cursor, read: () => unknown): void {
  for (let rest = section.u32(); rest > 0; rest--) read();
}

function functionType(section: Cursor): FunctionType {
  const form = section.byte();
  if (form !== FUNCTION_FORM) fail(`a type has the form 0x${form.toString(16)}, which this host does not know`);
  return { params: valueTypesOf(section), results: valueTypesOf(section) };
}

function valueTypesOf(section: Cursor): string[] {
  const found: string[] = [];
  each(section, () => found.push(valueType(section)));
  return found;
}

function valueType(section: Cursor): string {
  const code = section.byte();
  if (!typedReferences.includes(code)) return valueTypes.get(code) ?? 'unknown';
  section.leb(5);
  return 'unknown';
}

function importType(section: Cursor, typeAt: (index: number) => FunctionType): ImportType {
  const code = section.byte();
  const kind = externKinds[code] ?? fail(`an import has the kind ${code}`);
  switch (kind) {
    case 'function':
      return { kind, type: typeAt(section.u32()) };
    case 'table':
      return { kind, element: valueType(section), limits: limits(section) };
    case 'memory':
      return { kind, limits: limits(section) };
    case 'global':
      valueType(section);
      section.byte();
      return { kind };
    case 'tag':
      section.byte();
      section.u32();
      return { kind };
  }
}

function limits(section: Cursor): Limits {
  const flags = section.byte();
  const bytes = flags & 4 ? 10 : 5; // memory64
  const initial = section.leb(bytes);
  if (!(flags & 1)) return { initial };
  return { initial, maximum: section.leb(bytes), shared: (flags & 2) !== 0 };
}

/** The version behind the magic is not looked at, and what is shorter than the header has no sections: so does Envoy. */
function* sections(bytes: Uint8Array): Generator<[id: number, content: Cursor]> {
  if (bytes.length < HEADER_LENGTH) return;
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) fail('it does not begin with \\0asm');
  const all = new Cursor(bytes.subarray(HEADER_LENGTH));
  while (!all.done) yield [all.byte(), all.part(all.u32())];
}
