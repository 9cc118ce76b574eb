// A module says in its binary how far its memory may grow, or says nothing: 4 GiB. No engine limits that for a thread.

const headerLength = 8;
const sectionIds = { import: 2, memory: 5 } as const;
const externKinds = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
/** Reference types that are followed by a heap type. */
const typedReferences = [0x63, 0x64];

/**
 * The same module, each of its memories limited to `pages` of 64 KiB: to grow beyond fails, as it may at any time. What
 * is no module comes back as it is, for an engine to refuse.
 * @returns undefined for a module that begins with more
 */
export function limitMemory(module: Uint8Array, pages: number): Uint8Array | undefined {
  try {
    return rewrite(module, pages);
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    if (error instanceof NoModule) return module;
    throw error;
  }
}

class TooLarge extends Error {}
class NoModule extends Error {}

function rewrite(module: Uint8Array, pages: number): Uint8Array {
  const reader = new Reader(module, Math.min(headerLength, module.length));
  const parts = [module.subarray(0, reader.at)];
  while (reader.at < module.length) {
    const start = reader.at;
    const id = reader.byte();
    const size = reader.number();
    const content = reader.take(size);
    if (id === sectionIds.memory) parts.push(section(id, memories(content, pages)));
    else if (id === sectionIds.import) parts.push(section(id, imports(content, pages)));
    else parts.push(module.subarray(start, reader.at));
  }
  return Buffer.concat(parts);
}

function section(id: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(id), leb(content.length), content]);
}

function memories(content: Uint8Array, pages: number): Uint8Array {
  const reader = new Reader(content, 0);
  const count = reader.number();
  const parts = [leb(count)];
  for (let rest = count; rest > 0; rest--) parts.push(limits(reader, pages));
  return Buffer.concat(parts);
}

function imports(content: Uint8Array, pages: number): Uint8Array {
  const reader = new Reader(content, 0);
  const count = reader.number();
  const parts = [leb(count)];
  for (let rest = count; rest > 0; rest--) {
    const start = reader.at;
    reader.take(reader.number());
    reader.take(reader.number());
    const kind = reader.byte();
    if (kind === externKinds.memory) {
      parts.push(content.subarray(start, reader.at), limits(reader, pages));
      continue;
    }
    if (kind === externKinds.function) reader.number();
    else if (kind === externKinds.global) valueType(reader).byte();
    else if (kind === externKinds.tag) {
      reader.byte();
      reader.number();
    } else if (kind === externKinds.table) skipLimits(valueType(reader));
    else throw new NoModule();
    parts.push(content.subarray(start, reader.at));
  }
  return Buffer.concat(parts);
}

function valueType(reader: Reader): Reader {
  if (typedReferences.includes(reader.byte())) reader.number();
  return reader;
}

function skipLimits(reader: Reader): void {
  const flags = reader.byte();
  reader.number();
  if (flags & 1) reader.number();
}

/** Reads the limits of a memory and returns others, with a maximum. */
function limits(reader: Reader, pages: number): Uint8Array {
  const flags = reader.byte();
  const initial = reader.number();
  const maximum = flags & 1 ? reader.number() : Infinity;
  if (initial > pages) throw new TooLarge();
  return Buffer.concat([Uint8Array.of(flags | 1), leb(initial), leb(Math.min(maximum, pages))]);
}

class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new NoModule();
    return byte;
  }

  /** Unsigned LEB128; what a 64-bit memory may have fits, since a double is exact far beyond any limit here. */
  number(): number {
    let value = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new NoModule();
  }

  take(length: number): Uint8Array {
    const start = this.at;
    this.at += length;
    if (this.at > this.#bytes.length) throw new NoModule();
    return this.#bytes.subarray(start, this.at);
  }
}

function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}
