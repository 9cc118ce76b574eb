import { Arena, make } from '../bytes/arena';
import { Span, after, length, literal, trim, NONE } from '../bytes/span';
import { Gateway } from '../model/gateway';
import { Overrides } from '../model/overrides';
import { ToolSearch } from '../model/tool-search';
import { VirtualServer } from '../model/virtual-server';
import { AllowedNames } from './allowed-names';
import { Permissions } from './permissions';

const CLOSED = literal('the endpoint itself serves none');
const EMPTY = literal('the header names none');

/** What narrows one request; null narrows nothing. */
@unmanaged
export class Scope {
  /** What the path says: the virtual server that it names, or the one that `root` gives to the endpoint itself. */
  path: VirtualServer | null;
  /** What the header says, for this request only. */
  header: VirtualServer | null;
  /** What it sees of tools in the place of what servers say: by the narrowest virtual server; null: nothing. */
  overrides: Overrides | null;
  /** The same of what its list of tools shows, see `search`. */
  private toolSearch: ToolSearch | null;
  /** That of the path, where a header names another one: the header narrows, so what it leaves out stays out. */
  private outerSearch: ToolSearch | null;
  /** The authorization rules that hold for it; null where there are none, and nothing is narrowed. */
  permissions: Permissions | null;
  /** What the verified header lists, see allowed-names.ts; null: no header is asked for, and nothing is narrowed. */
  allowed: AllowedNames | null;
  /** What follows the endpoint in the path: the part of a session's audience. */
  named: Span;
  /** It comes over HTTP+SSE, by which servers of that transport are reached, and no others. */
  overHttpSse: bool;
  /** Why the request is not served at all, or NONE: what is not known is never taken for everything. */
  refusal: Span;

  /** It narrows nothing. */
  get isWhole(): bool {
    return this.path === null && this.header === null && this.isForAll;
  }

  /** Nothing is hidden from it by who asks. */
  get isForAll(): bool {
    return this.permissions === null && this.allowed === null;
  }

  /** Whether its list shows what finds tools in the place of most tools; null: it shows all. Over HTTP+SSE servers answer. */
  get search(): ToolSearch | null {
    return this.overHttpSse ? null : this.toolSearch;
  }

  /** Whether a tool is neither listed nor found. @param server its index. @param name of the tool there */
  leavesOut(server: i32, name: Span): bool {
    if (this.overHttpSse) return false;
    const own = this.toolSearch;
    const outer = this.outerSearch;
    return (own !== null && own.hides(server, name)) || (outer !== null && outer.hides(server, name));
  }

  /** The narrowest virtual server that this request named or was given, or NONE. */
  get name(): Span {
    const header = this.header;
    if (header !== null) return header.name;
    const path = this.path;
    return path === null ? NONE : path.name;
  }

  private refuse(what: Span): Scope {
    this.refusal = what;
    return this;
  }

  settle(gateway: Gateway, behind: Span, header: Span): Scope {
    if (length(behind) > 0) {
      this.named = after(behind, 1);
      this.path = gateway.virtualServer(this.named);
      if (this.path === null) return this.refuse(this.named);
    } else {
      if (gateway.rootClosed) return this.refuse(CLOSED);
      this.path = gateway.rootServes;
    }
    const path = this.path;
    this.overrides = path === null ? gateway.overrides : path.overrides;
    this.toolSearch = path === null ? gateway.toolSearch : path.toolSearch;
    if (header === NONE) return this;
    const name = trim(header);
    const narrower = gateway.virtualServer(name);
    if (narrower === null) return this.refuse(length(name) > 0 ? name : EMPTY);
    this.header = narrower;
    this.overrides = narrower.overrides;
    this.outerSearch = this.toolSearch;
    this.toolSearch = narrower.toolSearch;
    return this;
  }
}

/**
 * @param behind what follows the endpoint in the path: nothing, or a slash and more
 * @param header the value of x-mcp-virtualserver, several joined by commas, or NONE. A name has no comma and none is
 * empty, so a list is as unknown as any other malformed name: no look-up needs to know why.
 */
export function scopeOf(gateway: Gateway, behind: Span, header: Span, arena: Arena): Scope {
  return make<Scope>(arena).settle(gateway, behind, header);
}
