// The sections of a module that JavaScript's own API does not show: types of imports and exports, the start function.
import { LoadError } from './load-error.ts';

/** Value types by their first letter, parameters before `>`: `iI>i` is (i32, i64) → i32. */
export type Signature = string;

interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  /** Of a function. */
  readonly signature: Signature;
  /** Of a memory, in pages. */
  readonly initialPages: number;
}

export interface Bytecode {
  readonly imports: readonly ImportEntry[];
  /** Exported functions by name, in their order. */
  readonly functions: ReadonlyMap<string, Signature>;
  readonly exportsMemory: boolean;
}

const sections = { type: 1, import: 2, function: 3, export: 7 } as const;
const kinds = ['function', 'table', 'memory', 'global', 'tag'] as const;
const valueTypes = new Map([
  [0x7f, 'i'],
  [0x7e, 'I'],
  [0x7d, 'f'],
  [0x7c, 'F'],
  [0x7b, 'v'],
  [0x70, 'r'],
  [0x6f, 'r'],
]);

/**
 * Reads the sections of a wasm binary.
 * @throws LoadError for what is none, or is torn
 */
export function readBytecode(bytes: Uint8Array): Bytecode {
  const reader = new Reader(bytes);
  if (reader.word() !== 0x6d736100 || reader.word() !== 1) throw corrupted();
  const types: Signature[] = [];
  const imports: ImportEntry[] = [];
  const functionTypes: Signature[] = [];
  const functions = new Map<string, Signature>();
  let exportsMemory = false;
  while (!reader.atEnd) {
    const id = reader.byte();
    const section = reader.part(reader.unsigned());
    if (id === sections.type) {
      section.each(() => types.push(readType(section)));
    } else if (id === sections.import) {
      section.each(() => {
        const entry = readImport(section, types);
        imports.push(entry);
        if (entry.kind === 'function') functionTypes.push(entry.signature);
      });
    } else if (id === sections.function) {
      section.each(() => functionTypes.push(at(types, section.unsigned())));
    } else if (id === sections.export) {
      section.each(() => {
        const name = section.name();
        const kind = section.byte();
        const index = section.unsigned();
        if (kind === 0) functions.set(name, at(functionTypes, index));
        if (kind === 2) exportsMemory = true;
      });
    }
  }
  return { imports, functions, exportsMemory };
}

function corrupted(): LoadError {
  return new LoadError('Failed to parse corrupted Wasm module');
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw corrupted();
  return item;
}

function readType(section: Reader): Signature {
  if (section.byte() !== 0x60) return '?'; // a type of a proposal that no supported Envoy has; compiling says the rest
  const types = (): string => {
    let text = '';
    section.each(() => (text += valueTypes.get(section.byte()) ?? '?'));
    return text;
  };
  const parameters = types();
  return `${parameters}>${types()}`;
}

function readImport(section: Reader, types: readonly Signature[]): ImportEntry {
  const module = section.name();
  const name = section.name();
  const kind = kinds[section.byte()];
  if (kind === undefined) throw corrupted();
  let signature = '';
  let initialPages = 0;
  if (kind === 'function') signature = at(types, section.unsigned());
  else if (kind === 'memory') initialPages = section.limits();
  else if (kind === 'table') {
    section.byte();
    section.limits();
  } else {
    section.byte();
    section.unsigned();
  }
  return { module, name, kind, signature, initialPages };
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw corrupted();
    return byte;
  }

  word(): number {
    return (this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)) >>> 0;
  }

  /** LEB128, of 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw corrupted();
  }

  part(length: number): Reader {
    if (length > this.#bytes.length - this.#at) throw corrupted();
    const part = new Reader(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return part;
  }

  name(): string {
    const { length } = this.#bytes;
    const size = this.unsigned();
    if (size > length - this.#at) throw corrupted();
    const text = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, size).toString('utf8');
    this.#at += size;
    return text;
  }

  /** Runs once for each entry of a vector; entries are bytes, so a count that lies ends at the end of the section. */
  each(entry: () => void): void {
    for (let count = this.unsigned(); count > 0; count--) entry();
  }

  /** The lower of two limits. */
  limits(): number {
    const hasMaximum = (this.byte() & 1) !== 0;
    const initial = this.unsigned();
    if (hasMaximum) this.unsigned();
    return initial;
  }
}
