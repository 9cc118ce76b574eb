import { Arena } from '../bytes/arena';
import { names, namesIn } from '../bytes/name-list';
import { Span, equals, fingerprint, literal } from '../bytes/span';
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

/** Members of the configuration that no list depends on. */
const BESIDE_LISTS = names(
  'name endpoint hostMode publicUrl hosts origins audit quotas results sessions headers status insecureInline log',
);

/** The same of all in a configuration that what clients see in lists can depend on. @param configuration an object */
export function listDigestOf(configuration: Span, arena: Arena): u64 {
  const beside = namesIn(BESIDE_LISTS, arena);
  let sum: u64 = 0;
  for (const walk = walkThrough(configuration, arena); walk.next();) {
    const name = textOf(walk.name, arena);
    let isBeside = false;
    for (let i = 0; i < beside.count; i++) if (equals(name, beside.at(i))) isBeside = true;
    if (!isBeside) sum += fingerprint(name, digestOf(walk.value, arena));
  }
  return sum;
}
