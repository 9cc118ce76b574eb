import type { Report } from './finding.ts';
import { type Plugin, type SluiceFilter, hostModeOf, isSluice } from './gateway.ts';
import { rootIds } from './host-mode.ts';
import { Node } from '../yaml/node.ts';
import { checkEnvironment, checkOnce } from './wasm-filter.ts';

/** A WasmPlugin that is Sluice's, or undefined; its pluginName is the root id. */
export function wasmPlugin(resource: Node): SluiceFilter | undefined {
  const spec = resource.get('spec');
  const config = spec.get('pluginConfig');
  const plugin: Plugin | undefined = config.isObject ? { root: config, text: JSON.stringify(config.value) } : undefined;
  const rootId = spec.get('pluginName').text ?? '';
  const names = [resource.get('metadata', 'name').text, rootId];
  if (!isSluice({ names, url: spec.get('url').text, plugin })) return undefined;
  return { node: resource, config: new Node(undefined, [], resource.document), rootId, plugin };
}

/** What is asked of one WasmPlugin by itself. */
export function checkWasmPlugin({ node, plugin }: SluiceFilter, report: Report): void {
  const spec = node.get('spec');
  const strategy = spec.get('failStrategy');
  if (strategy.text === 'FAIL_OPEN')
    report('fail-open', strategy, 'lets requests pass without the filter where it fails');
  const mode = plugin?.root.get('hostMode');
  if (hostModeOf(plugin) !== 'pair') {
    report(
      'hold-flag',
      mode?.isThere === true ? mode : spec,
      'hostMode has to be pair in a WasmPlugin, which cannot set the flag',
    );
  }
  const sha256 = spec.get('sha256');
  if (sha256.isThere && !/^[0-9a-f]{64}$/.test(sha256.text ?? '')) {
    report('digest', sha256, 'is not 64 lower-case hexadecimal digits');
  } else if (!sha256.isThere && spec.get('url').text?.startsWith('oci://') !== true) {
    report('digest', sha256, 'is missing: whatever the URL gives would be run');
  }
  const variables = spec
    .get('vmConfig', 'env')
    .items.map((variable) => [variable.get('name').text ?? '', variable] as const);
  checkOnce(
    variables.map(([, variable]) => variable.get('name')),
    report,
  );
  const values = new Map(variables.filter(([, variable]) => variable.get('value').isThere));
  checkEnvironment(plugin, { names: variables.map(([name]) => name), values }, report);
}

/** What has to be the same in both of a pair, and what comes of it otherwise. */
const common: Readonly<Record<string, string>> = {
  url: 'they do not share a VM',
  sha256: 'they do not share a VM',
  vmConfig: 'they do not share a VM',
  phase: 'priority does not say which of them is first',
  selector: 'a gateway may have one of them only',
  targetRef: 'a gateway may have one of them only',
  targetRefs: 'a gateway may have one of them only',
  match: 'a listener may have one of them only',
};

/** Pairs, by namespace. */
export function checkWasmPlugins(plugins: readonly SluiceFilter[], report: Report): void {
  const pairs = plugins.filter(({ plugin }) => hostModeOf(plugin) === 'pair');
  for (const { node, rootId } of pairs) {
    if (rootId === rootIds.decides || rootId === rootIds.holds) continue;
    const name = node.get('spec', 'pluginName');
    report('pair', name, `is ${JSON.stringify(rootId)}, and has to be ${rootIds.decides} or ${rootIds.holds}`);
  }
  const of = (rootId: string): SluiceFilter[] => pairs.filter((plugin) => plugin.rootId === rootId);
  for (const first of of(rootIds.decides)) {
    const second = of(rootIds.holds).find(({ node }) => namespaceOf(node) === namespaceOf(first.node));
    if (second === undefined)
      report('pair', first.node, `is one of a pair: the WasmPlugin with pluginName ${rootIds.holds} is missing`);
    else checkPair(first.node.get('spec'), second.node.get('spec'), report);
  }
  for (const { node } of of(rootIds.holds)) {
    if (of(rootIds.decides).some((first) => namespaceOf(first.node) === namespaceOf(node))) continue;
    report('pair', node, `is one of a pair: the WasmPlugin with pluginName ${rootIds.decides} is missing`);
  }
}

function checkPair(first: Node, second: Node, report: Report): void {
  for (const [name, consequence] of Object.entries(common)) {
    if (first.get(name).equals(second.get(name))) continue;
    report('pair', second.get(name), `differs from that of ${rootIds.decides}, so that ${consequence}`);
  }
  const priority = second.get('priority');
  if ((first.get('priority').number ?? 0) > (priority.number ?? 0)) return;
  report('pair', priority, `has to be lower than that of ${rootIds.decides}, which comes first`);
}

function namespaceOf(resource: Node): string | undefined {
  return resource.get('metadata', 'namespace').text;
}
