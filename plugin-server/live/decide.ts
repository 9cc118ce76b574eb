import { nearest } from '../../common/nearest.ts';
import { filterNames } from '../../envoy/render/module-filter.ts';
import { type ClusterSet, type Compiled, type Resource, clusterVersionOf, closeFilter } from './compile.ts';
import type { Node, Subscription } from './nodes.ts';

/** What the next answer to a node has to be. */
export type Decision =
  /** This version; `again`: it was given before, and the node reports another. */
  | {
      readonly kind: 'give';
      readonly version: string;
      readonly resources: readonly Resource[];
      readonly again: boolean;
    }
  /** Nothing: it has what it is to have. */
  | { readonly kind: 'nothing' }
  /** Nothing yet: another of its subscriptions comes first. `elsewhere`: it is another plugin server that hears of that. */
  | { readonly kind: 'wait'; readonly elsewhere: boolean };

/** What is given out for a gateway, and what was. */
export interface Given {
  readonly compiled: Compiled;
  /** The clusters of an earlier version. */
  readonly clusterSet: (version: string) => ClusterSet | undefined;
  /** For `closeFilter`. */
  readonly mark: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /**
   * Milliseconds for which a node keeps the clusters of the filters that it had: Envoy resets what a filter itself has asked
   * a cluster when that goes, and requests that began before the edit are still with that filter.
   */
  readonly drainTime: number;
}

/**
 * Between the versions of clusters that a node has together: `<to have>+<kept>+<kept>`. So its own polls tell any plugin
 * server what it has.
 */
const mark = '+';

/** Answers of one version that a node may leave without effect, before it is taken to refuse it: one can be lost. */
const patience = 2;

/**
 * Clusters. A node gets those of the version that is given out, and keeps those that the filters it still runs may send
 * a request to: removals come last, when its polls have said for `drainTime` that no filter needs them.
 */
export function decideClusters(given: Given, node: Node, subscription: Subscription): Decision {
  const target = clusterTarget(given, node, subscription.reported);
  if (target === undefined || target.version === subscription.reported) return { kind: 'nothing' };
  return give(target.version, target.clusters, subscription);
}

/** `undefined`: as they are. */
function clusterTarget(
  { compiled, clusterSet, now, drainTime }: Given,
  node: Node,
  reported: string,
): ClusterSet | undefined {
  const current = compiled.clusterSet;
  if (reported === '') return current;
  // What it was given and has not reported yet may be what it runs.
  const running = [...node.filters.values()].flatMap((filter) => [filter.reported, filter.offered?.version ?? '']);
  const behind = running.filter((version) => version !== '' && version !== compiled.version);
  const unknown = node.filters.size === 0; // it has not asked this server for filters yet
  const isDraining = behind.length === 0 && now - node.filtersSince < drainTime;
  if ((unknown || isDraining) && baseOf(reported) === current.version) return undefined;
  if (!unknown && !isDraining && behind.length === 0) return current;

  const needed = new Set([...behind.map(clusterVersionOf), ...reported.split(mark)]);
  needed.delete(current.version);
  const names = new Set(current.clusters.map(({ name }) => name));
  const clusters = [...current.clusters];
  const parts = [current.version];
  for (const version of [...needed].sort()) {
    const missing = clusterSet(version)?.clusters.filter(({ name }) => !names.has(name)) ?? [];
    if (missing.length === 0) continue;
    for (const { name } of missing) names.add(name);
    clusters.push(...missing);
    parts.push(version);
  }
  return { version: parts.join(mark), clusters };
}

/** The version of the clusters that a node was to have; behind it those of the ones that it keeps beside them. */
function baseOf(version: string): string {
  return version.split(mark, 1)[0] ?? '';
}

/** Filters: given to a node that reports the clusters that they need, and asks for all of them. */
export function decideFilters(
  given: Given,
  node: Node,
  subscription: Subscription,
  names: readonly string[],
): Decision {
  const { compiled, mark: server } = given;
  if (subscription.reported === compiled.version) return { kind: 'nothing' };
  if (
    !hasClusters(compiled, node) ||
    missingFilters(compiled, node).length > 0 ||
    foreignFilters(compiled, node).length > 0
  ) {
    return { kind: 'wait', elsewhere: node.clusters === undefined };
  }
  const attempt = subscription.offered?.version === compiled.version ? subscription.offered.times : 0;
  const resources = names.flatMap((name) => {
    const filter = compiled.filters.get(name);
    return filter === undefined ? [] : closeFilter(filter, server, attempt);
  });
  return give(compiled.version, resources, subscription);
}

/** By its last poll, and by what it was given after that: it may run either. */
function hasClusters({ clusterSet }: Compiled, { clusters }: Node): boolean {
  if (clusters === undefined) return false;
  const { reported, offered = { version: reported, polledSince: true } } = clusters;
  const last = offered.polledSince ? reported : offered.version;
  return [reported, last].every((version) => baseOf(version) === clusterSet.version);
}

function give(version: string, resources: readonly Resource[], { offered }: Subscription): Decision {
  return { kind: 'give', version, resources, again: offered?.version === version && offered.times >= patience };
}

/** Filters that a node's bootstrap would have to have. Half of a pair would hold or decide on nothing. */
export function missingFilters({ filters }: Compiled, node: Node): string[] {
  const asked = askedFor(node);
  return [...filters.keys()].filter((name) => !asked.includes(name));
}

/** Filters that a node's bootstrap has and a gateway has not. */
export function foreignFilters({ filters }: Compiled, node: Node): string[] {
  return askedFor(node).filter((name) => !filters.has(name));
}

function askedFor({ filters }: Node): string[] {
  return [...filters.keys()].flatMap((names) => names.split(' '));
}

/** Why a gateway has no filter of this name, for a sentence that began with that. */
export function whyNoFilter(name: string, { filters }: Compiled): string {
  const names = [...filters.keys()];
  if ((filterNames.pair as readonly string[]).includes(name)) {
    return `its hostMode has ${names.join(' and ')} alone: set hostMode: pair, or take ${name} out of the bootstrap`;
  }
  return `did you mean ${nearest(name, names) ?? ''}?`;
}

/** Whether a node has everything; beside it there may be clusters of what it had before, which go after `drainTime`. */
export function isSettled(compiled: Compiled, node: Node): boolean {
  if (!hasClusters(compiled, node) || node.filters.size === 0) return false;
  if (missingFilters(compiled, node).length > 0) return false;
  return [...node.filters.values()].every(({ reported }) => reported === compiled.version);
}

/** Whether a node refuses what is given out now. */
export function refuses({ version, clusterSet }: Compiled, { reported, refused }: Subscription): boolean {
  if (refused === undefined || refused === reported) return false;
  return refused === version || baseOf(refused) === clusterSet.version;
}
