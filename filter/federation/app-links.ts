import { scratch } from '../bytes/arena';
import { isNameOf, names } from '../bytes/name-list';
import { hasRoom } from '../bytes/room';
import { Span, equals, length, literal, pointer, NONE } from '../bytes/span';
import { newSplices, Splices } from '../bytes/splices';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { isString } from '../json/text';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { markOffsetInToken } from '../model/uri-owner';
import { Item } from '../upstream/page';

/**
 * Links of a tool to the resource that shows its results: `_meta.ui.resourceUri`, or in the form of before
 * `_meta["ui/resourceUri"]` (MCP Apps, 2026-01-26), and `_meta["openai/outputTemplate"]` (Apps SDK of OpenAI). A client
 * reads what they name, so each tells its server, as in the list of resources.
 */
const LINKS = names('ui/resourceUri openai/outputTemplate');
const UI = literal('ui');
const RESOURCE_URI = literal('resourceUri');

/** The definition with its links as clients see them, and no prefix; `item.object` where they are the same. NONE: no memory. */
export function linkedObject(gateway: Gateway, server: Server, item: Item): Span {
  const splices = linksOf(gateway, server, item);
  return splices === null ? item.object : applied(splices, item);
}

/** Shows a tool with its links as clients see them. @param item that is chosen, has its mark, and is as its server has it */
export function showLinks(gateway: Gateway, server: Server, item: Item): void {
  const splices = linksOf(gateway, server, item);
  if (splices === null) return;
  insert(splices, item, item.name, item.markAt, item.mark);
  item.replacement = applied(splices, item);
  item.chosen = item.replacement !== NONE;
}

/** Where the marks are inserted; null: nowhere. */
function linksOf(gateway: Gateway, server: Server, item: Item): Splices | null {
  const meta = item.meta;
  if (meta === NONE || length(server.mark) === 0 || kindOf(meta) !== Kind.Object) return null;
  let splices: Splices | null = null;
  for (const walk = walkThrough(meta, scratch); walk.next();) {
    const key = walk.key(scratch);
    if (key === NONE) continue;
    if (isNameOf(LINKS, key)) splices = withLink(gateway, server, item, walk.value, splices);
    if (!equals(key, UI) || walk.kind !== Kind.Object) continue;
    for (const inner = walkThrough(walk.value, scratch); inner.next();) {
      const name = inner.key(scratch);
      if (name !== NONE && equals(name, RESOURCE_URI)) {
        splices = withLink(gateway, server, item, inner.value, splices);
      }
    }
  }
  return splices;
}

function withLink(gateway: Gateway, server: Server, item: Item, value: Span, splices: Splices | null): Splices | null {
  const at: i32 = isString(value) ? markOffsetInToken(gateway, server, value, scratch) : -1;
  if (at < 0) return splices;
  const marked = splices === null ? newSplices(scratch) : splices;
  insert(marked, item, value, at as u32, server.mark);
  return marked;
}

/** @param token a string within the item */
function insert(splices: Splices, item: Item, token: Span, offset: u32, text: Span): void {
  const at = ((pointer(token) - pointer(item.object)) as u32) + offset;
  splices.add(at, at, text);
}

function applied(splices: Splices, item: Item): Span {
  return hasRoom((length(item.object) as u64) * 2) ? splices.applied(item.object, scratch) : NONE;
}
