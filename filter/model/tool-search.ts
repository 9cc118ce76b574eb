import { Span } from '../bytes/span';
import { Noun } from '../mcp/nouns';
import { VirtualServer } from './virtual-server';

/** A list of tools that shows two tools of ours in the place of most others: one that finds them, one that calls them. */
@unmanaged
export class ToolSearch {
  /** Tools that are listed as ever. */
  pinned: VirtualServer;
  /** Tools that exist where they are pinned alone: the others of them are neither listed nor found. */
  excluded: VirtualServer;
  /** Tools in an answer, and bytes of their definitions there. */
  results: u32;
  bytes: u32;

  /** @param server its index. @param name of a tool there */
  isPinned(server: i32, name: Span): bool {
    return this.pinned.has(Noun.Tools, server, name);
  }

  /** Neither listed nor found. */
  hides(server: i32, name: Span): bool {
    return this.excluded.has(Noun.Tools, server, name) && !this.isPinned(server, name);
  }
}
