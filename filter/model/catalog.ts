import { List } from '../bytes/list';
import { Span } from '../bytes/span';

/** Where a gateway asks for servers beside its own, and what these may name. */
@unmanaged
export class CatalogSource {
  /** The cluster of the plugin server. */
  cluster: Span;
  authority: Span;
  /** The path of the request, with its query. */
  path: Span;
  namespace: Span;
  /** What the plugin server is shown; NONE: nothing. */
  token: Span;
  /** Milliseconds from one request to the next. */
  interval: u32;
  /** Bytes of an answer. */
  maxBytes: u32;
  /** Patterns of Envoy's clusters that its servers may be at. */
  clusters: List;
  /** `NAME=value`, NUL, … of the variables that it may name. */
  environment: Span;
  /** Members that all of its servers have, as JSON; NONE: there are none. */
  defaults: Span;
  /** Tells what workers know of its catalog from what they know of another one's. */
  fingerprint: u64;
}

/** The catalog that a gateway serves. */
@unmanaged
export class Catalog {
  /** The revision that the plugin server gives it: equal catalogs have equal ones. */
  revision: Span;
  /** The index of its first server among those of the gateway. */
  firstServer: i32;
  /** Its virtual servers, as JSON; NONE: it has none. */
  virtualServers: Span;
  /** What is not served of it, and why, a line each. */
  leftOut: List;
}
