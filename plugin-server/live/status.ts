import type { Problem } from '../../envoy/check/plugin.ts';
import { foreignFilters, isSettled, missingFilters, refuses } from './decide.ts';
import type { DeliveredGateway } from './gateway.ts';
import type { Kept } from './kept.ts';
import type { Node } from './nodes.ts';

/** What is told of a version. */
export interface VersionStatus {
  readonly generation: number;
  readonly version: string;
  readonly module: Kept['module'];
  readonly created: string;
  readonly cause: Kept['cause'];
}

/** `current`: it has what it is to have; `refuses`: it was given a version and keeps another; `waits`: see `problem`. */
type NodeState = 'current' | 'behind' | 'refuses' | 'waits';

interface NodeStatus {
  readonly id: string;
  readonly address: string;
  readonly engine: string;
  readonly lastSeen: string;
  readonly state: NodeState;
  /** The versions that it has applied. */
  readonly clusters: string | null;
  readonly filters: Readonly<Record<string, string>>;
  /** What keeps it from being current. */
  readonly problem?: string;
}

export interface GatewayStatus {
  readonly name: string;
  /** What is given out. */
  readonly version: VersionStatus | null;
  /** Until the file is edited. */
  readonly rolledBack: boolean;
  /** The last edit, where it was not taken. */
  readonly refused: { readonly since: string; readonly problems: readonly Problem[] } | null;
  readonly warnings: readonly Problem[];
  /** What of its catalogs is left out, or stays as it was. */
  readonly catalogProblems: readonly Problem[];
  readonly nodes: readonly NodeStatus[];
}

export function versionStatus({ generation, version, module, created, cause }: Kept): VersionStatus {
  return { generation, version, module, created, cause };
}

export function gatewayStatus(gateway: DeliveredGateway, nodes: readonly Node[]): GatewayStatus {
  const { name, active, refusal, rolledBack, warnings, catalogProblems, tokens } = gateway;
  return {
    name,
    version: active === undefined ? null : versionStatus({ ...active.kept, version: active.compiled.version }),
    rolledBack,
    refused: refusal === undefined ? null : { since: refusal.since.toISOString(), problems: refusal.problems },
    warnings: [...warnings, ...tokens.problems],
    catalogProblems,
    nodes: nodes.map((node) => nodeStatus(gateway, node)),
  };
}

function nodeStatus(gateway: DeliveredGateway, node: Node): NodeStatus {
  const { id, address, engine, lastSeen, clusters, filters } = node;
  return {
    id,
    address,
    engine,
    lastSeen: new Date(lastSeen).toISOString(),
    clusters: clusters?.reported ?? null,
    filters: Object.fromEntries([...filters].map(([names, { reported }]) => [names, reported])),
    ...stateOf(gateway, node),
  };
}

function stateOf({ active }: DeliveredGateway, node: Node): { state: NodeState; problem?: string } {
  if (active === undefined) return { state: 'waits', problem: 'no version was accepted yet' };
  const { compiled } = active;
  if (isSettled(compiled, node)) return { state: 'current' };
  const subscriptions = [...(node.clusters === undefined ? [] : [node.clusters]), ...node.filters.values()];
  const refusing = subscriptions.find((subscription) => refuses(compiled, subscription));
  if (refusing !== undefined) {
    const why = refusing.error ?? 'its log says why, in a line that ends with "rejected: …"';
    return { state: 'refuses', problem: `it was given ${refusing.refused ?? ''} and does not apply it: ${why}` };
  }
  if (node.filters.size === 0) return { state: 'waits', problem: 'it has not asked for filters yet' };
  const foreign = foreignFilters(compiled, node);
  if (foreign.length > 0) {
    return {
      state: 'waits',
      problem: `its bootstrap asks for ${foreign.join(', ')}, which this gateway’s hostMode has not`,
    };
  }
  const missing = missingFilters(compiled, node);
  if (missing.length > 0) {
    return {
      state: 'waits',
      problem: `its bootstrap does not ask for ${missing.join(', ')}, which this gateway’s hostMode needs`,
    };
  }
  return { state: 'behind' };
}
