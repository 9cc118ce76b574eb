import { Arena } from '../bytes/arena';
import { Span, fingerprint, literal } from '../bytes/span';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf } from '../json/text';

const OBJECT = literal('object');
const ARRAY = literal('array');

/**
 * A number for a JSON value, the same in whatever order the members of its objects stand: a Struct of Envoy's has none.
 * @param value scanned: how deep it goes is limited
 */
export function digestOf(value: Span, arena: Arena): u64 {
  const kind = kindOf(value);
  if (kind === Kind.Object) {
    let sum = fingerprint(OBJECT);
    for (const walk = walkThrough(value, arena); walk.next();) {
      sum += fingerprint(textOf(walk.name, arena), digestOf(walk.value, arena));
    }
    return sum;
  }
  if (kind === Kind.Array) {
    let hash = fingerprint(ARRAY);
    for (const walk = walkThrough(value, arena); walk.next();) hash = hash * 31 + digestOf(walk.value, arena);
    return hash;
  }
  return fingerprint(kind === Kind.String ? textOf(value, arena) : value);
}
