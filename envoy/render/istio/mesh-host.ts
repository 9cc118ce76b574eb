import { type ClusterHost, clusterHost } from '../targets/cluster-host.ts';
import { refuse } from '../refuse.ts';
import { type LocatedServer, asksNobody } from '../servers.ts';
import type { Upstream } from '../upstream.ts';

/** A host as the mesh knows it, with the servers behind it; of two servers on one host it is one. */
export interface MeshHost extends Omit<ClusterHost, 'kind'> {
  /** `there`: the configuration names a cluster that is made elsewhere. */
  readonly kind: ClusterHost['kind'] | 'there';
  /** The name that the registry has it by; an address has none, and is given one. */
  readonly name: string;
}

/** A server and where it is. */
export interface MeshServer {
  readonly server: LocatedServer;
  readonly place: MeshHost;
}

/** How Istio names the cluster of a port of a host: https://istio.io/latest/docs/ops/diagnostic-tools/proxy-cmd/ */
const clusterPattern = /^outbound\|(\d{1,5})\|\|([^|]+)$/;

function clusterOf({ port, name }: Pick<MeshHost, 'port' | 'name'>): string {
  return `outbound|${port}||${name}`;
}

/** Names the cluster of a server that has a URL. @throws Error for what no pod could reach */
export function meshCluster(domain: string): (server: string, upstream: Upstream) => string {
  return (server, upstream) => clusterOf(meshHost(server, clusterHost(upstream, domain)));
}

/** Where all servers are. @throws EngineError that names every server which is nowhere */
export function meshServers(servers: readonly LocatedServer[], domain: string): MeshServer[] {
  const problems: string[] = [];
  const found = servers.flatMap((server, index): MeshServer[] => {
    if (asksNobody(server.entry)) return [];
    try {
      return [{ server, place: placeOf(server, domain) }];
    } catch (error) {
      const member = server.upstream === undefined ? 'cluster' : 'url';
      problems.push(`servers[${index}].${member}: ${(error as Error).message}`);
      return [];
    }
  });
  refuse(problems);
  return found;
}

function placeOf({ entry, upstream }: LocatedServer, domain: string): MeshHost {
  if (upstream !== undefined) return meshHost(entry.name, clusterHost(upstream, domain));
  const cluster = String(entry['cluster']);
  const [, port, name] = clusterPattern.exec(cluster) ?? [];
  if (name === undefined)
    throw new Error(`expected outbound|PORT||HOST, found ${JSON.stringify(cluster.slice(0, 100))}`);
  return { kind: 'there', host: name, name, port: Number(port), tls: false };
}

function meshHost(server: string, place: ClusterHost): MeshHost {
  // `.internal` is nobody's: https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en
  return { ...place, name: place.kind === 'address' ? `${server}.sluice.internal` : place.host };
}
