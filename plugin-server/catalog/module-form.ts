import { isIP } from 'node:net';
import { moduleServer } from '../../envoy/render/servers.ts';
import type { Upstream } from '../../envoy/render/upstream.ts';
import type { Catalog } from './catalog.ts';
import { serversOf, virtualServersOf } from './servers.ts';

/** How a gateway that asks for its catalog itself calls its clusters: as the servers, or as Istio calls those of a host. */
export const clusterNames = ['servers', 'istio'] as const;
export type ClusterNames = (typeof clusterNames)[number];

/** A catalog as the module takes it. */
export interface ModuleForm {
  readonly servers: readonly object[];
  readonly virtualServers: readonly object[];
  /** What cannot be said so, a line each. */
  readonly leftOut: readonly string[];
}

/** The catalog in the words of the plugin configuration: clusters in the place of URLs and endpoints. */
export function moduleForm(catalog: Catalog, names: ClusterNames): ModuleForm {
  const leftOut: string[] = [];
  const servers = serversOf(catalog).servers.flatMap((server) => {
    const { upstream } = server;
    const refusal = names === 'istio' && upstream !== undefined ? unknownToIstio(upstream) : undefined;
    if (refusal === undefined) return [moduleServer(server, names === 'istio' ? istioCluster : undefined)];
    leftOut.push(`servers[${server.entry.name}]: ${refusal}`);
    return [];
  });
  return { servers, virtualServers: virtualServersOf(catalog), leftOut };
}

/** Istio's name for the cluster of a host and port, of a Service or of a ServiceEntry. */
function istioCluster(_server: string, upstream: Upstream): string {
  const { host, port } = placeOf(upstream) ?? upstream.address;
  return `outbound|${port}||${host}`;
}

/** Istio knows services by host names. */
function unknownToIstio(upstream: Upstream): string | undefined {
  const place = placeOf(upstream);
  if (place === undefined) return 'its instances have not one host name in common, by which Istio knows a service';
  if (isIP(place.host) === 0) return undefined;
  return `${place.host} is an address, and Istio knows services by host names: register the service with its DNS name`;
}

/** The host and port that all of its instances have; undefined where there is none, or they differ. */
function placeOf({ address, endpoints }: Upstream): Upstream['address'] | undefined {
  if (endpoints === undefined) return address;
  const [first, ...others] = endpoints;
  if (first === undefined) return undefined;
  const isSame = others.every((other) => other.address === first.address && other.port === first.port);
  return isSame ? { host: first.address, port: first.port } : undefined;
}
