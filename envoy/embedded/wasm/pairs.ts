// Header maps on their way through linear memory, both directions. (cpp-host: pairs_util.cc)
//
//     u32 count │ count × (u32 name length, u32 value length) │ count × (name 00 value 00), little endian

export type Pair = readonly [name: string, value: string];

/** The most that a module may send. (cpp-host: limits.h) */
const MOST_PAIRS = 1024;
const MOST_BYTES = 1024 * 1024;

/** Names and values are latin1. No pairs are no bytes at all. */
export function encodePairs(pairs: Iterable<Pair>): Uint8Array {
  const list = [...pairs];
  if (list.length === 0) return new Uint8Array(0);
  const lengths = Buffer.alloc(4 + 8 * list.length);
  lengths.writeUInt32LE(list.length);
  list.forEach(([name, value], index) => {
    lengths.writeUInt32LE(name.length, 4 + 8 * index);
    lengths.writeUInt32LE(value.length, 8 + 8 * index);
  });
  const texts = list.map(([name, value]) => `${name}\0${value}\0`).join('');
  return new Uint8Array(Buffer.concat([lengths, Buffer.from(texts, 'latin1')]));
}

/** What is malformed, or more than 1024 pairs or 1 MiB, is no pairs at all: Envoy says nothing about it either. */
export function decodePairs(bytes: Uint8Array): Pair[] {
  if (bytes.length < 4 || bytes.length > MOST_BYTES) return [];
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = buffer.readUInt32LE();
  let at = 4 + 8 * count;
  if (count > MOST_PAIRS || at > buffer.length) return [];

  const pairs: Pair[] = [];
  for (let index = 0; index < count; index++) {
    const nameEnd = at + buffer.readUInt32LE(4 + 8 * index);
    const valueEnd = nameEnd + 1 + buffer.readUInt32LE(8 + 8 * index);
    if (buffer[nameEnd] !== 0 || buffer[valueEnd] !== 0) return [];
    pairs.push([buffer.toString('latin1', at, nameEnd), buffer.toString('latin1', nameEnd + 1, valueEnd)]);
    at = valueEnd + 1;
  }
  return at === buffer.length ? pairs : [];
}
