import { Noun, nounRow } from '../mcp/nouns';
import { Arena, make } from '../bytes/arena';
import { AllowedCapabilities } from './allowed-capabilities';
import { Audit } from './audit';
import { Authorization } from './authorization';
import { Catalog, CatalogSource } from './catalog';
import { ClaimTree } from './claim-tree';
import { List, newList } from '../bytes/list';
import { NameTable } from '../bytes/names';
import { Span } from '../bytes/span';
import { HostMode } from './host-mode';
import { Identity, IdentityKind } from './identity';
import { KeyRing } from './keyring';
import { Limits } from './limits';
import { NameSet } from './name-set';
import { Overrides } from './overrides';
import { Pins } from './pins';
import { ResultLimit } from './rules';
import { ProtectedResource } from './protected-resource';
import { Server } from './server';
import { ToolSearch } from './tool-search';
import { VirtualServer } from './virtual-server';

/** What later filters are told about a request, beside its server. */
export const enum Emitted {
  Method = 1,
}

/** The bit for the name of one of a noun. */
export function emittedBy(noun: Noun): u32 {
  return 1 << nounRow(noun).ruledBy;
}

/** One plugin configuration, parsed; never changed afterwards but for the key that is made at first use. */
@unmanaged
export class Gateway {
  /** Tells it from those that share its keys, its Envoy or its network; the same on all of its replicas. */
  name: Span;
  /** The configuration says it. */
  isNamed: bool;
  /** Its number in metrics that concern no server, or several; the host's to set. */
  label: u32;
  endpoint: Span;
  hostMode: HostMode;
  /** `server/discover` is answered also where all servers have sessions. */
  discoversAlways: bool;
  /** Seconds. */
  sessionTtl: u32;
  /** A client's sessions with servers are opened when they are first needed, where it is known what those servers say. */
  opensLazily: bool;
  /** Empty until the key of this Envoy is made, where the configuration names none. */
  keys: KeyRing;
  limits: Limits;
  /** Host names it is served under, and origins of web pages that may use it; of Span. */
  hosts: List;
  origins: List;
  identity: Identity;
  /** Where clients reach it from outside, such as `https://mcp.example.com`; NONE: as each request says. */
  publicUrl: Span;
  /** What OAuth's clients are told, or null: nothing. */
  resource: ProtectedResource | null;
  /** Who may use what; null: everybody everything that the servers' rules and virtual servers leave. */
  authorization: Authorization | null;
  /** How the header is read that lists what its caller may use; null: it is not. */
  allowedCapabilities: AllowedCapabilities | null;
  /** The definitions of tools that were looked at and found good; null: none was. */
  pins: Pins | null;
  /** How large the results of all servers' tools may be; null: of any size. */
  results: ResultLimit | null;
  /** The record of who called what; null: none is kept. */
  audit: Audit | null;
  /** Budgets of requests (Quota); null: there are none. */
  quotas: List | null;
  /** Elements are Server, in the order of the configuration, then in that of the catalog. */
  servers: List;
  /** Where further servers come from; null: from nowhere. */
  catalogSource: CatalogSource | null;
  /** What has come from there; null: nothing yet. */
  catalog: Catalog | null;
  /** Servers as they are for who is sent one of several credentials, see credential-choice.ts; null: none chooses. */
  variants: List | null;
  /** Some server is sent tokens that those of callers are exchanged for. */
  exchanges: bool;
  /** It is a copy for one request, whose servers are as they are for that. */
  isOfRequest: bool;
  /** What rules and choices of credentials want to know of a token. */
  claims: ClaimTree;
  /** Headers of clients that not every server gets, see policy/client-headers.ts. */
  clientHeaders: NameTable;
  /** Headers of servers that reach clients, see policy/response-headers.ts. */
  responseHeaders: NameSet;
  /** Bits of Emitted. */
  emitted: u32;
  /** What the headers of a request say of its trace is written into its message. */
  traceToMeta: bool;
  /** Our entry in the Via header of what is sent to servers. */
  via: Span;
  /** What clients see of tools in the place of what servers say, outside of virtual servers; null: there are none. */
  overrides: Overrides | null;
  /** What `tools/list` shows there in the place of most tools; null: it shows all. */
  toolSearch: ToolSearch | null;
  /** In the order of the configuration, then in that of the catalog. */
  virtualServers: List;
  virtualServersByName: NameTable;
  /** What the endpoint itself serves; null: everything, unless it is closed. */
  rootServes: VirtualServer | null;
  rootClosed: bool;
  /** What the status is told for; NONE: there is none. */
  statusToken: Span;
  /** The digest of the whole configuration, the same in whatever order its members stand; 0 where no status shows it. */
  digest: u64;
  /** Where GET cannot have the stream of a server, clients are told by it of changed lists. */
  tellsOfLists: bool;
  /** The digest of what lists depend on in the configuration; 0 where nobody is told of changed lists. */
  listDigest: u64;
  /** Secrets may stand in the configuration itself. */
  insecureInline: bool;
  /** The ABI's levels: 0 trace … 5 critical. */
  logLevel: u32;

  /** And none can come: what clients see of it needs no name. */
  get hasOneServer(): bool {
    return this.servers.count === 1 && this.catalogSource === null;
  }

  /** What it serves is not known yet. */
  /** Servers share their clients, and with that a client's one list of tasks (MCP 2025-11-25): none of them is told of it. */
  get withholdsTasks(): bool {
    return this.servers.count > 1;
  }

  get awaitsCatalog(): bool {
    return this.catalogSource !== null && this.catalog === null;
  }

  /**
   * What a server gives to a caller to be repeated, where requests have no session, is sealed: else it could reach another
   * server, or be used by another caller. It passes as it is where there is one server and nobody is told from another.
   */
  get sealsForCallers(): bool {
    return !this.hasOneServer || this.identity.kind !== IdentityKind.None;
  }

  serverAt(index: i32): Server {
    return changetype<Server>(this.servers.at(index) as usize);
  }

  /** One of `variants`. */
  variantAt(index: i32): Server {
    return changetype<Server>(this.variants!.at(index) as usize);
  }

  /** The server, or the variant of one, that has this fingerprint; null: there is none. */
  serverOf(fingerprint: u64): Server | null {
    for (let i = 0; i < this.servers.count; i++) {
      if (this.serverAt(i).fingerprint === fingerprint) return this.serverAt(i);
    }
    const variants = this.variants;
    for (let i = 0; variants !== null && i < variants.count; i++) {
      if (this.variantAt(i).fingerprint === fingerprint) return this.variantAt(i);
    }
    return null;
  }

  /** The same gateway with a list of servers of its own, for one request. */
  copied(arena: Arena): Gateway {
    const copy = make<Gateway>(arena);
    memory.copy(changetype<usize>(copy), changetype<usize>(this), offsetof<Gateway>());
    copy.isOfRequest = true;
    copy.servers = newList(arena);
    for (let i = 0; i < this.servers.count; i++) copy.servers.push(this.servers.at(i));
    return copy;
  }

  virtualServerAt(index: i32): VirtualServer {
    return changetype<VirtualServer>(this.virtualServers.at(index) as usize);
  }

  virtualServer(name: Span): VirtualServer | null {
    return changetype<VirtualServer | null>(this.virtualServersByName.get(name));
  }
}
