import { scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, equals, length, NONE } from '../bytes/span';
import { merged } from '../json/merge-patch';
import { Gateway } from '../model/gateway';
import { withPrefix } from '../model/overrides';
import { Server } from '../model/server';
import { Scope } from '../policy/scope';
import { Item } from '../upstream/page';

/**
 * Shows a tool as its override has it. One whose name a call would take for another tool is not shown: then
 * `item.isEclipsed`.
 * @param item that is chosen, and has its mark. @param name at the server
 */
export function overrideTool(gateway: Gateway, server: Server, item: Item, name: Span, scope: Scope): void {
  const overrides = scope.overrides;
  if (overrides === null) return;
  const plainName = withPrefix(server, name);
  const shown = overrides.shownName(server, name, plainName);
  const meant = overrides.plainNameOf(gateway, shown);
  if (meant === NONE || !equals(meant, plainName)) {
    item.chosen = false;
    item.isEclipsed = true;
    return;
  }
  const entry = overrides.of(plainName);
  if (entry !== null) {
    const size = (length(item.object) + length(entry.patch)) as u64;
    item.replacement = hasRoom(size) ? merged(item.object, entry.patch, scratch) : NONE;
    item.chosen = item.replacement !== NONE;
  } else if (server === overrides.bare) item.mark = NONE;
}
