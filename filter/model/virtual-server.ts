import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span } from '../bytes/span';
import { Noun, NOUNS } from '../mcp/nouns';
import { NameSet, newNameSet } from './name-set';
import { Overrides } from './overrides';
import { residues } from './residue';
import { Rules } from './rules';
import { Server } from './server';
import { ToolSearch } from './tool-search';
import { mayShow } from './uri-owner';

/** A named part of what the gateway serves. */
@unmanaged
export class VirtualServer {
  /** `<namespace>/<name>` */
  name: Span;
  servers: i32;
  /** By noun: addresses of List, the patterns on gateway names that may match one of some server. */
  patterns: usize;
  /** By noun and server: addresses of NameSet, what it has: names in the server's own form, URIs as clients see them; 0: nothing. */
  shares: usize;
  /** What clients see of tools in the place of what servers say; null: there are none. */
  overrides: Overrides | null;
  /** What `tools/list` shows in the place of most tools; null: it shows all. */
  toolSearch: ToolSearch | null;
  /** Bits of nouns whose patterns have been held against a complete list; see flow/audit.ts. */
  audited: u32;

  patternsOf(noun: Noun): List {
    return changetype<List>(load<usize>(this.patterns + ((noun as usize) << 2)));
  }

  /** Adds what a pattern means for one server; false where that is nothing. @param server its index */
  add(noun: Noun, pattern: Span, server: i32, prefix: Span, rules: Rules, arena: Arena): bool {
    const found = residues(pattern, prefix, arena);
    let any = false;
    for (let i = 0; i < found.count; i++) {
      // What the server's own rules hide anyway is no reason to ask it for anything.
      if (!rules.mayAdmit(found.at(i))) continue;
      any = true;
      this.shareToFill(noun, server, arena).add(found.at(i));
    }
    return any;
  }

  /** The same for a pattern on resource URIs. @param noun Resources */
  addUris(noun: Noun, pattern: Span, server: Server, arena: Arena): bool {
    if (!server.rulesOf(noun).showAny || !mayShow(server, pattern)) return false;
    this.shareToFill(noun, server.index, arena).add(pattern);
    return true;
  }

  /** @param server its index */
  reaches(noun: Noun, server: i32): bool {
    return this.share(noun, server) !== null;
  }

  /** Whether it has one of that name, in the form of `shares`. */
  has(noun: Noun, server: i32, name: Span): bool {
    const share = this.share(noun, server);
    return share !== null && share.has(name);
  }

  /** The same for one of the names that a pattern matches. */
  mayHave(noun: Noun, server: i32, pattern: Span): bool {
    const share = this.share(noun, server);
    return share !== null && share.meets(pattern);
  }

  /** The same for all of them; may say no wrongly, never yes. */
  hasAll(noun: Noun, server: i32, pattern: Span): bool {
    const share = this.share(noun, server);
    return share !== null && share.covers(pattern);
  }

  private share(noun: Noun, server: i32): NameSet | null {
    return changetype<NameSet | null>(load<usize>(this.placeOf(noun, server)));
  }

  private placeOf(noun: Noun, server: i32): usize {
    return this.shares + ((((noun as i32) * this.servers + server) as usize) << 2);
  }

  private shareToFill(noun: Noun, server: i32, arena: Arena): NameSet {
    const share = this.share(noun, server);
    if (share !== null) return share;
    const fresh = newNameSet(arena);
    store<usize>(this.placeOf(noun, server), changetype<usize>(fresh));
    return fresh;
  }
}

/** @param servers how many there are */
export function newVirtualServer(name: Span, servers: i32, arena: Arena): VirtualServer {
  const created = make<VirtualServer>(arena);
  created.name = name;
  created.servers = servers;
  created.patterns = arena.allocate(NOUNS << 2);
  for (let noun: usize = 0; noun < (NOUNS as usize); noun++) {
    store<usize>(created.patterns + (noun << 2), changetype<usize>(newList(arena)));
  }
  created.shares = arena.zeroed(((NOUNS * servers) as usize) << 2);
  return created;
}
