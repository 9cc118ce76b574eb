import type { Document } from './document.ts';
import type { Report } from './finding.ts';
import { checkManager } from './connection-manager.ts';
import { checkHostMode } from './host-mode.ts';
import { checkReferences } from './clusters.ts';
import { envoyRoute } from './envoy-route.ts';
import { type Plugin, type RouteTable, type SluiceFilter, decidingPlugin, isSluice } from './gateway.ts';
import type { Node } from './node.ts';
import { checkRouting } from './routing.ts';
import { checkAdvice } from './advice.ts';
import { checkWasmFilter, messageOf, pluginConfigOf, sluiceFilter } from './wasm-filter.ts';

/** An HTTP connection manager and what is around it. */
export interface Chain {
  readonly listener: Node;
  readonly manager: Node;
  readonly filters: readonly Node[];
  readonly gateways: readonly SluiceFilter[];
  /** Of the filter that decides. */
  readonly plugin: Plugin | undefined;
  /** Virtual hosts, undefined where they come from elsewhere. */
  readonly tables: readonly RouteTable[] | undefined;
}

/**
 * Holds a bootstrap of Envoy against the rules.
 * @returns its Sluice filters, for the module to judge
 */
export function checkBootstrap({ root }: Document, report: Report): SluiceFilter[] {
  const chains = root.get('static_resources', 'listeners').items.flatMap(chainsOf);
  checkReferences(root, chains, report);
  const own = chains.filter(({ gateways }) => gateways.length > 0);
  if (own.length === 0) reportAbsence(root, chains, report);
  for (const chain of own) checkChain(chain, report);
  return own.flatMap(({ gateways }) => gateways);
}

function reportAbsence(root: Node, chains: readonly Chain[], report: Report): void {
  const discovered = root.get('dynamic_resources', 'lds_config');
  if (discovered.isThere && chains.length === 0)
    report('unseen', discovered, 'brings listeners that are not in this file');
  else
    report(
      'filter',
      chains[0]?.manager.get('http_filters') ?? root.get('static_resources'),
      'there is no Sluice filter',
    );
}

const managerType = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

function chainsOf(listener: Node): Chain[] {
  const chains = [...listener.get('filter_chains').items, ...listener.get('default_filter_chain').items];
  return chains
    .flatMap((chain) => chain.get('filters').items)
    .map((filter) => messageOf(filter.get('typed_config')))
    .filter(({ type }) => type === managerType)
    .map(({ message }) => chainOf(listener, message));
}

function chainOf(listener: Node, manager: Node): Chain {
  const filters = manager.get('http_filters').items;
  const hosts = manager.get('route_config', 'virtual_hosts');
  const gateways = filters.map(gatewayOf).filter((gateway) => gateway !== undefined);
  return {
    listener,
    manager,
    filters,
    gateways,
    plugin: decidingPlugin(gateways),
    tables: hosts.isThere
      ? hosts.items.map((node) => ({
          node,
          hosts: node.get('domains').items.map(({ text = '' }) => text),
          routes: node.get('routes').items.map(envoyRoute),
        }))
      : undefined,
  };
}

function gatewayOf(filter: Node): SluiceFilter | undefined {
  const config = pluginConfigOf(filter.get('typed_config'));
  if (config !== undefined) return sluiceFilter(filter, config);
  const discovery = filter.get('config_discovery');
  const names = [filter.get('name').text];
  if (!discovery.isThere || !isSluice({ names, url: undefined, plugin: undefined })) return undefined;
  return { node: filter, config: discovery.get('config'), rootId: '', plugin: undefined };
}

function checkChain(chain: Chain, report: Report): void {
  checkManager(chain, report);
  checkHostMode(chain.gateways, report);
  for (const gateway of chain.gateways) {
    checkWasmFilter(gateway, report);
    checkDiscovery(gateway.node.get('config_discovery'), report);
  }
  if (chain.plugin !== undefined) checkAdvice(chain.plugin, report);
  if (chain.tables !== undefined) checkRouting(chain.tables, chain.plugin, report);
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
