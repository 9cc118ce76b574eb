import { withUrl } from '../../envoy/render/instances.ts';
import { type LocatedServer, type ServerProblem, readServers } from '../../envoy/render/servers.ts';
import { type Catalog, type CatalogVirtualServer, withPatterns } from './catalog.ts';

/** The servers of a catalog as others are made clusters of; what is wrong is at paths of the catalog. */
export function serversOf({ servers: entries }: Pick<Catalog, 'servers'>): {
  readonly servers: LocatedServer[];
  readonly problems: readonly ServerProblem[];
} {
  const { servers, problems } = readServers(entries.map(withUrl), { foreignClusters: true });
  return {
    servers: servers.map((server, index) => {
      const { endpoints, service } = entries[index] ?? {};
      if (endpoints === undefined || server.upstream === undefined) return server;
      return { ...server, upstream: { ...server.upstream, endpoints, service: service ?? server.entry.name } };
    }),
    problems,
  };
}

/** Virtual servers as a gateway takes them: `*` stands for all servers of the catalog, and for no other of the gateway. */
export function virtualServersOf({ servers, virtualServers }: Catalog): CatalogVirtualServer[] {
  const all = servers.map(({ prefix }) => `${prefix}*`);
  const expanded = (patterns: readonly string[]): string[] => [
    ...new Set(patterns.flatMap((pattern) => (pattern === '*' ? all : [pattern]))),
  ];
  return virtualServers.map((each) => withPatterns(each, expanded));
}
