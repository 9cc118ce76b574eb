import { Noun, nounRow } from '../../../filter/mcp/nouns';
import { make, newArena, scratch } from '../../../filter/bytes/arena';
import { CLOSING_BRACE, OPENING_BRACE } from '../../../filter/bytes/ascii';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { Server } from '../../../filter/model/server';
import { FanOut, newFanOut } from '../../../filter/federation/fanout';
import { mergedSize, writeList } from '../../../filter/federation/merge';
import { chosenItems, search } from '../../../filter/federation/search';
import { readPage } from '../../../filter/upstream/page';
import { Gateway } from '../../../filter/model/gateway';
import { newList } from '../../../filter/bytes/list';
import { newRules } from '../../../filter/model/rules';
import { Scope } from '../../../filter/policy/scope';
import { Reason } from '../../../filter/mcp/errors';
import { Revision } from '../../../filter/mcp/revisions';
import { Upstream } from '../../../filter/session/token';

const TOOLS = nounRow(Noun.Tools);
const arena = newArena(16384);
let fanOut: FanOut = newFanOut(1, 1, arena);

export function mergeOpen(): void {
  arena.reset();
  fanOut = newFanOut(1, 1, arena);
}

/** Begins the part of another server. */
export function mergeServer(prefix: usize, count: u32): void {
  const server = make<Server>(arena);
  server.prefix = span(prefix, count);
  server.setRules(Noun.Tools, newRules(null, newList(arena), arena), arena);
  fanOut.add(server, make<Upstream>(arena), arena).noun = TOOLS;
}

/** Adds a page to the last server. */
export function mergePage(document: usize, count: u32): void {
  const page = readPage(arena.copy(span(document, count)), TOOLS, Revision.V2025_11_25, arena);
  fanOut.at(fanOut.calls.count - 1).pages.push(changetype<usize>(page) as u64);
}

/** The last server fails. */
export function mergeFail(): void {
  fanOut.at(fanOut.calls.count - 1).failure.set(Reason.UpstreamTimeout, NONE);
}

export function mergeTools(): Span {
  const size = mergedSize(make<Gateway>(arena), fanOut, make<Scope>(arena));
  const list = newWriter(arena, size as usize).byte(OPENING_BRACE);
  return writeList(list, TOOLS, fanOut, null).byte(CLOSING_BRACE).written;
}

/** How many tools a search finds, done so often. */
export function mergeSearch(query: usize, count: u32, times: i32): u32 {
  mergedSize(make<Gateway>(arena), fanOut, make<Scope>(arena));
  let total: u32 = 0;
  for (let i = 0; i < times; i++) {
    scratch.reset();
    total = search(chosenItems(fanOut, scratch), span(query, count), 10, scratch).total;
  }
  return total;
}
