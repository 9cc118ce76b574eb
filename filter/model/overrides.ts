import { Arena, make, scratch } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { newNameTable, NameTable } from '../bytes/names';
import { Span, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Gateway } from './gateway';
import { Server } from './server';

/** What clients see of a tool in the place of what its server says. */
@unmanaged
export class Override {
  /** The name that it has without one: prefix and name at the server. */
  plainName: Span;
  /** As clients see it. */
  name: Span;
  /** The members that take the place of those of its definition, the name among them: a JSON object. */
  patch: Span;
  /** It has been held against a list of its server; see flow/audit.ts. */
  audited: bool;
}

/**
 * The tools that clients see under another name or with other members. What a name is for is decided by the
 * configuration alone, in one place for lists and calls: a list leaves out what `plainNameOf` would take elsewhere.
 */
@unmanaged
export class Overrides {
  private byName: NameTable;
  private byPlainName: NameTable;
  /** Elements are Override. */
  list: List;
  /** The server whose tools have no prefix, but for those with an override of their own; null: none. */
  bare: Server | null;

  open(arena: Arena): Overrides {
    this.byName = newNameTable(arena);
    this.byPlainName = newNameTable(arena);
    this.list = newList(arena);
    return this;
  }

  /** What comes first holds. */
  add(entry: Override): void {
    if (this.of(entry.plainName) !== null) return;
    this.byPlainName.put(entry.plainName, changetype<usize>(entry));
    this.byName.put(entry.name, changetype<usize>(entry));
    this.list.push(changetype<usize>(entry) as u64);
  }

  of(plainName: Span): Override | null {
    return changetype<Override | null>(this.byPlainName.get(plainName));
  }

  named(name: Span): Override | null {
    return changetype<Override | null>(this.byName.get(name));
  }

  /** What a client sees a tool as. @param name at the server. @param plainName with its prefix */
  shownName(server: Server, name: Span, plainName: Span): Span {
    const entry = this.of(plainName);
    if (entry !== null) return entry.name;
    return server === this.bare ? name : plainName;
  }

  /** What a client means by a name, with the prefix of its server; NONE: nothing is called so any more. */
  plainNameOf(gateway: Gateway, name: Span): Span {
    const entry = this.named(name);
    if (entry !== null) return entry.plainName;
    const bare = this.bare;
    const plainName = bare === null || isOfAnother(gateway, bare, name) ? name : withPrefix(bare, name);
    return this.of(plainName) === null ? plainName : NONE;
  }
}

/** Names that begin with the prefix of a server are names of that server. */
function isOfAnother(gateway: Gateway, bare: Server, name: Span): bool {
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (server !== bare && startsWith(name, server.prefix)) return true;
  }
  return false;
}

/** In `scratch`. */
export function withPrefix(server: Server, name: Span): Span {
  return newWriter(scratch, 64).bytes(server.prefix).bytes(name).written;
}

export function newOverrides(arena: Arena): Overrides {
  return make<Overrides>(arena).open(arena);
}
