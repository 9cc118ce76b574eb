/** What a gateway takes from catalogs, and what they may do there. */
export interface CatalogRequest {
  readonly namespaces: readonly string[];
  /** Whether names carry the namespace, as they do where several are named in a list. */
  readonly qualified: boolean;
  /** Clusters of the bootstrap that a catalog may name; globs. */
  readonly clusters: readonly string[];
  /** Networks (CIDR), addresses and globs of names that a catalog may lead to; absent: all but special addresses. */
  readonly addresses: readonly string[] | undefined;
  /** Environment variables that a catalog may name; globs. */
  readonly env: readonly string[];
  /** Members that every server of a catalog has. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** What is for a gateway that asks for its catalog itself, as it stands there. */
  readonly polling: Readonly<Record<string, unknown>>;
}
