import { didYouMean } from '../../common/nearest.ts';
import type { Node } from '../yaml/node.ts';

/** What a document is. */
export type Kind = 'plugin' | 'catalog' | 'bootstrap' | 'discovery' | 'kubernetes' | 'mesh';

/** By members that only one of them has; the first row that fits is it. */
const signs: readonly (readonly [Kind, readonly string[]])[] = [
  ['kubernetes', ['apiVersion', 'kind']],
  ['bootstrap', ['static_resources', 'dynamic_resources', 'staticResources', 'dynamicResources']],
  ['discovery', ['resources']],
  ['mesh', ['meshConfig']],
  [
    'plugin',
    [
      'servers',
      'endpoint',
      'hostMode',
      'root',
      'hosts',
      'origins',
      'identity',
      'sessions',
      'limits',
      'virtualServers',
      'log',
      'module',
    ],
  ],
];

/** A catalog has servers that are named by their instances, or is the part of one that has virtual servers. */
function isCatalog(root: Node): boolean {
  const names = root.entries.map(([name]) => name);
  if (names.join() === 'virtualServers') return true;
  const isPart = names.every((name) => name === 'servers' || name === 'virtualServers');
  return isPart && root.get('servers').items.some((server) => server.get('endpoints').isThere);
}

/** The kind of a document, or why it has none. */
export function kindOf(root: Node): Kind | { readonly defect: string } {
  if (!root.isObject) return { defect: 'holds no object' };
  if (isCatalog(root)) return 'catalog';
  for (const [kind, names] of signs) if (names.some((name) => root.get(name).isThere)) return kind;
  const names = root.entries.map(([name]) => name);
  const known = signs.flatMap(([, members]) => members);
  const hint = names.map((name) => didYouMean(name, known)).find((text) => text !== '') ?? '';
  const found = names.length === 0 ? 'no member' : names.slice(0, 5).join(', ');
  return { defect: `is neither a plugin configuration nor Envoy's nor Kubernetes': it has ${found}${hint}` };
}
