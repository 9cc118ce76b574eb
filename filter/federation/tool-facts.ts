import { Arena, make } from '../bytes/arena';
import { heapSort } from '../bytes/heap-sort';
import { List, newList } from '../bytes/list';
import { Span, combined, fingerprint, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { textOf } from '../json/text';
import { Noun } from '../mcp/nouns';
import { KeyRing } from '../model/keyring';
import { Pins } from '../model/pins';
import { Server } from '../model/server';
import { factsOfBoth, NO_FACTS } from '../model/tool-facts';
import { newFactReader } from '../policy/tool-facts';
import { owner, slotTable } from '../session/slots';
import { UpstreamCall } from '../upstream/call';
import { credentialScope } from '../upstream/credentials';
import { Item, Page } from '../upstream/page';

/**
 * What is known of a server's tools by their definitions, from the last list of it that came, for calls to look at: by
 * those with the same credentials, on all workers.
 *
 *     │ expires, seconds since 1970 (4) │ { fingerprint of a name (8) │ facts (2) } …, by fingerprint │
 */
const FACTS = slotTable(literal('sluice/facts/'), 1024, 2);
/** Seconds: for so long a definition that has changed can still be called. */
const KEPT: u32 = 60;
const HEAD: usize = 4;
const ENTRY: usize = 10;
/** Bytes of a table. A larger one is read from the server for each call. */
const MOST: usize = 1 << 20;

/** Notes the facts of each tool in a list, where anybody asks for them. */
export function noteFacts(call: UpstreamCall, pins: Pins | null, arena: Arena): void {
  if (!areNoted(call)) return;
  const reader = newFactReader(pins, arena);
  for (let p = 0; p < call.pages.count; p++) {
    const items = changetype<Page>(call.pages.at(p) as usize).items;
    for (let i = 0; i < items.count; i++) {
      const item = changetype<Item>(items.at(i) as usize);
      const name = textOf(item.name, arena);
      if (name !== NONE) item.facts = reader.factsOf(item.object, name, call.server);
    }
  }
  settleDoubles(draftOf(call, arena));
}

/** Keeps what was noted for the calls to come. @param client the client's headers */
export function keepFacts(call: UpstreamCall, client: Span, now: u32, keys: KeyRing, arena: Arena): void {
  if (!areNoted(call) || !call.server.asksForFacts) return;
  const draft = draftOf(call, arena);
  const size = HEAD + (draft.count as usize) * ENTRY;
  if (size > MOST) return;
  const entry = newWriter(arena, size).u32(now + KEPT);
  for (let i = 0; i < draft.count; i++) entry.u64(draft.printAt(i)).u16(draft.itemAt(i).facts);
  FACTS.write(ownerOf(call.server, client, keys, arena), entry.written, keys, arena);
}

/**
 * What is known of a tool. NO_FACTS: no list that was kept and is still good has it.
 * @param name its own. @param client the client's headers
 */
export function keptFacts(server: Server, name: Span, client: Span, now: u32, keys: KeyRing, arena: Arena): u32 {
  const entry = FACTS.read(ownerOf(server, client, keys, arena), keys, arena);
  if (entry === NONE || length(entry) < (HEAD as i32)) return NO_FACTS;
  const expires = load<u32>(pointer(entry));
  // One that is good for longer than any is was kept before the clock was set back.
  if (now >= expires || expires - now > KEPT) return NO_FACTS;
  const sought = fingerprint(name);
  let from = 0;
  let to = (length(entry) - (HEAD as i32)) / (ENTRY as i32);
  while (from < to) {
    const middle = (from + to) >> 1;
    const at = pointer(entry) + HEAD + (middle as usize) * ENTRY;
    const print = load<u64>(at);
    if (print === sought) return load<u16>(at, 8);
    if (print < sought) from = middle + 1;
    else to = middle;
  }
  return NO_FACTS;
}

function areNoted(call: UpstreamCall): bool {
  return !call.failed && call.noun.noun === Noun.Tools && call.server.notesFacts;
}

function ownerOf(server: Server, client: Span, keys: KeyRing, arena: Arena): Span {
  const whose = credentialScope(server.credentials, client, keys, arena);
  return owner(FACTS, whose, combined(server.fingerprint, server.factsFingerprint), arena);
}

/** All tools of a list by the fingerprints of their names: │ fingerprint (8) │ address of the Item (8) │ … */
@unmanaged
class Draft {
  entries: List;
  count: i32;

  printAt(index: i32): u64 {
    return this.entries.at(2 * index);
  }

  itemAt(index: i32): Item {
    return changetype<Item>(this.entries.at(2 * index + 1) as usize);
  }
}

function draftOf(call: UpstreamCall, arena: Arena): Draft {
  const draft = make<Draft>(arena);
  draft.entries = newList(arena);
  for (let p = 0; p < call.pages.count; p++) {
    const items = changetype<Page>(call.pages.at(p) as usize).items;
    for (let i = 0; i < items.count; i++) {
      const name = textOf(changetype<Item>(items.at(i) as usize).name, arena);
      if (name === NONE) continue;
      draft.entries.push(fingerprint(name));
      draft.entries.push(items.at(i));
    }
  }
  draft.count = draft.entries.count / 2;
  heapSort(draft.count, changetype<usize>(draft), isBefore, swap);
  return draft;
}

function isBefore(context: usize, a: i32, b: i32): bool {
  const draft = changetype<Draft>(context);
  return draft.printAt(a) < draft.printAt(b);
}

function swap(context: usize, a: i32, b: i32): void {
  const entries = changetype<Draft>(context).entries;
  entries.swap(2 * a, 2 * b);
  entries.swap(2 * a + 1, 2 * b + 1);
}

/** Tools of one name are one for who calls them. */
function settleDoubles(draft: Draft): void {
  for (let from = 0; from < draft.count;) {
    let facts = draft.itemAt(from).facts;
    let to = from + 1;
    for (; to < draft.count && draft.printAt(to) === draft.printAt(from); to++) {
      facts = factsOfBoth(facts, draft.itemAt(to).facts);
    }
    for (; from < to; from++) draft.itemAt(from).facts = facts;
  }
}
