import { Era, eraOf } from '../mcp/eras';
import { Revision } from '../mcp/revisions';
import { Arena, make, newArena } from '../bytes/arena';
import { newList } from '../bytes/list';
import { hasRoom } from '../bytes/room';
import { Span, after, combined, equals, first, length, pointer, NONE } from '../bytes/span';
import { newToolShape } from '../mcp/tool-shape';
import { UpstreamCall } from './call';
import { Item, Page } from './page';

/**
 * Pages of lists as this VM has read them last. Most servers answer with the same list each time: to compare a page with
 * what it was before takes a tenth of what it takes to read it. Only the id of the request may differ, and what is known is
 * used for those very bytes alone, so it does not matter whose list it was.
 *
 * A page has its place by its server, its noun and its number. All of them together have a limit: past it others go, in
 * turns.
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
  /** As it was read, before anything was chosen of it; without its lists. */
  page: Page;
  /** Its items, one behind the other. */
  items: usize;
  count: i32;
  /** Its items were held against the shape of tools. */
  isJudged: bool;

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

  /** The page of such a document. */
  copyFor(document: Span, revision: Revision, arena: Arena): Page {
    const known = this.page;
    const page = make<Page>(arena);
    memory.copy(changetype<usize>(page), changetype<usize>(known), offsetof<Page>());
    const distance = ((pointer(document) - pointer(known.document)) as u64) << 32;
    page.arena = arena;
    page.document = document;
    page.id = moved(known.id, distance);
    page.nextCursor = moved(known.nextCursor, distance);
    page.shape = this.isJudged ? newToolShape(revision, arena) : null;
    const count = this.count;
    let at = arena.allocate((count as usize) * offsetof<Item>());
    memory.copy(at, this.items, (count as usize) * offsetof<Item>());
    page.items = newList(arena);
    for (let i = 0; i < count; i++, at += offsetof<Item>()) {
      const item = changetype<Item>(at);
      item.object = moved(item.object, distance);
      item.name = moved(item.name, distance);
      page.items.push(at as u64);
    }
    return page;
  }
}

/** The same bytes elsewhere. @param distance of their addresses, in the half of a span that has the address */
function moved(bytes: Span, distance: u64): Span {
  return bytes === NONE ? NONE : bytes + distance;
}

const places: usize = heap.alloc((PLACES as usize) * sizeof<usize>());
memory.fill(places, 0, (PLACES as usize) * sizeof<usize>());
/** Bytes of all that have a place. */
let held: usize = 0;
/** The place whose page goes next. */
let hand: u32 = 0;

/**
 * The page that a document is, or null: it has to be read.
 * @param call that it answers
 * @param revision that the client speaks
 * @param arena of the document
 */
export function knownPage(call: UpstreamCall, document: Span, revision: Revision, arena: Arena): Page | null {
  const which = whichOf(call, revision);
  const known = knownAt(placeOf(which));
  if (known === null || known.which !== which || !known.isSame(document, call.id)) return null;
  return known.copyFor(document, revision, arena);
}

/** Keeps a page that was read, before anything is chosen of it. */
export function keepPage(call: UpstreamCall, page: Page, revision: Revision): void {
  const count = page.items.count as usize;
  const size = (length(page.document) as usize) + count * offsetof<Item>();
  const which = whichOf(call, revision);
  const place = placeOf(which);
  vacate(place);
  if (size > MOST_OF_PAGE || !hasRoom((size as u64) * 2)) return;
  for (let i: u32 = 0; i < PLACES && held + size > MOST; i++) {
    vacate(hand);
    hand = (hand + 1) & (PLACES - 1);
  }
  const arena = newArena(BLOCK);
  const known = make<KnownPage>(arena);
  known.arena = arena;
  known.which = which;
  known.page = make<Page>(arena);
  memory.copy(changetype<usize>(known.page), changetype<usize>(page), offsetof<Page>());
  const document = arena.copy(page.document);
  const distance = ((pointer(document) - pointer(page.document)) as u64) << 32;
  known.page.document = document;
  known.page.id = moved(page.id, distance);
  known.page.nextCursor = moved(page.nextCursor, distance);
  known.isJudged = page.shape !== null;
  known.count = count as i32;
  known.items = arena.allocate(count * offsetof<Item>());
  for (let i: usize = 0; i < count; i++) {
    const item = changetype<Item>(known.items + i * offsetof<Item>());
    memory.copy(changetype<usize>(item), page.items.at(i as i32) as usize, offsetof<Item>());
    item.object = moved(item.object, distance);
    item.name = moved(item.name, distance);
  }
  held += arena.held;
  store<usize>(places + (place as usize) * sizeof<usize>(), changetype<usize>(known));
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

function knownAt(place: u32): KnownPage | null {
  return changetype<KnownPage | null>(load<usize>(places + (place as usize) * sizeof<usize>()));
}

function vacate(place: u32): void {
  const known = knownAt(place);
  if (known === null) return;
  store<usize>(places + (place as usize) * sizeof<usize>(), 0);
  held -= known.arena.held;
  known.arena.dispose();
}
