import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span } from '../bytes/span';
import { NameSet, newNameSet } from './name-set';
import { residues } from './residue';
import { Rules } from './rules';

/** A named part of what the gateway serves. */
@unmanaged
export class VirtualServer {
  /** `<namespace>/<name>` */
  name: Span;
  /** The patterns on gateway names that may match a tool of some server. */
  tools: List;
  prompts: List | null;
  resources: List | null;
  /** What it has of each server, in their order, on the server's own names: addresses of NameSet, 0: nothing. */
  shares: usize;
  /** Its patterns have been held against a complete list; see flow/audit.ts. */
  audited: bool;

  /** Adds what a pattern means for one server; false where that is nothing. @param server its index */
  add(pattern: Span, server: i32, prefix: Span, rules: Rules, arena: Arena): bool {
    const found = residues(pattern, prefix, arena);
    let any = false;
    for (let i = 0; i < found.count; i++) {
      // What the server's own rules hide anyway is no reason to ask it for anything.
      if (!rules.mayAdmit(found.at(i))) continue;
      any = true;
      this.shareToFill(server, arena).add(found.at(i));
    }
    return any;
  }

  /** @param server its index */
  reaches(server: i32): bool {
    return this.share(server) !== null;
  }

  /** Whether it has a server's tool of that (upstream) name. */
  has(server: i32, name: Span): bool {
    const share = this.share(server);
    return share !== null && share.has(name);
  }

  private share(server: i32): NameSet | null {
    return changetype<NameSet | null>(load<usize>(this.shares + ((server as usize) << 2)));
  }

  private shareToFill(server: i32, arena: Arena): NameSet {
    const share = this.share(server);
    if (share !== null) return share;
    const fresh = newNameSet(arena);
    store<usize>(this.shares + ((server as usize) << 2), changetype<usize>(fresh));
    return fresh;
  }
}

/** @param servers how many there are */
export function newVirtualServer(name: Span, servers: i32, arena: Arena): VirtualServer {
  const created = make<VirtualServer>(arena);
  created.name = name;
  created.tools = newList(arena);
  created.shares = arena.zeroed((servers as usize) << 2);
  return created;
}
