import { checkAdvice } from './advice.ts';
import { checkDiscovery } from './bootstrap.ts';
import { checkSilence } from './call-timeout.ts';
import { checkBufferLimit, checkIdleTimeout, checkWindows } from './connection-manager.ts';
import type { Report } from './finding.ts';
import { type Plugin, type SluiceFilter, decidingPlugins } from './gateway.ts';
import { checkHostMode } from './host-mode.ts';
import type { Node } from '../yaml/node.ts';
import { checkUnderscores } from './pass-through.ts';
import { routedBy } from './routing.ts';
import { checkVirtualServices } from './virtual-service.ts';
import { checkWasmFilter, pluginConfigOf, sluiceFilter } from './wasm-filter.ts';
import { checkWasmPlugin, checkWasmPlugins, wasmPlugin } from './wasm-plugin.ts';

/** A plugin configuration that the module is to judge, and in which part. */
export interface Question {
  readonly plugin: Plugin;
  readonly rootId: string;
  /** Paths of what is known to be wrong: the module's own words for them are left out. */
  readonly judged?: ReadonlySet<string>;
  /** What pins the module: digest and URL. */
  readonly sha256: Node;
  readonly url: string | undefined;
  /** Code that the configuration carries itself. */
  readonly filter: SluiceFilter | undefined;
}

/** Resources of Kubernetes, those in a List among them. */
export function resourcesOf(root: Node): Node[] {
  return root.get('kind').text?.endsWith('List') === true ? root.get('items').items : [root];
}

/**
 * Holds resources of Istio against the rules, all of a run together: a gateway is spread over several of them. Other
 * resources of Kubernetes are passed over.
 * @returns plugin configurations for the module to judge
 */
export function checkIstio(resources: readonly Node[], report: Report): Question[] {
  const plugins = ofKind(resources, 'extensions', 'WasmPlugin')
    .map(wasmPlugin)
    .filter((plugin) => plugin !== undefined);
  for (const plugin of plugins) checkWasmPlugin(plugin, report);
  checkWasmPlugins(plugins, report);

  const patches = ofKind(resources, 'networking', 'EnvoyFilter').map(patchesOf);
  const filters = patches.flatMap((own) => checkFilters(own, report));
  const deciding = decidingPlugins([...plugins, ...filters]);
  for (const plugin of deciding) checkAdvice(plugin, report);
  for (const own of patches) checkSettings(own, deciding[0], report);
  checkVirtualServices(ofKind(resources, 'networking', 'VirtualService'), routedBy(...deciding), report);
  return [...plugins, ...filters].map(questionOf).filter((question) => question !== undefined);
}

function ofKind(resources: readonly Node[], group: string, kind: string): Node[] {
  const isOfGroup = (resource: Node): boolean =>
    (resource.get('apiVersion').text ?? '').startsWith(`${group}.istio.io/`);
  return resources.filter((resource) => isOfGroup(resource) && resource.get('kind').text === kind);
}

/** Nothing where the plugin configuration is not here. */
export function questionOf(filter: SluiceFilter): Question | undefined {
  const { plugin, rootId, config, node } = filter;
  if (plugin === undefined) return undefined;
  const remote = config.get('vm_config', 'code', 'remote');
  if (config.isThere) {
    return { plugin, rootId, sha256: remote.get('sha256'), url: remote.get('http_uri', 'uri').text, filter };
  }
  const spec = node.get('spec');
  return { plugin, rootId, sha256: spec.get('sha256'), url: spec.get('url').text, filter: undefined };
}

interface Patch {
  readonly applyTo: string;
  readonly value: Node;
}

function patchesOf(resource: Node): Patch[] {
  return resource.get('spec', 'configPatches').items.map((patch) => ({
    applyTo: patch.get('applyTo').text ?? '',
    value: patch.get('patch', 'value'),
  }));
}

/** The wasm filters that an EnvoyFilter adds; those by extension config are fetched by Istio's agent. */
function checkFilters(patches: readonly Patch[], report: Report): SluiceFilter[] {
  const found: SluiceFilter[] = [];
  for (const { applyTo, value } of patches) {
    if (applyTo !== 'HTTP_FILTER' && applyTo !== 'EXTENSION_CONFIG') continue;
    checkDiscovery(value.get('config_discovery'), report);
    const config = pluginConfigOf(value.get('typed_config'));
    const filter = config && sluiceFilter(value, config);
    if (filter === undefined) continue;
    checkWasmFilter(filter, report, applyTo === 'EXTENSION_CONFIG' ? 'agent' : 'envoy');
    found.push(filter);
  }
  checkHostMode(found, report);
  return found;
}

/** What an EnvoyFilter changes of listeners and connection managers. */
function checkSettings(patches: readonly Patch[], plugin: Plugin | undefined, report: Report): void {
  for (const { applyTo, value } of patches) {
    if (applyTo === 'NETWORK_FILTER') {
      const manager = value.get('typed_config');
      checkIdleTimeout(manager.get('stream_idle_timeout'), report);
      checkSilence(manager.get('stream_idle_timeout'), plugin, report);
      checkUnderscores(manager, plugin, report);
      checkWindows(manager, plugin, report);
    } else if (applyTo === 'LISTENER') {
      const limit = value.get('per_connection_buffer_limit_bytes');
      if (limit.isThere) checkBufferLimit(limit, plugin, report);
    }
  }
}

/** Which paths the proxies of a mesh make one: Istio's MeshConfig, wherever it stands. */
export function checkMesh(root: Node, report: Report): void {
  const normalization = root.get('meshConfig', 'pathNormalization', 'normalization');
  if (['MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'].includes(normalization.text ?? '')) return;
  const found = normalization.isThere ? `is ${normalization.shown}` : 'is missing';
  report('paths', normalization, `${found}, and has to be MERGE_SLASHES`);
}
