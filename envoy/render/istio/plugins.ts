// The module in an Istio gateway: as WasmPlugins, as TrafficExtensions, or as an EnvoyFilter.
import { environmentNames } from '../bootstrap.ts';
import { type WasmPlugin as EnvoyPlugin, partsOf, wasmPlugins } from '../module-filter.ts';
import { moduleConfiguration } from '../servers.ts';
import type { RenderOptions } from '../targets/options.ts';
import { type RenderedGateway, moduleUrl } from '../targets/target.ts';
import { labelsOf } from './labels.ts';
import { meshCluster, meshServers } from './mesh-host.ts';
import { type Resource, shippedResources } from './templates.ts';
import { identityOf } from './tokens.ts';

type Options = Pick<RenderOptions, 'namespace' | 'selector' | 'cluster-domain'>;

/** What the module is told: clusters by Istio's names, and the claims where Istio leaves them. */
function configurationFor(gateway: RenderedGateway, options: Options): Record<string, unknown> {
  const domain = options['cluster-domain'];
  meshServers(
    gateway.servers.filter(({ upstream }) => upstream !== undefined),
    domain,
  ); // all that is wrong at once
  return moduleConfiguration(
    { ...gateway, plugin: { ...gateway.plugin, ...identityOf(gateway.plugin) } },
    meshCluster(domain),
  );
}

/** A WasmPlugin for each filter of the module. */
export function wasmPluginResources(gateway: RenderedGateway, options: Options): Resource[] {
  const configuration = configurationFor(gateway, options);
  const variables = environmentNames(configuration);
  const templates = shippedResources<Record<string, unknown>>('wasmplugin.yaml', 'envoy/templates/istio');
  return partsOf(configuration).map(({ name, configuration: told }, index) => {
    const template: Record<string, unknown> = { ...templates[index]?.spec };
    delete template['vmConfig'];
    return {
      apiVersion: 'extensions.istio.io/v1alpha1',
      kind: 'WasmPlugin',
      metadata: { name, namespace: options.namespace },
      spec: {
        ...template,
        selector: { matchLabels: labelsOf(options) },
        pluginName: name,
        url: moduleUrl(gateway.module),
        sha256: gateway.module.sha256,
        // Equal in both of a pair: an environment of its own would give a filter a VM of its own.
        ...(variables.length > 0 && {
          vmConfig: { env: variables.map((each) => ({ name: each, valueFrom: 'HOST' })) },
        }),
        pluginConfig: told,
      },
    };
  });
}

/** The same in the API that follows WasmPlugin: what is about the module is a section of its own. */
export function trafficExtensionResources(gateway: RenderedGateway, options: Options): Resource[] {
  return wasmPluginResources(gateway, options).map(({ spec: { selector, phase, priority, ...wasm }, ...resource }) => ({
    ...resource,
    kind: 'TrafficExtension',
    spec: { selector, phase, priority, wasm },
  }));
}

interface PatchSpec extends Record<string, unknown> {
  configPatches: { applyTo: string; patch: { value: { typed_config: { config: RemotePlugin } } } }[];
}

interface RemotePlugin extends EnvoyPlugin {
  vm_config: {
    vm_id: string;
    code: { remote: { http_uri: { uri: string }; sha256: string } };
    environment_variables: { host_env_keys: string[] };
  };
  configuration: { '@type': string; value: object };
}

/** One filter with the flag that a WasmPlugin cannot set. */
export function holdFilterResource(gateway: RenderedGateway, options: Options): Resource {
  const configuration = configurationFor(gateway, options);
  const [template] = shippedResources<PatchSpec>('envoyfilter-hold.yaml', 'envoy/templates/istio');
  const patch = template?.spec.configPatches.find(({ applyTo }) => applyTo === 'EXTENSION_CONFIG')?.patch;
  if (template === undefined || patch === undefined) throw new Error('envoyfilter-hold.yaml has no EXTENSION_CONFIG');
  const { config } = patch.value.typed_config;
  const { remote } = config.vm_config.code;
  remote.http_uri.uri = moduleUrl(gateway.module);
  config.vm_config.vm_id = config.vm_config.vm_id.replace(remote.sha256, gateway.module.sha256);
  remote.sha256 = gateway.module.sha256;
  config.vm_config.environment_variables.host_env_keys = environmentNames(configuration);
  const [filter] = wasmPlugins(config, configuration, (told) => ({ ...config.configuration, value: told }));
  patch.value.typed_config.config = filter;
  return {
    ...template,
    metadata: { ...template.metadata, namespace: options.namespace },
    spec: { ...template.spec, workloadSelector: { labels: labelsOf(options) } },
  };
}
