import { checkAdvice } from './advice.ts';
import { type Chain, chainsOf } from './chain.ts';
import { checkReferences } from './clusters.ts';
import { checkManager } from './connection-manager.ts';
import { checkRepeats } from './repeats.ts';
import type { Document } from '../yaml/document.ts';
import type { Report } from './finding.ts';
import type { SluiceFilter } from './gateway.ts';
import { checkHostMode } from './host-mode.ts';
import { checkIdentity } from './identity.ts';
import { checkInstances } from './instances.ts';
import type { Node } from '../yaml/node.ts';
import { checkRouting, routedBy } from './routing.ts';
import { checkWasmFilter, pluginConfigOf } from './wasm-filter.ts';

/**
 * Holds a bootstrap of Envoy against the rules.
 * @returns its Sluice filters, for the module to judge
 */
export function checkBootstrap({ root }: Document, report: Report): SluiceFilter[] {
  const chains = root.get('static_resources', 'listeners').items.flatMap(chainsOf);
  checkReferences(root, chains, report);
  checkInstances(root, chains, report);
  const own = chains.filter(({ gateways }) => gateways.length > 0);
  if (own.length === 0) reportAbsence(root, chains, report);
  for (const chain of own) {
    checkChain(chain, report);
    checkRepeats(root, chain, report);
  }
  return own.flatMap(({ gateways }) => gateways);
}

function reportAbsence(root: Node, chains: readonly Chain[], report: Report): void {
  const discovered = root.get('dynamic_resources', 'lds_config');
  if (discovered.isThere && chains.length === 0) {
    report('unseen', discovered, 'brings listeners that are not in this file');
    return;
  }
  const place = chains[0]?.manager.get('http_filters') ?? root.get('static_resources');
  report('filter', place, 'there is no Sluice filter');
}

function checkChain(chain: Chain, report: Report): void {
  checkManager(chain, report);
  checkHostMode(chain.gateways, report);
  for (const gateway of chain.gateways) {
    checkWasmFilter(gateway, report);
    checkDiscovery(gateway.node.get('config_discovery'), report);
  }
  if (chain.plugin !== undefined) checkAdvice(chain.plugin, report);
  checkIdentity(chain, report);
  if (chain.tables !== undefined) checkRouting(chain.tables, routedBy(chain.plugin), report);
  else report('unseen', chain.manager, 'has no routes in this file');
}

/** A filter that stands in until the real one has come, or is sent with code that Envoy would have to fetch. */
export function checkDiscovery(discovery: Node, report: Report): void {
  const standIn = discovery.get('default_config');
  if (!standIn.isThere) return;
  const config = pluginConfigOf(standIn);
  if (config === undefined) report('fail-open', standIn, 'lets requests pass until the filter has come');
  else checkDiscovered(config, report);
}

/** A PluginConfig that comes by config discovery. */
export function checkDiscovered(config: Node, report: Report): void {
  const remote = config.get('vm_config', 'code', 'remote');
  if (remote.isThere) report('remote-ecds', remote, 'is code that Envoy fetches once, and not again after an update');
}
