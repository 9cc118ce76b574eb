import type { Chain } from './chain.ts';
import { didYouMean } from '../../common/nearest.ts';
import { type Report } from './finding.ts';
import { serversOf } from './gateway.ts';
import type { Node } from '../yaml/node.ts';

/** Every cluster that is named has to be there; one that may come by CDS is worth a warning only. */
export function checkReferences(root: Node, chains: readonly Chain[], report: Report): void {
  const clusters = root.get('static_resources', 'clusters').items;
  const names = new Set(clusters.map((cluster) => cluster.get('name').text ?? ''));
  const mayCome =
    root.get('dynamic_resources', 'cds_config').isThere || root.get('dynamic_resources', 'ads_config').isThere;
  const require = (node: Node): void => {
    const name = node.text;
    if (name === undefined || names.has(name)) return;
    const where = mayCome ? 'is not here, and has to come by CDS' : 'there is no such cluster';
    report(
      'cluster',
      node,
      () => `${name}: ${where}${didYouMean(name, names)}`,
      mayCome ? { severity: 'warning' } : {},
    );
  };
  for (const { gateways, tables } of chains) {
    for (const { config, plugin } of gateways) {
      require(config.get('vm_config', 'code', 'remote', 'http_uri', 'cluster'));
      for (const { cluster } of serversOf(plugin)) require(cluster);
      for (const server of plugin?.root.get('servers').items ?? []) require(server.get('credentials', 'cluster'));
    }
    for (const { routes } of tables ?? []) for (const { clusters: named } of routes) named.forEach(require);
  }
}
