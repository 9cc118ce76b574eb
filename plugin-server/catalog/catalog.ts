import { createHash } from 'node:crypto';
import type { Endpoint } from '../../envoy/render/upstream.ts';

/** An entry of `servers`: as in the plugin configuration, as far as a catalog may say it. */
export interface CatalogServer {
  readonly name: string;
  /** Absent where `cluster` names a cluster of the gateway's own, or `endpoints`, `path` and `tls` say the same. */
  readonly url?: string;
  /** In place of the host of a URL. They come and go without an edit. */
  readonly endpoints?: readonly Endpoint[];
  /** Whose endpoints they are: another service is another cluster. */
  readonly service?: string;
  readonly path?: string;
  readonly tls?: boolean;
  readonly prefix: string;
  readonly [member: string]: unknown;
}

/** An entry of `virtualServers`. Its patterns begin with the prefix of a server of the catalog, or are `*`: all of those. */
export interface CatalogVirtualServer {
  readonly name: string;
  readonly tools: readonly string[];
  readonly prompts?: readonly string[];
  readonly events?: readonly string[];
}

/** The same with other patterns. @param change of the patterns of tools, prompts or events */
export function withPatterns(
  { name, tools, prompts, events }: CatalogVirtualServer,
  change: (patterns: readonly string[]) => readonly string[],
): CatalogVirtualServer {
  return {
    name,
    tools: change(tools),
    ...(prompts !== undefined && { prompts: change(prompts) }),
    ...(events !== undefined && { events: change(events) }),
  };
}

/** What a namespace adds to a gateway: servers and virtual servers; never access rules, limits or keys. */
export interface Catalog {
  readonly servers: readonly CatalogServer[];
  readonly virtualServers: readonly CatalogVirtualServer[];
}

export const emptyCatalog: Catalog = { servers: [], virtualServers: [] };

/** Equal catalogs have equal revisions, whoever made them: any number of plugin servers say the same. */
export function revisionOf(catalog: Catalog): string {
  return digest(JSON.stringify(sorted(catalog)));
}

/** As the revision, but the same before and after endpoints came or went: what an edit changes. */
export function editionOf(catalog: Catalog): string {
  return revisionOf(withoutEndpoints(catalog));
}

function withoutEndpoints({ servers, virtualServers }: Catalog): Catalog {
  return {
    servers: servers.map((server) => (server.endpoints === undefined ? server : { ...server, endpoints: [] })),
    virtualServers,
  };
}

/** An earlier catalog with the endpoints that its services have by now. */
export function withEndpointsOf(earlier: Catalog, now: Catalog): Catalog {
  const keyOf = ({ name, service }: CatalogServer): string => JSON.stringify([name, service]);
  const known = new Map(now.servers.map((server) => [keyOf(server), server.endpoints]));
  return {
    ...earlier,
    servers: earlier.servers.map((server) => {
      const endpoints = server.endpoints && known.get(keyOf(server));
      return endpoints === undefined ? server : { ...server, endpoints };
    }),
  };
}

/** In the order in which catalogs are given out: a source that lists otherwise changes nothing. */
export function inOrder({ servers, virtualServers }: Catalog): Catalog {
  return { servers: byName(servers), virtualServers: byName(virtualServers) };
}

function byName<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

/** Objects with their members in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]),
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
