import { CLOSING_BRACE, CLOSING_BRACKET, COLON, COMMA, OPENING_BRACE, OPENING_BRACKET, QUOTE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { heapSort } from '../bytes/heap-sort';
import { Span, between, length, limit, pointer, span, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { endsScalar, skipSpace, skipString } from './reader';

/**
 * One form for all texts of a JSON value that differ in white space and in the order of members alone: no white space
 * between tokens, and the members of each object in the order of the bytes of their names, as those were written. Strings
 * and numbers stay as they came, members of one name in the order in which they came: what no reader may take for the
 * same is not made the same.
 */

/** A member as it was written into the form: where it begins, the bytes of its name with quotes, where it ends. */
const MEMBER: usize = 12;

/** A copy for each level of objects that are not in order: so the levels have a limit of their own. */
const MOST_DEPTH = 64;
/** Bytes of a value. */
export const MOST_CANONICAL = 1 << 20;

/** Makes the forms of one value after the other, in the same memory. */
@unmanaged
export class Canonical {
  private form: Writer;
  private sorted: Writer;
  /** Members of all objects that are open. */
  private members: Writer;
  /** The first of those that are sorted, as an offset. */
  sorting: i32;
  private at: usize;
  private end: usize;

  /** The form of a value that has been scanned, until the next; NONE: it is too large, or nested too deep. */
  of(value: Span): Span {
    if (length(value) > MOST_CANONICAL) return NONE;
    this.form.truncate(0);
    this.members.truncate(0);
    this.at = pointer(value);
    this.end = limit(value);
    return this.value(0) ? this.form.written : NONE;
  }

  open(arena: Arena): Canonical {
    this.form = newWriter(arena, 4096);
    this.sorted = newWriter(arena, 4096);
    this.members = newWriter(arena, 1024);
    return this;
  }

  private value(depth: i32): bool {
    const from = this.at;
    const c = load<u8>(from);
    if (c === OPENING_BRACE) return depth < MOST_DEPTH && this.object(depth);
    if (c === OPENING_BRACKET) return depth < MOST_DEPTH && this.array(depth);
    if (c === QUOTE) this.at = skipString(from, this.end);
    else while (this.at < this.end && !endsScalar(load<u8>(this.at))) this.at++;
    this.form.bytes(between(from, this.at));
    return true;
  }

  private array(depth: i32): bool {
    this.form.byte(OPENING_BRACKET);
    this.at = skipSpace(this.at + 1);
    while (load<u8>(this.at) !== CLOSING_BRACKET) {
      if (load<u8>(this.at) === COMMA) {
        this.form.byte(COMMA);
        this.at = skipSpace(this.at + 1);
      }
      if (!this.value(depth + 1)) return false;
      this.at = skipSpace(this.at);
    }
    this.at++;
    this.form.byte(CLOSING_BRACKET);
    return true;
  }

  private object(depth: i32): bool {
    const first = this.members.size;
    const begins = this.form.byte(OPENING_BRACE).size;
    let inOrder = true;
    this.at = skipSpace(this.at + 1);
    while (load<u8>(this.at) !== CLOSING_BRACE) {
      if (load<u8>(this.at) === COMMA) {
        this.form.byte(COMMA);
        this.at = skipSpace(this.at + 1);
      }
      const from = this.form.size;
      const name = between(this.at, skipString(this.at, this.end));
      this.at = skipSpace(skipSpace(limit(name)) + 1);
      this.form.bytes(name).byte(COLON);
      if (!this.value(depth + 1)) return false;
      this.members
        .u32(from as u32)
        .u32(length(name) as u32)
        .u32(this.form.size as u32);
      const count = (this.members.size - first) / (MEMBER as i32);
      if (count > 1 && !this.isBefore(first, count - 2, count - 1)) inOrder = false;
      this.at = skipSpace(this.at);
    }
    this.at++;
    if (!inOrder) this.order(first, begins);
    this.members.truncate(first);
    this.form.byte(CLOSING_BRACE);
    return true;
  }

  /** Writes the members of an object anew. @param first of them, as an offset. @param begins where the first one begins */
  private order(first: i32, begins: i32): void {
    const count = (this.members.size - first) / (MEMBER as i32);
    this.sorting = first;
    heapSort(count, changetype<usize>(this), isMemberBefore, swapMembers);
    this.sorted.truncate(0);
    for (let i = 0; i < count; i++) {
      const member = this.members.start + (first as usize) + (i as usize) * MEMBER;
      if (i > 0) this.sorted.byte(COMMA);
      this.sorted.bytes(span(this.form.start + (load<u32>(member) as usize), load<u32>(member, 8) - load<u32>(member)));
    }
    memory.copy(this.form.start + (begins as usize), this.sorted.start, this.sorted.size as usize);
  }

  /** Where two names are the same, the place decides: of both, most readers take the last. */
  isBefore(first: i32, a: i32, b: i32): bool {
    const one = this.memberAt(first, a);
    const other = this.memberAt(first, b);
    const difference = compare(this.nameOf(one), this.nameOf(other));
    return difference < 0 || (difference === 0 && load<u32>(one) < load<u32>(other));
  }

  memberAt(first: i32, index: i32): usize {
    return this.members.start + (first as usize) + (index as usize) * MEMBER;
  }

  /** Without its quotes. */
  private nameOf(member: usize): Span {
    return span(this.form.start + (load<u32>(member) as usize) + 1, load<u32>(member, 4) - 2);
  }
}

function isMemberBefore(context: usize, a: i32, b: i32): bool {
  const canonical = changetype<Canonical>(context);
  return canonical.isBefore(canonical.sorting, a, b);
}

function swapMembers(context: usize, a: i32, b: i32): void {
  const canonical = changetype<Canonical>(context);
  const one = canonical.memberAt(canonical.sorting, a);
  const other = canonical.memberAt(canonical.sorting, b);
  for (let i: usize = 0; i < MEMBER; i += 4) {
    const kept = load<u32>(one + i);
    store<u32>(one + i, load<u32>(other + i));
    store<u32>(other + i, kept);
  }
}

/** As bytes: negative where `a` comes first, 0 where they are the same. */
function compare(a: Span, b: Span): i32 {
  const difference = memory.compare(pointer(a), pointer(b), min(length(a), length(b)) as usize);
  return difference !== 0 ? difference : length(a) - length(b);
}

export function newCanonical(arena: Arena): Canonical {
  return make<Canonical>(arena).open(arena);
}
