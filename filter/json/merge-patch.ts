import { CLOSING_BRACE, COLON, COMMA } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, equals, length, limit, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { kindOf, Kind, Walk } from './reader';

/**
 * Puts the members of one object in the place of those of another, as a JSON Merge Patch does (RFC 7396; no member of
 * the patch is `null`, so nothing is taken out). Every other byte stays as it came: order, numbers, white space, and
 * members that nobody knows. Of a patched member that the object has several times the last alone stays, as most readers
 * take that: all readers see the same then, and what comes out is no longer than both objects together.
 */
@unmanaged
class MergePatch {
  out: Writer;
  arena: Arena;

  /** @param walks for this level */
  merge(target: Span, patch: Span, walks: Walks): void {
    const out = this.out;
    const members = walks.members;
    const places = this.lastPlaces(target, patch, walks);
    let from = pointer(target);
    let isEmpty = true;
    let isCut = false;
    for (members.begin(target); members.next();) {
      isEmpty = false;
      if (isCut) from = pointer(members.name);
      isCut = false;
      const index = this.indexIn(patch, members.key(this.arena), walks.others);
      if (index < 0) continue;
      isCut = pointer(members.value) !== placeAt(places, index);
      if (isCut) {
        out.bytes(between(from, pointer(members.name)));
        continue;
      }
      const value = walks.others.value;
      out.bytes(between(from, pointer(members.value)));
      if (kindOf(value) !== Kind.Object || members.kind !== Kind.Object) out.bytes(value);
      else this.merge(members.value, value, walks.below(this.arena));
      from = limit(members.value);
    }
    out.bytes(between(from, limit(target) - 1));
    let index = 0;
    for (members.begin(patch); members.next(); index++) {
      if (placeAt(places, index) !== 0) continue;
      if (!isEmpty) out.byte(COMMA);
      isEmpty = false;
      out.bytes(members.name).byte(COLON).bytes(members.value);
    }
    out.byte(CLOSING_BRACE);
  }

  /** The address of the value that each member of the patch has in the target last; 0: it has none. */
  private lastPlaces(target: Span, patch: Span, walks: Walks): usize {
    let count = 0;
    for (walks.others.begin(patch); walks.others.next();) count++;
    const places = this.arena.zeroed((count as usize) * sizeof<usize>());
    const members = walks.members;
    for (members.begin(target); members.next();) {
      const index = this.indexIn(patch, members.key(this.arena), walks.others);
      if (index >= 0) store<usize>(places + (index as usize) * sizeof<usize>(), pointer(members.value));
    }
    return places;
  }

  /** Which member of an object has this name, or -1. @param walk stands there then */
  private indexIn(object: Span, name: Span, walk: Walk): i32 {
    if (name === NONE) return -1;
    let index = 0;
    for (walk.begin(object); walk.next(); index++) if (equals(walk.key(this.arena), name)) return index;
    return -1;
  }
}

function placeAt(places: usize, index: i32): usize {
  return load<usize>(places + (index as usize) * sizeof<usize>());
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

/** @param target an object, scanned. @param patch another one */
export function merged(target: Span, patch: Span, arena: Arena): Span {
  const merge = make<MergePatch>(arena);
  merge.arena = arena;
  merge.out = newWriter(arena, (length(target) as usize) + (length(patch) as usize));
  merge.merge(target, patch, newWalks(arena));
  return merge.out.written;
}
