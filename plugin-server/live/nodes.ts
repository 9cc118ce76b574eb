import type { Poll, PollKind } from './poll.ts';

/** What a node said, and was given, of one type: its clusters, or one set of filters. */
export interface Subscription {
  /** The version that it has applied, by its last poll. */
  reported: string;
  /** What it was given last, how often in a row, and whether it has polled since: until then it may run that already. */
  offered: { readonly version: string; readonly times: number; readonly polledSince: boolean } | undefined;
  /** Its own words for that, where it has any. */
  error: string | undefined;
  /** The version that it was found to refuse. */
  refused: string | undefined;
  /** Polls in a row that were told to wait for something else. */
  waits: number;
}

/** An Envoy, as far as its polls tell. */
export interface Node {
  readonly id: string;
  /** Where it polls from: two Envoys of one id are two nodes. */
  readonly address: string;
  engine: string;
  lastSeen: number;
  /** Absent until it has asked this server for clusters. */
  clusters: Subscription | undefined;
  /** By the names that it asks for together. */
  readonly filters: Map<string, Subscription>;
  /** When it was first heard of to have the filters that it has. */
  filtersSince: number;
}

/** How many nodes of one gateway are known; those that were not heard of for the longest time are forgotten first. */
export const nodeLimit = 2000;
/** Milliseconds after which a node that does not poll is forgotten. */
export const nodeExpiry = 15 * 60_000;

/** A node asks for one or two filters: more sets of names than this are not its own. */
const filterSets = 4;

/** The nodes of one gateway. What is forgotten is learnt again from the next polls. */
export class Nodes {
  /** In the order of their last polls. */
  readonly #nodes = new Map<string, Node>();

  /** The node that sent a poll, with what the poll says of it. */
  heard(kind: PollKind, poll: Poll, address: string, now: number): { node: Node; subscription: Subscription } {
    const key = `${poll.node.id} ${address}`;
    const node = this.#nodes.get(key) ?? {
      id: poll.node.id,
      address,
      engine: poll.node.engine,
      lastSeen: now,
      clusters: undefined,
      filters: new Map<string, Subscription>(),
      filtersSince: now,
    };
    this.#nodes.delete(key);
    this.#nodes.set(key, node);
    node.engine = poll.node.engine;
    node.lastSeen = now;
    this.#forget(now);
    const subscription = kind === 'clusters' ? clustersOf(node, poll) : filtersOf(node, poll);
    if (subscription.reported !== poll.version || poll.error !== undefined) subscription.error = poll.error;
    if (kind === 'filters' && subscription.reported !== poll.version) node.filtersSince = now;
    subscription.reported = poll.version;
    if (subscription.offered !== undefined) subscription.offered = { ...subscription.offered, polledSince: true };
    return { node, subscription };
  }

  /** Those that were heard of lately, the last one last. */
  all(now: number): Node[] {
    this.#forget(now);
    return [...this.#nodes.values()];
  }

  #forget(now: number): void {
    for (const [key, { lastSeen }] of this.#nodes) {
      if (this.#nodes.size <= nodeLimit && now - lastSeen < nodeExpiry) return;
      this.#nodes.delete(key);
    }
  }
}

/** The answer to a poll gives this version. @returns how often in a row it was given before */
export function noteOffer(subscription: Subscription, version: string): number {
  const { offered } = subscription;
  const before = offered?.version === version ? offered.times : 0;
  subscription.offered = { version, times: before + 1, polledSince: false };
  return before;
}

const fresh = (): Subscription => ({
  reported: '',
  offered: undefined,
  error: undefined,
  refused: undefined,
  waits: 0,
});

/** An Envoy asks for its clusters first: without a version it has just started, and has nothing of what it had. */
function clustersOf(node: Node, { version }: Poll): Subscription {
  if (version === '' && (node.clusters?.reported ?? '') !== '') {
    node.clusters = fresh();
    node.filters.clear();
  }
  return (node.clusters ??= fresh());
}

function filtersOf(node: Node, { version, names }: Poll): Subscription {
  const key = names.join(' ');
  const known = node.filters.get(key);
  if (version === '' && (known?.reported ?? '') !== '') {
    // It has started anew, and its first poll for clusters went elsewhere.
    node.clusters = undefined;
    node.filters.clear();
  }
  const subscription = node.filters.get(key) ?? fresh();
  if (!node.filters.has(key) && node.filters.size >= filterSets) {
    const [oldest = ''] = node.filters.keys();
    node.filters.delete(oldest);
  }
  node.filters.set(key, subscription);
  return subscription;
}
