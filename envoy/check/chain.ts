import { envoyRoute } from './envoy-route.ts';
import { type Plugin, type RouteTable, type SluiceFilter, decidingPlugins, isSluice } from './gateway.ts';
import type { Node } from '../yaml/node.ts';
import { messageOf, pluginConfigOf, sluiceFilter } from './wasm-filter.ts';

/** An HTTP connection manager and what is around it. */
export interface Chain {
  readonly listener: Node;
  readonly manager: Node;
  readonly filters: readonly Node[];
  readonly gateways: readonly SluiceFilter[];
  /** The configuration of the filter that decides; undefined where it is not here. */
  readonly plugin: Plugin | undefined;
  /** Virtual hosts, undefined where they come from elsewhere. */
  readonly tables: readonly RouteTable[] | undefined;
}

const managerType = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

/** The HTTP connection managers of a listener. */
export function chainsOf(listener: Node): Chain[] {
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
    plugin: decidingPlugins(gateways)[0],
    tables: hosts.isThere
      ? hosts.items.map((node) => ({
          node,
          domains: node.get('domains').items.map(({ text = '' }) => text),
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
