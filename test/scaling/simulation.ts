// What a fleet of stand-ins makes a plugin server do, to hold the model to.
import { setTimeout as sleep } from 'node:timers/promises';
import { startFleet } from './fleet.ts';

export interface Simulated {
  readonly nodes: number;
  /** Envoys of the gateway that was edited. */
  readonly editedNodes: number;
  readonly pollBytes: number;
  readonly filterBytes: number;
  /** Answers that brought something new to start with, and because of the edit. */
  readonly first: { readonly clusters: number; readonly filters: number };
  readonly edited: { readonly clusters: number; readonly filters: number };
  readonly failed: number;
  /** Seconds from an edit until all of its nodes had it. */
  readonly editSeconds: number;
  /** While nothing was new: polls a second, and µs of CPU of the plugin server for each; NaN where nobody looked. */
  readonly idlePolls: number;
  readonly pollCpu: number;
  /** Resident memory of the plugin server with all nodes, in MiB. */
  readonly memory: number;
}

/** @param idleSeconds how long to look at a fleet that is given nothing new; 0: not at all */
export async function simulate(nodes: number, gateways: number, idleSeconds: number): Promise<Simulated> {
  const fleet = await startFleet(nodes, gateways);
  try {
    const { counts } = fleet;
    await fleet.given(0, nodes);
    await settled(() => counts.clusters.given);
    const first = { clusters: counts.clusters.given, filters: counts.filters.given };
    const idle = { cpu: fleet.cpu(), at: performance.now(), polls: counts.clusters.polls + counts.filters.polls };
    await sleep(idleSeconds * 1000);
    const polls = counts.clusters.polls + counts.filters.polls - idle.polls;
    const idlePolls = (polls * 1000) / (performance.now() - idle.at);
    const pollCpu = (fleet.cpu() - idle.cpu) / polls;

    const began = performance.now();
    const editedNodes = fleet.edit(0);
    await fleet.given(first.filters, editedNodes);
    const editSeconds = (performance.now() - began) / 1000;
    await settled(() => counts.clusters.given);
    return {
      nodes,
      editedNodes,
      pollBytes: fleet.pollBytes,
      filterBytes: counts.filters.bytes,
      first,
      edited: { clusters: counts.clusters.given - first.clusters, filters: counts.filters.given - first.filters },
      failed: counts.clusters.failed + counts.filters.failed,
      editSeconds,
      idlePolls: idleSeconds === 0 ? Number.NaN : idlePolls,
      pollCpu: idleSeconds === 0 ? Number.NaN : pollCpu,
      memory: fleet.memory(),
    };
  } finally {
    await fleet.stop();
  }
}

/** Waits until a count has stood still for three seconds. */
async function settled(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count();
    await sleep(3000);
  }
}
