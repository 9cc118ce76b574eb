// Header maps on their way through linear memory, both directions. (cpp-host: pairs_util.cc)
//
//     u32 count │ count × (u32 name length, u32 value length) │ count × (name 00 value 00), little endian

export type Pair = readonly [name: string, value: string];

/** The most that a module may send. (cpp-host: limits.h) */
const MOST_PAIRS = 1024;
const MOST_BYTES = 1024 * 1024;

/** How many bytes `writePairs` writes. @param flat names and values in turns; none are no bytes at all */
export function pairsLength(flat: readonly string[]): number {
  let length = 4;
  for (const text of flat) length += 4 + text.length + 1;
  return flat.length === 0 ? 0 : length;
}

/** Names and values are latin1. */
export function writePairs(flat: readonly string[], target: Buffer, start: number): void {
  if (flat.length === 0) return;
  let at = target.writeUInt32LE(flat.length / 2, start);
  for (const { length } of flat) at = target.writeUInt32LE(length, at);
  target.write(`${flat.join('\0')}\0`, at, 'latin1');
}

export function encodePairs(flat: readonly string[]): Buffer {
  const bytes = Buffer.alloc(pairsLength(flat));
  writePairs(flat, bytes, 0);
  return bytes;
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
