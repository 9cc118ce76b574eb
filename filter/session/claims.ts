import { Arena } from '../bytes/arena';
import { Fields, fieldsIn, LENGTH_DELIMITED } from '../bytes/protobuf';
import { Span, after, equals, first, indexOf, length, NONE } from '../bytes/span';

/**
 * What a claim is, in the metadata that jwt_authn left, read from its protobuf: the host's bytes of a single claim carry
 * no type.
 *
 *     Metadata = 1: entry { 1: filter, 2: Struct } …        Struct = 1: entry { 1: name, 2: Value } …
 */
const ENTRIES = 1;
const KEY = 1;
const VALUE = 2;
/** Fields of google.protobuf.Value. */
const STRING = 3;
const STRUCT = 5;

/**
 * @param metadata the serialized `envoy.config.core.v3.Metadata`
 * @param path filter, payload and claim, NUL between
 */
export function isTextClaim(metadata: Span, path: Span, arena: Arena): bool {
  // A filter's metadata is a Struct, what is inside of it a Value that may hold one.
  let struct = entryIn(metadata, step(path), arena);
  let rest = behindStep(path);
  while (rest !== NONE) {
    const value = entryIn(struct, step(rest), arena);
    rest = behindStep(rest);
    const kind = fieldsIn(value, arena);
    if (value === NONE || !kind.next() || kind.type !== LENGTH_DELIMITED) return false;
    if (rest === NONE) return kind.field === STRING;
    if (kind.field !== STRUCT) return false;
    struct = kind.bytes;
  }
  return false;
}

/** The value of a map's entry, or NONE where there is none or the message is no map. */
function entryIn(map: Span, key: Span, arena: Arena): Span {
  const entries = fieldsIn(map, arena);
  while (entries.next()) {
    if (entries.field !== ENTRIES || entries.type !== LENGTH_DELIMITED) continue;
    const value = valueUnder(key, fieldsIn(entries.bytes, arena));
    if (value !== NONE) return value;
  }
  return NONE;
}

function valueUnder(key: Span, entry: Fields): Span {
  let isIt: bool = false;
  let value = NONE;
  while (entry.next()) {
    if (entry.type !== LENGTH_DELIMITED) continue;
    if (entry.field === KEY) isIt = equals(entry.bytes, key);
    else if (entry.field === VALUE) value = entry.bytes;
  }
  return isIt ? value : NONE;
}

function step(path: Span): Span {
  const end = indexOf(path, 0);
  return end < 0 ? path : first(path, end as u32);
}

function behindStep(path: Span): Span {
  const end = indexOf(path, 0);
  return end < 0 || end + 1 === length(path) ? NONE : after(path, (end as u32) + 1);
}
