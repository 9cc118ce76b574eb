import { List } from '../bytes/list';
import { NameTable } from '../bytes/names';
import { Seen } from '../bytes/seen';
import { Span, equals } from '../bytes/span';
import { Revision } from '../mcp/revisions';
import { NameSet } from '../policy/name-set';
import { Rules } from '../policy/rules';
import { VirtualServer } from '../policy/virtual-server';
import { KeyRing } from '../session/keyring';

/** How the filter gets to see the body before the headers leave; see the files of that name in host/modes/. */
export const enum HostMode {
  Hold,
  Pair,
  Headers,
}

/** What an upstream is sent as proof of who asks. */
export const enum CredentialKind {
  /** The client's own credentials are removed: a token for us is not one for others (MCP authorization). */
  None,
  /** A fixed header, its value from the environment. */
  Header,
  /** The named headers of the client pass. */
  Passthrough,
}

@unmanaged
export class Credentials {
  kind: CredentialKind;
  /** Of Header. */
  header: Span;
  value: Span;
  /** Of Passthrough: names, lower case. */
  headers: List;

  /** Whether the client's header of that name goes to the server. */
  passes(name: Span): bool {
    for (let i = 0; i < this.headers.count; i++) if (equals(this.headers.at(i), name)) return true;
    return false;
  }
}

/** Who shares a cached list. In the order of the configuration's names. */
export const enum CacheScope {
  Session,
  Shared,
  /** Those who send the server the same credentials; everybody, where the gateway sends its own. */
  Credential,
}

/** What later filters are told about a request, beside its server. */
export const enum Emitted {
  Method = 1,
  ToolName = 2,
}

/** An upstream MCP server. */
@unmanaged
export class Server {
  index: i32;
  name: Span;
  cluster: Span;
  authority: Span;
  path: Span;
  prefix: Span;
  /** The revision to offer, or Unknown: the one that the client offered. */
  revision: Revision;
  /** Milliseconds until the response to a call must have begun. */
  callTimeout: u32;
  credentials: Credentials;
  /** Seconds that a list is kept; 0: it is not. */
  cacheTtl: u32;
  cacheScope: CacheScope;
  /** Of its tools, by their own names. */
  rules: Rules;
  /** Fingerprints of its tools that the log has named as left out. */
  reportedTools: Seen;
  /** The rules leave something to show. */
  shown: bool;
  /** Of its name as a label of metrics; the host's to set. */
  label: u32;
  /** Our entry in the Via header of what it is sent. */
  via: Span;
  /** Made of its name, cluster, authority, path, and of its credentials but for their secret. */
  unkeyedFingerprint: u64;
  /** Made of all that makes a session with it the same session, the secret included: under the sealing key, see fingerprints.ts. */
  fingerprint: u64;
}

/** How the gateway learns who asks. */
export const enum IdentityKind {
  None,
  /** From a token that Envoy's jwt_authn filter verified. */
  Jwt,
  /** From a header that an earlier filter sets, and that no client can. */
  TrustedHeader,
}

@unmanaged
export class Identity {
  kind: IdentityKind;
  /** Of Jwt: the host's names of both claims. */
  subject: Span;
  issuer: Span;
  /** Of TrustedHeader. */
  header: Span;
}

/** Times are milliseconds, sizes bytes. */
@unmanaged
export class Limits {
  heldBody: u32;
  /** Per worker. */
  bufferedBytes: u32;
  /** 0: none. */
  requestBody: u32;
  drainBytes: u32;
  handshakeTimeout: u32;
  listTimeout: u32;
  callTimeout: u32;
  listPages: u32;
  listBytes: u32;
  fanOut: u32;
  /** Bytes of what a client says of itself, which every server gets. */
  clientInfo: u32;
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
  /** Seconds. */
  sessionTtl: u32;
  /** Empty until the key of this Envoy is made, where the configuration names none. */
  keys: KeyRing;
  limits: Limits;
  /** Host names it is served under, and origins of web pages that may use it; of Span. */
  hosts: List;
  origins: List;
  identity: Identity;
  /** Of Server, in the order of the configuration. */
  servers: List;
  /** Headers of clients that not every server gets, see policy/client-headers.ts. */
  clientHeaders: NameTable;
  /** Headers of servers that reach clients, see policy/response-headers.ts. */
  responseHeaders: NameSet;
  /** Bits of Emitted. */
  emitted: u32;
  /** Our entry in the Via header of what is sent to servers. */
  via: Span;
  /** In the order of the configuration. */
  virtualServers: List;
  virtualServersByName: NameTable;
  /** What the endpoint itself serves; null: everything, unless it is closed. */
  rootServes: VirtualServer | null;
  rootClosed: bool;
  /** Of the ABI: 0 trace … 5 critical. */
  logLevel: u32;

  serverAt(index: i32): Server {
    return changetype<Server>(this.servers.at(index) as usize);
  }

  virtualServer(name: Span): VirtualServer | null {
    return changetype<VirtualServer | null>(this.virtualServersByName.get(name));
  }
}
