import { Arena } from '../bytes/arena';
import { fieldsIn, LENGTH_DELIMITED } from '../bytes/protobuf';
import { entryIn, STRING, structIn } from '../bytes/protobuf-struct';
import { Span, after, first, indexOf, length, pointer, NONE } from '../bytes/span';

/**
 * Whether a claim is a text, in the metadata that jwt_authn left, read from its protobuf: the host's bytes of a single
 * claim carry no type.
 * @param metadata the serialized `envoy.config.core.v3.Metadata`
 * @param path filter, payload and claim, NUL between
 */
export function isTextClaim(metadata: Span, path: Span, arena: Arena): bool {
  const place = lastStepOf(path);
  if (place < 0) return false;
  const struct = structAt(metadata, first(path, place as u32), arena);
  const kind = fieldsIn(entryIn(struct, after(path, (place as u32) + 1), arena), arena);
  return kind.next() && kind.type === LENGTH_DELIMITED && kind.field === STRING;
}

/**
 * What a filter left under a name, as a Struct, or NONE. @param path filter and name, and names within, NUL between
 */
export function structAt(metadata: Span, path: Span, arena: Arena): Span {
  // A filter's metadata is a Struct, what is inside of it a Value that may hold one.
  let struct = entryIn(metadata, step(path), arena);
  for (let rest = behindStep(path); rest !== NONE; rest = behindStep(rest)) {
    struct = structIn(entryIn(struct, step(rest), arena), arena);
  }
  return struct;
}

function step(path: Span): Span {
  const end = indexOf(path, 0);
  return end < 0 ? path : first(path, end as u32);
}

function behindStep(path: Span): Span {
  const end = indexOf(path, 0);
  return end < 0 || end + 1 === length(path) ? NONE : after(path, (end as u32) + 1);
}

/** Where the NUL before the last step is, or -1. */
function lastStepOf(path: Span): i32 {
  let at = length(path) - 1;
  while (at >= 0 && load<u8>(pointer(path) + (at as usize)) !== 0) at--;
  return at;
}
