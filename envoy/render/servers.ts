import { type Upstream, parseUpstream } from './upstream.ts';

/** An entry of `servers` in the plugin configuration, where `url` stands for cluster, authority and path. */
export interface GatewayServer {
  readonly name: string;
  /** `http://127.0.0.1:3001/mcp`: its cluster is made, and named after the server. Absent where it asks nobody. */
  readonly url?: string;
  readonly [member: string]: unknown;
}

/** An entry, and where its server is. */
export interface LocatedServer {
  readonly entry: { readonly name: string; readonly [member: string]: unknown };
  /** Absent where the entry names a cluster that is made elsewhere, or asks nobody. */
  readonly upstream: Upstream | undefined;
}

/** A member that is wrong: its path in the configuration, and a sentence without it. */
export interface ServerProblem {
  readonly path: string;
  readonly message: string;
}

/** The cluster that every bootstrap has of its own. */
export const pluginServerCluster = 'plugin-server';

/** A name is a metric label, a header value and here a cluster's name as well. */
const namePattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** What is said of a server without a URL where its cluster would have to be made, by whoever sees that. */
export const needsUrl =
  'name its url: the cluster is made of it; a cluster of your own has to be in a bootstrap of your own';

/** Whether a server has nothing but prompts that the gateway makes: it needs neither URL nor cluster. */
export function asksNobody(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  const { url, cluster, rest } = entry as Record<string, unknown>;
  if (url !== undefined || cluster !== undefined || typeof rest !== 'object' || rest === null) return false;
  const { tools, prompts } = rest as Record<string, unknown>;
  return prompts !== undefined && (tools === undefined || (Array.isArray(tools) && tools.length === 0));
}

const nowhere: Upstream = { address: { host: '127.0.0.1', port: 0 }, tls: false, authority: 'nowhere', path: '/' };

/**
 * Reads the members of `servers` that clusters are made of; all others are the module's to judge.
 * @param foreignClusters whether an entry may name a `cluster` in place of a `url`
 * @returns all entries in their places, and everything that is wrong; one that is wrong has an upstream of nowhere, so
 * that the rest of it can be judged all the same
 */
export function readServers(
  entries: readonly unknown[],
  { foreignClusters = false } = {},
): { servers: LocatedServer[]; problems: ServerProblem[] } {
  const problems: ServerProblem[] = [];
  const names = new Set<unknown>();
  const servers: LocatedServer[] = [];
  for (const [index, entry] of entries.entries()) {
    const at = `servers[${index}]`;
    const report = (path: string, message: string): void => void problems.push({ path, message });
    if (typeof entry !== 'object' || entry === null) {
      report(at, 'expected an object with name and url');
      servers.push({ entry: { name: `unreadable-${index}` }, upstream: nowhere });
      continue;
    }
    const { name, url, cluster } = entry as Record<string, unknown>;
    if (typeof name !== 'string' || !namePattern.test(name)) {
      const found = name === undefined ? 'nothing' : JSON.stringify(name).slice(0, 60);
      report(`${at}.name`, `expected lower-case letters, digits and inner hyphens, found ${found}`);
    } else if (names.has(name)) {
      report(`${at}.name`, `${name} is the name of another server`);
    } else if (name === pluginServerCluster) {
      report(`${at}.name`, `${name} is the cluster of the plugin server`);
    }
    names.add(name);
    if (url !== undefined && cluster !== undefined) report(at, 'url and cluster exclude each other');
    if (asksNobody(entry) || (foreignClusters && url === undefined && typeof cluster === 'string')) {
      servers.push({ entry: entry as LocatedServer['entry'], upstream: undefined });
      continue;
    }
    if (url === undefined && typeof cluster === 'string') {
      report(`${at}.cluster`, needsUrl);
      servers.push({ entry: entry as LocatedServer['entry'], upstream: nowhere });
      continue;
    }
    if (typeof url !== 'string') {
      const otherwise = foreignClusters ? ', or name a cluster of the bootstrap in `cluster`' : '';
      report(`${at}.url`, `expected the URL of the server; clusters are made from it${otherwise}`);
      servers.push({ entry: entry as LocatedServer['entry'], upstream: nowhere });
      continue;
    }
    let upstream = nowhere;
    try {
      upstream = parseUpstream(url);
    } catch (error) {
      report(`${at}.url`, (error as Error).message);
    }
    servers.push({ entry: entry as LocatedServer['entry'], upstream });
  }
  return { servers, problems };
}

/** Names the cluster that is made of a server's URL. */
export type ClusterName = (server: string, upstream: Upstream) => string;

/** The entry as the module takes it: cluster, authority and path in place of the URL. */
export function moduleServer(
  { entry, upstream }: LocatedServer,
  clusterName: ClusterName = (server) => server,
): Record<string, unknown> {
  const members = Object.fromEntries(Object.entries(entry).filter(([member]) => member !== 'url'));
  if (upstream === undefined) return members;
  const name: unknown = entry.name;
  const cluster = clusterName(typeof name === 'string' ? name : 'unnamed', upstream);
  // Each tool of a REST service has a path of its own.
  const path = entry['rest'] === undefined ? { path: upstream.path } : {};
  return { cluster, authority: upstream.authority, ...path, ...members };
}

/** The configuration of the module. @param clusterName of a cluster that is made; by default the name of its server */
export function moduleConfiguration(
  {
    plugin,
    servers,
  }: { readonly plugin: Readonly<Record<string, unknown>>; readonly servers: readonly LocatedServer[] },
  clusterName?: ClusterName,
): Record<string, unknown> {
  return { hostMode: 'hold', ...plugin, servers: servers.map((server) => moduleServer(server, clusterName)) };
}
