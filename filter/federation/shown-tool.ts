import { scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, equals, length, NONE } from '../bytes/span';
import { merged } from '../json/merge-patch';
import { isSearchTool } from '../mcp/search-tools';
import { Gateway } from '../model/gateway';
import { Override, withPrefix } from '../model/overrides';
import { Server } from '../model/server';
import { Scope } from '../policy/scope';
import { Item } from '../upstream/page';
import { linkedObject } from './app-links';

/**
 * Shows a tool as its override has it. One whose name a call would take for another tool is not shown: then
 * `item.isEclipsed`.
 * @param item that is chosen, and has its mark. @param name at the server
 */
export function showTool(gateway: Gateway, server: Server, item: Item, name: Span, scope: Scope): void {
  const overrides = scope.overrides;
  const isSearched = scope.search !== null;
  if (overrides === null && !isSearched) return;
  const plainName = withPrefix(server, name);
  const shown: Span = overrides === null ? plainName : overrides.shownName(server, name, plainName);
  const meant: Span = overrides === null ? plainName : overrides.plainNameOf(gateway, shown);
  if (meant === NONE || !equals(meant, plainName) || (isSearched && isSearchTool(shown))) {
    item.chosen = false;
    item.isEclipsed = true;
    return;
  }
  if (overrides === null) return;
  const entry = overrides.of(plainName);
  if (entry !== null) replace(gateway, server, item, entry);
  else if (server === overrides.bare) item.mark = NONE;
}

function replace(gateway: Gateway, server: Server, item: Item, entry: Override): void {
  const object = linkedObject(gateway, server, item);
  const size = (length(object) + length(entry.patch)) as u64;
  item.replacement = object !== NONE && hasRoom(size) ? merged(object, entry.patch, scratch) : NONE;
  item.chosen = item.replacement !== NONE;
}
