import type { Cluster } from '../config/model.ts';
import { balancerOf } from './balancer.ts';
import { connectorFor } from './connect.ts';
import type { Pool } from './exchange.ts';
import { Http1Pool } from './http1-pool.ts';
import { Http2Pool } from './http2-pool.ts';
import { MutatingPool } from './mutating-pool.ts';
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
  const balancer = balancerOf(config);
  const pool =
    config.protocol === 'HTTP2'
      ? new Http2Pool(config, connector, balancer)
      : new Http1Pool(config, connector, balancer);
  const { removed, added } = config.mutations;
  return removed.length === 0 && added.length === 0 ? pool : new MutatingPool(pool, config.mutations);
}
