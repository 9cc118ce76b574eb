import { NounRow } from '../mcp/nouns';
import { Arena, make, newArena } from '../bytes/arena';
import { newCache } from '../bytes/cache';
import { hashOf } from '../bytes/hash';
import { List, newList } from '../bytes/list';
import { Span, equals, fingerprint, limit, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { textOf } from '../json/text';
import { Revision } from '../mcp/revisions';
import { Item, Page, readPage } from '../upstream/page';

/**
 * Lists of the cache as this VM has opened them. What workers share is sealed, and a list is long: it is deciphered and
 * read once, not for each request, and serves for as long as the cache has the same list, which its number says.
 *
 * A list has its place by the hash of its owner, in a set of four. All of them together have a limit: past it others go,
 * in turns.
 */
const WAYS: u32 = 4;
const PLACES: u32 = 1024;
const MOST: usize = 16 << 20;
const BLOCK: usize = 4 << 10;

@unmanaged
export class OpenedList {
  arena: Arena;
  owner: Span;
  number: u64;
  /** Seconds since 1970 from which on it is kept no longer. */
  expires: u32;
  /** Elements are Page, in the order of the server. */
  pages: List;
  /** Fingerprints of the names in it, eight bytes each. */
  private names: Span;
  /** Requests that have its pages. */
  private users: u32;
  /** It has no place any more, and goes with its last user. */
  private isRetired: bool;

  /**
   * Adds its pages to a call's, where they are good until `release`. What is not sound is read anew, by the rules of the
   * client's revision.
   */
  lend(pages: List, noun: NounRow, revision: Revision, arena: Arena): void {
    for (let i = 0; i < this.pages.count; i++) {
      const page = changetype<Page>(this.pages.at(i) as usize);
      const lent = page.isSound ? page : readPage(page.document, noun, revision, arena);
      pages.push(changetype<usize>(lent) as u64);
    }
    this.users++;
  }

  /** Once for each `lend`. */
  release(): void {
    this.users--;
    if (this.isRetired && this.users === 0) this.arena.dispose();
  }

  /** No only where no name in it is that one: a wrong yes, where two fingerprints are the same, costs a question. */
  mayHave(name: Span): bool {
    const sought = fingerprint(name);
    for (let at = pointer(this.names); at < limit(this.names); at += 8) if (load<u64>(at) === sought) return true;
    return false;
  }

  /** Once it is complete. */
  noteNames(): void {
    let count = 0;
    for (let i = 0; i < this.pages.count; i++) count += changetype<Page>(this.pages.at(i) as usize).items.count;
    const names = newWriter(this.arena, 8 * (count as usize));
    for (let i = 0; i < this.pages.count; i++) {
      const items = changetype<Page>(this.pages.at(i) as usize).items;
      for (let j = 0; j < items.count; j++) {
        const name = textOf(changetype<Item>(items.at(j) as usize).name, this.arena);
        if (name !== NONE) names.u64(fingerprint(name));
      }
    }
    this.names = names.written;
  }

  retire(): void {
    this.isRetired = true;
    if (this.users === 0) this.arena.dispose();
  }
}

const lists = newCache(PLACES, MOST, (list) => changetype<OpenedList>(list).retire());

/** As it was opened under that number, or null. */
export function openedList(owner: Span, number: u64): OpenedList | null {
  const set = setOf(owner);
  for (let i: u32 = 0; i < WAYS; i++) {
    const list = listAt(set + i);
    if (list !== null && list.number === number && equals(list.owner, owner)) return list;
  }
  return null;
}

/** Without pages; to be filled, and given to `keepOpened` or `retire`. */
export function newOpenedList(owner: Span, number: u64): OpenedList {
  const arena = newArena(BLOCK);
  const list = make<OpenedList>(arena);
  list.arena = arena;
  list.owner = arena.copy(owner);
  list.number = number;
  list.pages = newList(arena);
  return list;
}

/** Gives it a place: that of its predecessor, a free one, or one of another's. */
export function keepOpened(list: OpenedList): void {
  list.noteNames();
  const set = setOf(list.owner);
  let index = set + ((list.number as u32) & (WAYS - 1));
  for (let i: u32 = 0; i < WAYS; i++) {
    const other = listAt(set + i);
    if (other === null) index = set + i;
    else if (equals(other.owner, list.owner)) {
      index = set + i;
      break;
    }
  }
  lists.put(index, changetype<usize>(list), list.arena.held);
}

function setOf(owner: Span): u32 {
  return (hashOf(owner) * WAYS) & (PLACES - 1);
}

function listAt(index: u32): OpenedList | null {
  return changetype<OpenedList | null>(lists.at(index));
}
