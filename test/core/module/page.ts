import { Noun, nounRow } from '../../../filter/mcp/nouns';
import { newArena } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { Item, Page, readPage } from '../../../filter/upstream/page';
import { Revision } from '../../../filter/mcp/revisions';

const arena = newArena(16384);
const TOOLS = nounRow(Noun.Tools);

let page: Page = readPage(NONE, TOOLS, Revision.V2025_11_25, arena);

/** @param revision that the client speaks */
export function pageRead(document: usize, count: u32, revision: Revision): void {
  arena.reset();
  page = readPage(span(document, count), TOOLS, revision, arena);
}

export function pageMalformed(): bool {
  return page.malformed;
}

export function pageAnswers(id: usize, count: u32): bool {
  return page.answers(span(id, count), arena);
}

export function pageHasResult(): bool {
  return page.hasResult;
}

export function pageError(): Span {
  return page.error;
}

export function pageCount(): i32 {
  return page.items.count;
}

export function pageObject(index: i32): Span {
  return changetype<Item>(page.items.at(index) as usize).object;
}

export function pageName(index: i32): Span {
  return changetype<Item>(page.items.at(index) as usize).name;
}

/** The rule that it breaks. */
export function pageRule(index: i32): Span {
  return changetype<Item>(page.items.at(index) as usize).rule;
}

export function pageSkipped(): i32 {
  return page.skipped;
}

export function pageNextCursor(): Span {
  return page.nextCursor;
}
