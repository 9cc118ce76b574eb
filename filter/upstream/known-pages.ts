import { Era, eraOf } from '../mcp/eras';
import { Revision } from '../mcp/revisions';
import { Arena, make, newArena } from '../bytes/arena';
import { Cache, newCache } from '../bytes/cache';
import { newList } from '../bytes/list';
import { hasRoom } from '../bytes/room';
import { Span, after, combined, equals, first, length, pointer, NONE } from '../bytes/span';
import { newToolShape } from '../mcp/tool-shape';
import { CacheScope } from '../model/server';
import { UpstreamCall } from './call';
import { Item, Page } from './page';

/**
 * Pages of lists as this VM has read them last. Most servers answer with the same list each time: to compare a page with
 * what it was before takes far less than to read it. Only the id of the request may differ, and what is known is
 * used for those very bytes alone, so it does not matter whose list it was.
 *
 * A page has its place by its server, its noun and its number.
 */
const PLACES: u32 = 512;
/** Bytes of all. */
const MOST: usize = 8 << 20;
/** Bytes of a page: a larger one is read each time. */
const MOST_OF_PAGE: usize = 1 << 20;
const BLOCK: usize = 1 << 10;

@unmanaged
class KnownPage {
  arena: Arena;
  which: u64;
  /** As it was read, before anything was chosen of it. */
  page: Page;

  /** Whether a document is the same but for the id, which is this one (a string token). */
  isSame(document: Span, id: Span): bool {
    const kept = this.page.document;
    const size = length(this.page.id);
    if (length(document) !== length(kept) || length(id) !== size) return false;
    const before = (pointer(this.page.id) - pointer(kept)) as u32;
    const behind = before + (size as u32);
    return (
      equals(first(after(document, before), size as u32), id) &&
      equals(first(document, before), first(kept, before)) &&
      equals(after(document, behind), after(kept, behind))
    );
  }
}

const pages: Cache = newCache(PLACES, MOST, (known) => changetype<KnownPage>(known).arena.dispose());

/**
 * The page that a document is, or null: it has to be read.
 * @param call that it answers
 * @param revision that the client speaks
 * @param arena of the document
 */
export function knownPage(call: UpstreamCall, document: Span, revision: Revision, arena: Arena): Page | null {
  const which = whichOf(call, revision);
  const known = changetype<KnownPage | null>(pages.at(placeOf(which)));
  if (known === null || known.which !== which || !known.isSame(document, call.id)) return null;
  return copyOf(known.page, document, revision, arena);
}

/** Keeps a page that was read, before anything is chosen of it. One of a list that all callers share is seldom asked for. */
export function keepPage(call: UpstreamCall, page: Page, revision: Revision): void {
  if (call.server.cacheTtl > 0 && call.server.cacheScope === CacheScope.Shared) return;
  const size = (length(page.document) as usize) + (page.items.count as usize) * offsetof<Item>();
  const which = whichOf(call, revision);
  const place = placeOf(which);
  pages.vacate(place);
  if (size > MOST_OF_PAGE || !hasRoom((size as u64) * 2)) return;
  const arena = newArena(BLOCK);
  const known = make<KnownPage>(arena);
  known.arena = arena;
  known.which = which;
  known.page = copyOf(page, arena.copy(page.document), revision, arena);
  pages.put(place, changetype<usize>(known), arena.held);
}

/** A page of another document that has the same bytes. @param arena of that */
function copyOf(page: Page, document: Span, revision: Revision, arena: Arena): Page {
  const copy = make<Page>(arena);
  memory.copy(changetype<usize>(copy), changetype<usize>(page), offsetof<Page>());
  const distance = ((pointer(document) - pointer(page.document)) as u64) << 32;
  copy.arena = arena;
  copy.document = document;
  copy.id = moved(page.id, distance);
  copy.nextCursor = moved(page.nextCursor, distance);
  copy.shape = page.shape === null ? null : newToolShape(revision, arena);
  copy.items = newList(arena);
  for (let i = 0; i < page.items.count; i++) {
    const item = changetype<Item>(arena.allocate(offsetof<Item>()));
    memory.copy(changetype<usize>(item), page.items.at(i) as usize, offsetof<Item>());
    item.object = moved(item.object, distance);
    item.name = moved(item.name, distance);
    item.meta = moved(item.meta, distance);
    copy.items.push(changetype<usize>(item) as u64);
  }
  return copy;
}

/** The same bytes elsewhere. @param distance of their addresses, in the half of a span that has the address */
function moved(bytes: Span, distance: u64): Span {
  return bytes === NONE ? NONE : bytes + distance;
}

/** Tools are judged by the era of the client, see tool-shape.ts. */
function whichOf(call: UpstreamCall, revision: Revision): u64 {
  const era: u64 = eraOf(revision) === Era.Sessions ? 1 : 0;
  const number = ((call.pages.count as u64) << 1) | era;
  return combined(combined(call.server.fingerprint, call.noun.noun as u64), number);
}

function placeOf(which: u64): u32 {
  return ((which >> 32) as u32) & (PLACES - 1);
}
