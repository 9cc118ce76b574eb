import type { Report } from './finding.ts';
import { type SluiceFilter, hostModeOf } from './gateway.ts';

/** Root ids: of the filter that decides, and of the one that holds the headers for it. */
export const rootIds = { decides: 'sluice', holds: 'sluice-holder' } as const;

/** The Sluice filters of one chain, in their order: one that holds by itself, or a pair. */
export function checkHostMode(filters: readonly SluiceFilter[], report: Report): void {
  const known = filters.filter(({ config }) => config.isThere);
  for (const filter of known) checkFlag(filter, report);
  const isPair = known.some(({ plugin }) => hostModeOf(plugin) === 'pair');
  const [first, second, ...others] = known;
  if (first === undefined || known.length < filters.length) return; // what comes by discovery cannot be compared
  if (isPair) checkPair(first, second, others, report);
  else if (second !== undefined) report('pair', second.node, 'is a second Sluice filter, and hostMode is not pair');
}

function checkFlag({ config, plugin }: SluiceFilter, report: Report): void {
  if (plugin === undefined) return;
  const mode = hostModeOf(plugin);
  const flag = config.get('allow_on_headers_stop_iteration');
  if (mode === 'hold' && !flag.isTrue) report('hold-flag', flag, 'has to be true where hostMode is hold');
  if (mode === 'pair' && flag.isTrue) report('hold-flag', flag, 'has no place where hostMode is pair');
}

function checkPair(
  first: SluiceFilter,
  second: SluiceFilter | undefined,
  others: readonly SluiceFilter[],
  report: Report,
): void {
  if (second === undefined) {
    report('pair', first.node, `is one of a pair: the filter with root_id ${rootIds.holds} is missing behind it`);
    return;
  }
  for (const { node } of others) report('pair', node, 'is a third Sluice filter');
  for (const { node, plugin } of [first, second]) {
    const mode = hostModeOf(plugin);
    if (mode === 'pair') continue;
    report('pair', plugin?.root.get('hostMode') ?? node, `is ${mode} here, and pair in the other filter`);
  }
  if (first.rootId === rootIds.holds && second.rootId === rootIds.decides) {
    report('pair', second.node, `has to come before ${rootIds.holds}, which waits for its decision`);
  } else {
    const expected = [rootIds.decides, rootIds.holds];
    for (const [index, { config, rootId }] of [first, second].entries()) {
      if (rootId === expected[index]) continue;
      report('pair', config.get('root_id'), `is ${JSON.stringify(rootId)}, and has to be ${expected[index] ?? ''}`);
    }
  }
  const [vm, other] = [first.config.get('vm_config'), second.config.get('vm_config')];
  if (vm.equals(other)) return;
  const names = new Set([...vm.entries, ...other.entries].map(([name]) => name));
  for (const name of names) {
    if (vm.get(name).equals(other.get(name))) continue;
    report('pair', other.get(name), `differs from that of ${rootIds.decides}, so that they do not share a VM`);
  }
}
