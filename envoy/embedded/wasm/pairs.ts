// Header maps on the wire: u32 count, {u32 name length, u32 value length} for each, then name NUL value NUL for each.
import type { Header } from '../header-map.ts';

/** What a host takes. (cpp-host: pairs_util.cc) */
const mostPairs = 1024;
const mostBytes = 1 << 20;

/** No bytes at all for no pairs. */
export function encodePairs(pairs: Iterable<Header>): Uint8Array {
  return encodeBytePairs(Array.from(pairs, ([name, value]) => [latin1(name), latin1(value)] as const));
}

export function encodeBytePairs(pairs: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  if (pairs.length === 0) return new Uint8Array(0);
  const size = pairs.reduce((sum, [name, value]) => sum + 8 + name.length + 1 + value.length + 1, 4);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, pairs.length, true);
  let lengths = 4;
  let at = 4 + pairs.length * 8;
  for (const [name, value] of pairs) {
    view.setUint32(lengths, name.length, true);
    view.setUint32(lengths + 4, value.length, true);
    lengths += 8;
    bytes.set(name, at);
    at += name.length + 1;
    bytes.set(value, at);
    at += value.length + 1;
  }
  return bytes;
}

/** What does not fill its bytes exactly, or is too much, is no pairs: Envoy says nothing of it either. */
export function decodePairs(bytes: Uint8Array): Header[] {
  if (bytes.length < 4 || bytes.length > mostBytes) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = view.getUint32(0, true);
  if (count > mostPairs || 4 + count * 8 > bytes.length) return [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const pairs: Header[] = [];
  let at = 4 + count * 8;
  for (let index = 0; index < count; index++) {
    const nameEnd = at + view.getUint32(4 + index * 8, true);
    const valueEnd = nameEnd + 1 + view.getUint32(8 + index * 8, true);
    if (valueEnd >= bytes.length || bytes[nameEnd] !== 0 || bytes[valueEnd] !== 0) return [];
    pairs.push([text.toString('latin1', at, nameEnd), text.toString('latin1', nameEnd + 1, valueEnd)]);
    at = valueEnd + 1;
  }
  return at === bytes.length ? pairs : [];
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
