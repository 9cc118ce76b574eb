import { asksNobody } from '../render/servers.ts';
import type { Node } from '../yaml/node.ts';
import type { Route } from './route.ts';

/** A Sluice filter, wherever it was found: in a chain of Envoy's, or in a resource of Istio's. */
export interface SluiceFilter {
  /** The HTTP filter, or the WasmPlugin. */
  readonly node: Node;
  /** envoy.extensions.wasm.v3.PluginConfig; not there where it comes from elsewhere. */
  readonly config: Node;
  readonly rootId: string;
  /** The plugin configuration as an object; not there where it could not be read, or is not here. */
  readonly plugin: Plugin | undefined;
}

/** A plugin configuration. */
export interface Plugin {
  /** Its members; where it is JSON in a text of the file, their places are that text's. */
  readonly root: Node;
  /** As the module is given it. */
  readonly text: string;
}

/** An entry of `servers`, as far as routes are judged by it. One that asks nobody has none. */
export interface ConfiguredServer {
  readonly name: string | undefined;
  readonly node: Node;
  readonly cluster: Node;
  /** `:authority` and path of its requests, by which routes are looked up once more. */
  readonly authority: string;
  readonly path: string;
}

export function hostModeOf(plugin: Plugin | undefined): string {
  return plugin?.root.get('hostMode').text ?? 'hold';
}

export function endpointOf(plugin: Plugin | undefined): string {
  return plugin?.root.get('endpoint').text ?? '/mcp';
}

export function serversOf(plugin: Plugin | undefined): ConfiguredServer[] {
  const entries = plugin?.root.get('servers');
  if (entries === undefined || !Array.isArray(entries.value)) return [];
  const asking = entries.items.filter(({ value }) => !asksNobody(value));
  return asking.map((node) => ({
    name: node.get('name').text,
    node,
    cluster: node.get('cluster'),
    authority: node.get('authority').text ?? node.get('name').text ?? '',
    path: node.get('path').text ?? '/mcp',
  }));
}

/** Routes that are tried from the first to the last, and where they stand: a virtual host. */
export interface RouteTable {
  readonly node: Node;
  /** Names and patterns, `*` at one end. */
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
}

/** The plugin configurations that have servers; the holder of a pair has none. */
export function decidingPlugins(filters: readonly SluiceFilter[]): Plugin[] {
  const plugins = filters.map(({ plugin }) => plugin).filter((plugin) => plugin !== undefined);
  const deciding = plugins.filter(({ root }) => root.get('servers').isThere);
  return deciding.length > 0 ? deciding : plugins.slice(0, 1);
}

/** What of a filter says that it is Sluice; none of it is needed by Envoy. */
export function isSluice(signs: {
  readonly names: readonly (string | undefined)[];
  readonly url: string | undefined;
  readonly plugin: Plugin | undefined;
}): boolean {
  if (signs.names.some((name) => name !== undefined && /^sluice(?:$|[-_.:@])/.test(name))) return true;
  if (signs.url !== undefined && /\/sluice(?:\/|:|@|$)/.test(signs.url)) return true;
  return serversOf(signs.plugin).some(({ cluster }) => cluster.isThere);
}
