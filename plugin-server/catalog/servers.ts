import { isIP } from 'node:net';
import { type Server, type ServerProblem, readServers } from '../../envoy/render/servers.ts';
import type { Endpoint } from '../../envoy/render/upstream.ts';
import type { Catalog, CatalogServer, CatalogVirtualServer } from './catalog.ts';

/** The servers of a catalog as others are made clusters of; what is wrong is at paths of the catalog. */
export function serversOf({ servers: entries }: Pick<Catalog, 'servers'>): {
  readonly servers: Server[];
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

/** Members that are read here, and no module's. */
const ownMembers = ['endpoints', 'service', 'tls'];

function withUrl(server: CatalogServer): object {
  const entry = Object.fromEntries(Object.entries(server).filter(([member]) => !ownMembers.includes(member)));
  if (server.endpoints === undefined || server.url !== undefined) return entry;
  delete entry['path']; // it is in the URL
  return { ...entry, url: urlOf(server.endpoints, server) };
}

/**
 * Where a server is that has endpoints alone. What it is called towards them (`Host`) is the first of them in order, so that
 * any number of plugin servers say the same.
 */
function urlOf([first]: readonly Endpoint[], { name, path = '/mcp', tls = false }: CatalogServer): string {
  const host = first === undefined ? name : isIP(first.address) === 6 ? `[${first.address}]` : first.address;
  const port = first === undefined ? '' : `:${first.port}`;
  return `${tls ? 'https' : 'http'}://${host}${port}${path}`;
}

/** Virtual servers as a gateway takes them: `*` stands for all servers of the catalog, and for no other of the gateway. */
export function virtualServersOf({ servers, virtualServers }: Catalog): CatalogVirtualServer[] {
  const all = servers.map(({ prefix }) => `${prefix}*`);
  const expanded = (patterns: readonly string[]): string[] => [
    ...new Set(patterns.flatMap((pattern) => (pattern === '*' ? all : [pattern]))),
  ];
  return virtualServers.map(({ name, tools, prompts }) => ({
    name,
    tools: expanded(tools),
    ...(prompts !== undefined && { prompts: expanded(prompts) }),
  }));
}
