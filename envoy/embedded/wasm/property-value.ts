import { encodePairs } from './pairs.ts';

/** A property before it becomes bytes: text is latin1 or bytes, whole numbers are bigints, others doubles. */
export type PropertyValue =
  string | Uint8Array | bigint | number | boolean | null | readonly PropertyValue[] | PropertyMap;

interface PropertyMap {
  readonly [name: string]: PropertyValue;
}

/** @returns undefined where a part of it has no bytes: SerializationFailure. (envoy: context.cc serializeValue) */
export function serializeProperty(value: PropertyValue): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    return bytes;
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return bytes;
  }
  if (typeof value === 'boolean') return new Uint8Array([value ? 1 : 0]);
  if (value === null) return undefined;
  return Array.isArray(value) ? serializeList(value as readonly PropertyValue[]) : serializeMap(value as PropertyMap);
}

const NO_PAIRS = new Uint8Array(4);

/** As the names of pairs without values; a list of mixed types, or of anything but scalars, has no bytes. */
function serializeList(list: readonly PropertyValue[]): Uint8Array | undefined {
  const [first] = list;
  const pairs: string[] = [];
  for (const item of list) {
    const scalar = item === null || typeof item === 'object' ? undefined : serializeProperty(item);
    if (scalar === undefined || typeof item !== typeof first) return undefined;
    pairs.push(latin1(scalar), '');
  }
  return pairs.length === 0 ? NO_PAIRS : encodePairs(pairs);
}

function serializeMap(map: PropertyMap): Uint8Array | undefined {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(map)) {
    const bytes = serializeProperty(value);
    if (bytes === undefined) return undefined;
    pairs.push(latin1(Buffer.from(name, 'utf8')), latin1(bytes));
  }
  return pairs.length === 0 ? NO_PAIRS : encodePairs(pairs);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** What a path leads to within a value; list elements by their index as text. */
export function descend(value: PropertyValue | undefined, path: readonly string[]): PropertyValue | undefined {
  let found = value;
  for (const segment of path) {
    if (typeof found !== 'object' || found === null || found instanceof Uint8Array) return undefined;
    if (Array.isArray(found)) {
      found = /^\d+$/.test(segment) ? (found as readonly PropertyValue[])[Number(segment)] : undefined;
    } else {
      const map = found as PropertyMap;
      found = Object.hasOwn(map, segment) ? map[segment] : undefined;
    }
    if (found === undefined) return undefined;
  }
  return found;
}
