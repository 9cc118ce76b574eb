import type { Cluster, HostPort } from '../config/model.ts';
import { connectorFor } from './connect.ts';
import type { Pool } from './exchange.ts';
import { Http1Pool } from './http1-pool.ts';
import { Http2Pool } from './http2-pool.ts';
import type { TrustStore } from './trust.ts';

/** A cluster as one worker has it. */
export interface WorkerCluster {
  readonly config: Cluster;
  /** undefined: it has no endpoint */
  readonly pool: Pool | undefined;
}

/** The clusters of one worker, each with connections of its own. */
export class ClusterManager {
  readonly #clusters = new Map<string, WorkerCluster>();

  /** @throws EngineError where the authorities of a cluster cannot be read */
  constructor(clusters: readonly Cluster[], trust: TrustStore) {
    for (const config of clusters) this.#clusters.set(config.name, { config, pool: poolOf(config, trust) });
  }

  get(name: string): WorkerCluster | undefined {
    return this.#clusters.get(name);
  }

  close(): void {
    for (const { pool } of this.#clusters.values()) pool?.close();
  }
}

function poolOf(config: Cluster, trust: TrustStore): Pool | undefined {
  const connector = connectorFor(config, trust);
  if (config.endpoints.length === 0) return undefined;
  const nextHost = roundRobin(config.endpoints);
  return config.protocol === 'HTTP2'
    ? new Http2Pool(config, connector, nextHost)
    : new Http1Pool(config, connector, nextHost);
}

function roundRobin(endpoints: readonly HostPort[]): () => HostPort {
  let turn = 0;
  return () => {
    const host = endpoints[turn++ % endpoints.length];
    if (host === undefined) throw new RangeError('a cluster without endpoints has no next one');
    return host;
  };
}
