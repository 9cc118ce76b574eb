import { Noun, NounRow } from '../mcp/nouns';
import { COMMA, QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, between, length, limit, literal, pointer, NONE } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { textOf } from '../json/text';
import { Gateway } from '../model/gateway';
import { markOffsetInToken } from '../model/uri-owner';
import { mayUse } from '../policy/decision';
import { Scope } from '../policy/scope';
import { FanOut } from './fanout';
import { UpstreamCall } from '../upstream/call';
import { showLinks } from './app-links';
import { showTool } from './shown-tool';
import { Freshness } from './freshness';
import { Item, Page } from '../upstream/page';

const ITEMS = literal('":[');
const CLOSE = literal(']');
const NEXT = literal(',"nextCursor":"');
const TTL = literal(',"ttlMs":');
const PRIVATE = literal(',"cacheScope":"private"');
const PUBLIC = literal(',"cacheScope":"public"');

/** Bytes of a list without its items, at most. */
export const FRAME: u64 = 112;

/** Decides what the scope shows, and says how many bytes `writeList` writes at most. */
export function mergedSize(gateway: Gateway, fanOut: FanOut, scope: Scope): u64 {
  let size: u64 = FRAME;
  for (let i = 0; i < fanOut.calls.count; i++) {
    choose(gateway, fanOut.at(i), scope);
    keepPinned(fanOut.at(i), scope);
    size += callSize(fanOut.at(i));
  }
  return size;
}

/**
 * Writes the members of the result of a list over all servers that answered, as far as `mergedSize` chose: each item as
 * the bytes that its server sent, but for the prefix of its name, or the mark of its URI, which is spliced in. In the order
 * of the configuration, then of the server. What could not be called is left out.
 * @param freshness for how long a client may keep it, or null in the era that does not tell
 * @param own items of ours, which come first, with commas between them; NONE: there are none
 * @param cursor of the part of the list that follows; NONE: this is all
 */
export function writeList(
  writer: Writer,
  noun: NounRow,
  fanOut: FanOut,
  freshness: Freshness | null,
  own: Span = NONE,
  cursor: Span = NONE,
): Writer {
  writer.byte(QUOTE).bytes(noun.items).bytes(ITEMS).bytes(own);
  // What has been chosen and not been written yet: neighbours are copied as one piece, up to the next mark.
  let from: usize = 0;
  let to: usize = 0;
  let wasReplaced = false;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.failed) continue;
    for (let p = 0; p < call.pages.count; p++) {
      const page = changetype<Page>(call.pages.at(p) as usize);
      for (let t = 0; t < page.items.count; t++) {
        const item = changetype<Item>(page.items.at(t) as usize);
        if (!item.chosen) continue;
        const object = item.replacement === NONE ? item.object : item.replacement;
        const start = pointer(object);
        const isReplaced = item.replacement !== NONE;
        // One byte between two items of an array is the comma.
        if (isReplaced || wasReplaced || start !== to + 1) {
          if (to !== 0) writer.bytes(between(from, to));
          if (to !== 0 || own !== NONE) writer.byte(COMMA);
          from = start;
          wasReplaced = isReplaced;
        }
        if (length(item.mark) > 0 && !isReplaced) {
          const place = pointer(item.name) + (item.markAt as usize);
          writer.bytes(between(from, place)).bytes(item.mark);
          from = place;
        }
        to = limit(object);
      }
    }
  }
  writer.bytes(between(from, to));
  writer.bytes(CLOSE);
  if (cursor !== NONE) writer.bytes(NEXT).bytes(cursor).byte(QUOTE);
  if (freshness === null) return writer;
  return writer
    .bytes(TTL)
    .decimal(freshness.ttl as u64)
    .bytes(freshness.isPublic ? PUBLIC : PRIVATE);
}

/** Where tools are searched for, the list shows those that are pinned. */
function keepPinned(call: UpstreamCall, scope: Scope): void {
  const search = scope.search;
  if (search === null || call.noun.noun !== Noun.Tools) return;
  for (let p = 0; p < call.pages.count; p++) {
    const items = changetype<Page>(call.pages.at(p) as usize).items;
    for (let t = 0; t < items.count; t++) {
      const item = changetype<Item>(items.at(t) as usize);
      if (item.chosen && !search.isPinned(call.server.index, textOf(item.name, scratch))) item.chosen = false;
    }
  }
}

/** Decides about each item once. A name that is not text (a lone surrogate) is none that a call could have. */
export function choose(gateway: Gateway, call: UpstreamCall, scope: Scope): void {
  for (let p = 0; p < call.pages.count; p++) {
    const page = changetype<Page>(call.pages.at(p) as usize);
    for (let t = 0; t < page.items.count; t++) {
      const item = changetype<Item>(page.items.at(t) as usize);
      const name = textOf(item.name, scratch);
      item.chosen =
        !item.isBroken && name !== NONE && mayUse(gateway, call.noun.noun, call.server, name, scope, item.facts);
      // An item of a list that is kept open has been chosen for others before.
      item.replacement = NONE;
      item.isEclipsed = false;
      if (!item.chosen) continue;
      markItem(gateway, call, item);
      if (call.noun.noun !== Noun.Tools) continue;
      showTool(gateway, call.server, item, name, scope);
      if (item.chosen && item.replacement === NONE) showLinks(gateway, call.server, item);
    }
  }
}

/** Prefixes and marks are made of characters that need no escape in JSON. */
function markItem(gateway: Gateway, call: UpstreamCall, item: Item): void {
  if (!call.noun.isUri) {
    item.mark = call.server.prefix;
    item.markAt = 1;
    return;
  }
  const at = markOffsetInToken(gateway, call.server, item.name, scratch);
  item.mark = at >= 0 ? call.server.mark : NONE;
  item.markAt = max(at, 0) as u32;
}

/** Prefixes and marks are made of characters that need no escape in JSON. */
export function writeItem(writer: Writer, item: Item): void {
  if (item.replacement !== NONE) {
    writer.bytes(item.replacement);
    return;
  }
  const place = pointer(item.name) + (item.markAt as usize);
  writer
    .bytes(between(pointer(item.object), place))
    .bytes(item.mark)
    .bytes(between(place, limit(item.object)));
}

/** Bytes that `writeItem` writes. */
export function itemSize(item: Item): u64 {
  if (item.replacement !== NONE) return item.replacement as u32 as u64;
  return (item.object as u32 as u64) + (item.mark as u32 as u64);
}

function callSize(call: UpstreamCall): u64 {
  let size: u64 = 0;
  for (let p = 0; p < call.pages.count; p++) {
    const page = changetype<Page>(call.pages.at(p) as usize);
    for (let t = 0; t < page.items.count; t++) {
      const item = changetype<Item>(page.items.at(t) as usize);
      if (item.chosen) size += itemSize(item) + 1;
    }
  }
  return size;
}
