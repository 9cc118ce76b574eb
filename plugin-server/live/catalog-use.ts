import type { CatalogRequest } from '../../envoy/render/catalog-request.ts';
import type { ConfigurationFile } from '../../envoy/check/configuration.ts';
import type { Problem } from '../../envoy/check/problem.ts';
import { environmentNames } from '../../envoy/render/bootstrap.ts';
import { parseUpstream } from '../../envoy/render/upstream.ts';
import { type Catalog, type CatalogServer, inOrder, withPatterns } from '../catalog/catalog.ts';
import type { Catalogs } from '../catalog/catalogs.ts';
import { serversOf, virtualServersOf } from '../catalog/servers.ts';
import { AddressPolicy } from './address-policy.ts';
import { matchesGlob } from './glob.ts';

/** What the catalogs of a gateway come to. */
export interface CatalogUse {
  readonly wanted: Catalog;
  /** What the gateway does not let in, at paths like `catalog.servers[weather].url`. */
  readonly problems: readonly Problem[];
  /** Servers that are not let in. */
  readonly refused: ReadonlySet<string>;
  /** Namespaces that have nothing yet. */
  readonly missing: readonly string[];
  /** Those that have something. */
  readonly present: readonly string[];
}

/** Puts the catalogs of a gateway together, as far as it lets them in. */
export function useCatalogs(request: CatalogRequest, catalogs: Catalogs | undefined): CatalogUse {
  const problems: Problem[] = [];
  const refused = new Set<string>();
  const missing: string[] = [];
  const parts = request.namespaces.map((namespace): Catalog => {
    const given = catalogs?.get(namespace)?.given?.catalog;
    if (given === undefined) {
      missing.push(namespace);
      return { servers: [], virtualServers: [] };
    }
    const named = request.qualified ? qualified(namespace, given) : given;
    const servers = admitted(named.servers, request, (name, member, message) => {
      problems.push({ path: `catalog.servers[${name}]${member}`, message, severity: 'error' });
    });
    const isIn = new Set(servers.map(({ name }) => name));
    for (const { name } of named.servers) if (!isIn.has(name)) refused.add(name);
    return { servers, virtualServers: virtualServersOf(named) };
  });
  const wanted = {
    servers: parts.flatMap(({ servers }) => servers),
    virtualServers: parts.flatMap(({ virtualServers }) => virtualServers),
  };
  const present = request.namespaces.filter((name) => !missing.includes(name));
  return { wanted: inOrder(wanted), problems, refused, missing, present };
}

/** What was let in before, as far as the gateway still lets it in. */
export function letIn(request: CatalogRequest, { servers, virtualServers }: Catalog): Catalog {
  return { servers: admitted(servers, request, () => undefined), virtualServers };
}

/** A gateway's file with what its catalogs add to it; where it does not say otherwise, its clients are told of edits. */
export function withCatalog(file: ConfigurationFile, catalog: Catalog | undefined): ConfigurationFile {
  if (catalog === undefined) return file;
  const own: unknown = file.plugin['virtualServers'];
  const servers = catalog.servers.map((server) => ({ ...file.catalog?.defaults, ...server }));
  const virtualServers = catalog.virtualServers.length === 0 ? own : [...listOf(own), ...catalog.virtualServers];
  const sessions: unknown = file.plugin['sessions'];
  return {
    ...file,
    plugin: {
      ...file.plugin,
      ...(virtualServers !== undefined && { virtualServers }),
      // The module sees that there is a catalog only where it asks for it itself.
      ...((sessions === undefined || isObject(sessions)) && { sessions: { listChanged: true, ...sessions } }),
    },
    servers: [...file.servers, ...serversOf({ servers }).servers],
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Names that say whose a server is: catalogs of several teams have servers of one name. */
function qualified(namespace: string, { servers, virtualServers }: Catalog): Catalog {
  const label = namespace.replaceAll('.', '-');
  const labelled = (patterns: readonly string[]): string[] => patterns.map((text) => `${label}_${text}`);
  return {
    servers: servers.map((server) => ({
      ...server,
      name: `${label}-${server.name}`,
      prefix: `${label}_${server.prefix}`,
      // Its cluster is named after it, and where it is reached.
      ...(server.endpoints !== undefined && { service: server.service ?? server.name }),
    })),
    virtualServers: virtualServers.map((each) => withPatterns(each, labelled)),
  };
}

function admitted(
  servers: readonly CatalogServer[],
  { clusters, addresses, env }: CatalogRequest,
  refuse: (server: string, member: string, message: string) => void,
): CatalogServer[] {
  const policy = new AddressPolicy(addresses);
  return servers.flatMap((server) => {
    const wrong = (member: string, message: string): void => {
      refuse(server.name, member, message);
    };
    const foreign = environmentNames(server).filter((name) => !env.some((glob) => matchesGlob(glob, name)));
    for (const name of foreign) {
      wrong('', `names the variable ${name.slice(0, 60)}, and catalog.env of the gateway does not`);
    }
    const { cluster } = server;
    if (typeof cluster === 'string' && !clusters.some((glob) => matchesGlob(glob, cluster))) {
      wrong('.cluster', `${cluster.slice(0, 60)} is none that catalog.clusters of the gateway names`);
      return [];
    }
    if (server.url !== undefined && server.endpoints === undefined) {
      const refusal = policy.refusal(hostOf(server.url));
      if (refusal !== undefined) {
        wrong('.url', refusal);
        return [];
      }
    }
    if (foreign.length > 0) return [];
    const endpoints = server.endpoints?.filter(({ address, port }) => {
      const refusal = policy.refusal(address);
      if (refusal !== undefined) wrong('.endpoints', `${address}:${port} is left out: ${refusal}`);
      return refusal === undefined;
    });
    return [endpoints === undefined ? server : { ...server, endpoints }];
  });
}

function hostOf(url: string): string {
  try {
    return parseUpstream(url).address.host;
  } catch {
    return '';
  }
}
