import type { Cluster, HostPort } from '../config/model.ts';
import { formatHostPort } from '../../render/upstream.ts';
import type { HeaderMap } from '../header-map.ts';

/** Chooses the endpoint of a request by its headers. */
export type Balancer = (headers: HeaderMap) => HostPort;

/** The endpoint that a header names, where the cluster has it; else each in turn. (envoy: override_host, round_robin) */
export function balancerOf({ endpoints, endpointHeader }: Cluster): Balancer {
  const named = new Map(endpoints.map((endpoint) => [formatHostPort(endpoint), endpoint]));
  let turn = 0;
  return (headers) => {
    const wanted = endpointHeader === undefined ? undefined : headers.get(endpointHeader);
    const host = named.get(wanted ?? '') ?? endpoints[turn++ % endpoints.length];
    if (host === undefined) throw new RangeError('a cluster without endpoints has no next one');
    return host;
  };
}
