/** Part of a representation: both ends are byte offsets and included, as in `Content-Range`. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

// RFC 9110 §14.1.2: int-range = first-pos "-" [ last-pos ], suffix-range = "-" suffix-length
const rangeSpec = /^(\d*)-(\d*)$/;

/**
 * Reads a `Range` header for a representation of `size` bytes (at least one). `whole` where it is to be ignored: it is
 * absent, malformed, of another unit, or asks for several parts (RFC 9110 §14.2 leaves those to the server; many small
 * overlapping ones are an attack, §17.15). `unsatisfiable` is a 416.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const [unit, set, ...more] = header?.split('=') ?? [];
  if (unit?.toLowerCase() !== 'bytes' || set === undefined || more.length > 0) return 'whole';
  // §5.6.1.2: a recipient takes empty list elements in its stride.
  const specs = set.split(',').flatMap((element) => element.trim() || []);
  const [, first = '', last = ''] = specs.length === 1 ? (rangeSpec.exec(specs[0] ?? '') ?? []) : [];

  if (first !== '') {
    const start = Number(first);
    const end = last === '' ? Infinity : Number(last);
    if (end < start) return 'whole'; // §14.1.1: invalid, not unsatisfiable
    return start < size ? { first: start, last: Math.min(end, size - 1) } : 'unsatisfiable';
  }
  if (last === '') return 'whole';
  const length = Number(last);
  return length > 0 ? { first: Math.max(size - length, 0), last: size - 1 } : 'unsatisfiable';
}
