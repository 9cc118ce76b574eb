import { EngineError } from '../../../common/engine-error.ts';
import { version } from '../../../common/home.ts';
import { didYouMean } from '../../../common/nearest.ts';
import { refuse } from '../refuse.ts';
import { asksNobody } from '../servers.ts';
import { parseUpstream } from '../upstream.ts';
import { envoyYaml } from '../../yaml/write.ts';
import { envoyFilterTarget, istioServicesTarget, trafficExtensionTarget, wasmPluginTarget } from '../istio/targets.ts';
import { clusterHost } from './cluster-host.ts';
import { envoyGatewayTarget } from './envoy-gateway.ts';
import { envoyTarget } from './envoy.ts';
import { kubernetesTarget } from './kubernetes.ts';
import { type OptionName, type RenderOptions, optionNames, renderOptions } from './options.ts';
import type { RenderedGateway, Target } from './target.ts';

export const targets = {
  envoy: envoyTarget,
  wasmplugin: wasmPluginTarget,
  trafficextension: trafficExtensionTarget,
  envoyfilter: envoyFilterTarget,
  'istio-services': istioServicesTarget,
  'envoy-gateway': envoyGatewayTarget,
  kubernetes: kubernetesTarget,
} as const satisfies Record<string, Target>;

export type TargetName = keyof typeof targets;

export const targetNames = Object.keys(targets) as TargetName[];

/** What there is in the place of a target that there is not, for a sentence that ends with it. */
export function otherTargets(name: string): string {
  return targetNames.join(', ') + didYouMean(name, targetNames);
}

/** Whether there is a target of this name. */
export function isTarget(name: string): name is TargetName {
  return Object.hasOwn(targets, name);
}

/** The names of the options that a target has. */
export function optionNamesOf(name: TargetName): OptionName[] {
  const known: Target['options'] = targets[name].options;
  return optionNames.filter((each) => known[each] !== undefined);
}

/**
 * The options of a target: those that are given, the others by default.
 * @param prefix what stands before the name of an option where it is written: `--`
 * @throws Error that names the option
 */
export function optionsFor(
  name: TargetName,
  given: Partial<Record<OptionName, string | undefined>>,
  prefix: string,
): RenderOptions {
  const known: Target['options'] = targets[name].options;
  for (const option of optionNames) {
    const value = given[option];
    if (value === undefined) continue;
    if (known[option] === undefined) {
      const own = optionNamesOf(name).map((each) => prefix + each);
      throw new Error(`${prefix}${option} is nothing for ${name}, which has ${own.join(', ')}`);
    }
    const wrong = renderOptions[option].wrong(value);
    if (wrong !== undefined) throw new Error(`${prefix}${option}: ${wrong}`);
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...known, ...Object.fromEntries(set) } as RenderOptions;
}

/**
 * What a target makes of a gateway, YAML with comments above it that say what is left to do. The same input makes the
 * same bytes, wherever it is made.
 * @throws EngineError of kind `configuration` for what cannot be had there
 */
export function rendered(name: TargetName, gateway: RenderedGateway, options: RenderOptions): string {
  const target: Target = targets[name];
  const wanted = gateway.plugin['hostMode'] ?? target.hostModes[0];
  const hostMode = target.hostModes.find((mode) => mode === wanted);
  if (hostMode === undefined) {
    const said = JSON.stringify(wanted);
    throw new EngineError(`hostMode: ${said} is nothing for ${name}: ${target.otherModes}`, 'configuration');
  }
  refuse([...foreignClusters(name, gateway), ...placeOfServer(gateway, options)]);
  const plugin = { ...pluginFor(name, gateway, options), hostMode };
  const { documents, notes } = target.render({ ...gateway, plugin }, options);
  const { name: module, version: moduleVersion } = gateway.module;
  const head = [
    `Made by \`sluice render ${name}\` of Sluice ${version}, for the module ${module} ${moduleVersion}.`,
    ...notes,
  ];
  return head.map((line) => `# ${line}\n`).join('') + documents.map((each) => envoyYaml(each)).join('---\n');
}

/**
 * The plugin configuration but for its servers, with what it takes to ask for a catalog.
 * @throws EngineError of kind `configuration`
 */
export function pluginFor(
  name: TargetName,
  { plugin, catalog, module }: RenderedGateway,
  options: RenderOptions,
): Readonly<Record<string, unknown>> {
  if (catalog === undefined) return plugin;
  const target: Target = targets[name];
  if (typeof target.catalog === 'string')
    throw new EngineError(`catalog: is nothing for ${name}: ${target.catalog}`, 'configuration');
  return { ...plugin, catalog: target.catalog(catalog, module, options) };
}

function foreignClusters(name: TargetName, { servers }: RenderedGateway): string[] {
  if (targets[name].foreignClusters) return [];
  const why = `${name} makes the cluster itself: name the server by its url`;
  return servers.flatMap(({ entry, upstream }, index) =>
    upstream === undefined && !asksNobody(entry) ? [`servers[${index}].cluster: ${why}`] : [],
  );
}

/** What is wrong with the place of the plugin server, seen from where a gateway in a cluster fetches. */
function placeOfServer({ module }: RenderedGateway, { 'cluster-domain': domain }: Partial<RenderOptions>): string[] {
  if (domain === undefined) return [];
  try {
    clusterHost(parseUpstream(module.server), domain);
    return [];
  } catch (error) {
    return [`the plugin server: ${(error as Error).message}`];
  }
}
