import { CLOSING_BRACE, COLON, COMMA } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, equals, length, limit, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { kindOf, Kind, Walk } from './reader';

/**
 * Puts the members of one object in the place of those of another, as a JSON Merge Patch does (RFC 7396; no member of
 * the patch is `null`, so nothing is taken out). Every other byte stays as it came: order, numbers, white space, and
 * members that nobody knows. A member that the object has twice is replaced twice, so that all readers see the same.
 */
@unmanaged
class MergePatch {
  out: Writer;
  arena: Arena;
  /** Bytes that are written at most: an object may have one member any number of times. */
  most: i32;

  /** False: it would be too long. @param walks for this level */
  merge(target: Span, patch: Span, walks: Walks): bool {
    const out = this.out;
    let from = pointer(target);
    let isEmpty = true;
    const members = walks.members;
    for (members.begin(target); members.next();) {
      isEmpty = false;
      const value = this.find(patch, members.key(this.arena), walks.others);
      if (value === NONE) continue;
      out.bytes(between(from, pointer(members.value)));
      if (kindOf(value) !== Kind.Object || members.kind !== Kind.Object) out.bytes(value);
      else if (!this.merge(members.value, value, walks.below(this.arena))) return false;
      from = limit(members.value);
      if (out.size > this.most) return false;
    }
    out.bytes(between(from, limit(target) - 1));
    for (members.begin(patch); members.next();) {
      if (this.find(target, members.key(this.arena), walks.others) !== NONE) continue;
      if (!isEmpty) out.byte(COMMA);
      isEmpty = false;
      out.bytes(members.name).byte(COLON).bytes(members.value);
    }
    out.byte(CLOSING_BRACE);
    return out.size <= this.most;
  }

  private find(object: Span, name: Span, walk: Walk): Span {
    if (name === NONE) return NONE;
    for (walk.begin(object); walk.next();) if (equals(walk.key(this.arena), name)) return walk.value;
    return NONE;
  }
}

/** One pair for each level, however often that is entered. */
@unmanaged
class Walks {
  members: Walk;
  others: Walk;
  private deeper: Walks | null;

  below(arena: Arena): Walks {
    if (this.deeper === null) this.deeper = newWalks(arena);
    return this.deeper!;
  }
}

function newWalks(arena: Arena): Walks {
  const walks = make<Walks>(arena);
  walks.members = make<Walk>(arena);
  walks.others = make<Walk>(arena);
  return walks;
}

/**
 * NONE where a member stands in it so often that the result would be longer than both together.
 * @param target an object, scanned. @param patch another one
 */
export function merged(target: Span, patch: Span, arena: Arena): Span {
  const merge = make<MergePatch>(arena);
  merge.arena = arena;
  merge.most = length(target) + length(patch);
  merge.out = newWriter(arena, merge.most as usize);
  return merge.merge(target, patch, newWalks(arena)) ? merge.out.written : NONE;
}
