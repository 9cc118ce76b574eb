import { NounRow } from '../mcp/nouns';
import { COMMA } from '../bytes/ascii';
import { Arena, scratch } from '../bytes/arena';
import { Span, between, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { textOf } from '../json/text';
import { Gateway } from '../model/gateway';
import { markOffsetInToken } from '../model/uri-owner';
import { mayUse } from '../policy/decision';
import { Scope } from '../policy/scope';
import { FanOut } from './fanout';
import { UpstreamCall } from '../upstream/call';
import { Freshness } from './freshness';
import { Item, Page } from '../upstream/page';

const OPEN = literal('{"');
const ITEMS = literal('":[');
const CLOSE = literal(']');
const TTL = literal(',"ttlMs":');
const PRIVATE = literal(',"cacheScope":"private"}');
const PUBLIC = literal(',"cacheScope":"public"}');
const END = literal('}');

/** Decides what the scope shows, and says how many bytes `mergedList` needs for them. */
export function mergedSize(gateway: Gateway, fanOut: FanOut, scope: Scope): u64 {
  let size: u64 = 96;
  for (let i = 0; i < fanOut.calls.count; i++) {
    choose(gateway, fanOut.at(i), scope);
    size += callSize(fanOut.at(i));
  }
  return size;
}

/**
 * The result of a list over all servers that answered, as far as `mergedSize` chose: each item as the bytes that its
 * server sent, but for the prefix of its name, or the mark of its URI, which is spliced in. In the order of the
 * configuration, then of the server. What could not be called is left out.
 * @param size what `mergedSize` said
 * @param freshness for how long a client may keep it, or null in the era that does not tell
 */
export function mergedList(noun: NounRow, fanOut: FanOut, size: u64, freshness: Freshness | null, arena: Arena): Span {
  const writer = newWriter(arena, size as usize)
    .bytes(OPEN)
    .bytes(noun.items)
    .bytes(ITEMS);
  let first = true;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.failed) continue;
    for (let p = 0; p < call.pages.count; p++) {
      const page = changetype<Page>(call.pages.at(p) as usize);
      for (let t = 0; t < page.items.count; t++) {
        const item = changetype<Item>(page.items.at(t) as usize);
        if (!item.chosen) continue;
        if (!first) writer.byte(COMMA);
        first = false;
        writeItem(writer, item);
      }
    }
  }
  writer.bytes(CLOSE);
  if (freshness === null) return writer.bytes(END).written;
  return writer
    .bytes(TTL)
    .decimal(freshness.ttl as u64)
    .bytes(freshness.isPublic ? PUBLIC : PRIVATE).written;
}

/** Decides about each item once. A name that is not text (a lone surrogate) is none that a call could have. */
function choose(gateway: Gateway, call: UpstreamCall, scope: Scope): void {
  for (let p = 0; p < call.pages.count; p++) {
    const page = changetype<Page>(call.pages.at(p) as usize);
    for (let t = 0; t < page.items.count; t++) {
      const item = changetype<Item>(page.items.at(t) as usize);
      const name = textOf(item.name, scratch);
      item.chosen =
        !item.isBroken && name !== NONE && mayUse(gateway, call.noun.noun, call.server, name, scope, item.facts);
      if (item.chosen) markItem(gateway, call, item);
    }
  }
}

function markItem(gateway: Gateway, call: UpstreamCall, item: Item): void {
  if (!call.noun.isUri) {
    item.mark = call.server.prefix;
    item.markAt = 1;
    return;
  }
  const at = markOffsetInToken(gateway, call.server, item.name, scratch);
  if (at >= 0) item.mark = call.server.mark;
  item.markAt = max(at, 0) as u32;
}

/** Prefixes and marks are made of characters that need no escape in JSON. */
function writeItem(writer: Writer, item: Item): void {
  const place = pointer(item.name) + (item.markAt as usize);
  writer
    .bytes(between(pointer(item.object), place))
    .bytes(item.mark)
    .bytes(between(place, limit(item.object)));
}

function callSize(call: UpstreamCall): u64 {
  let size: u64 = 0;
  for (let p = 0; p < call.pages.count; p++) {
    const page = changetype<Page>(call.pages.at(p) as usize);
    for (let t = 0; t < page.items.count; t++) {
      const item = changetype<Item>(page.items.at(t) as usize);
      if (item.chosen) size += (item.object as u32 as u64) + (item.mark as u32 as u64) + 1;
    }
  }
  return size;
}
