import { environmentNames } from '../bootstrap.ts';
import { moduleConfiguration } from '../servers.ts';
import type { RenderOptions } from '../targets/options.ts';
import { isolatedSessions } from '../targets/notes.ts';
import type { RenderedGateway, Target } from '../targets/target.ts';
import { polledCatalog } from './catalog.ts';
import { holdFilterResource, trafficExtensionResources, wasmPluginResources } from './plugins.ts';
import { serviceResources } from './services.ts';
import type { Resource } from './templates.ts';
import { tokenResources } from './tokens.ts';

const options = { namespace: 'istio-ingress', selector: 'istio=ingressgateway', 'cluster-domain': 'cluster.local' };

/** A target that is the module; `istio-services` is what goes with it. */
function moduleTarget(
  target: Pick<Target, 'summary' | 'hostModes' | 'otherModes'>,
  resources: (gateway: RenderedGateway, options: RenderOptions) => Resource[],
): Target {
  return {
    ...target,
    foreignClusters: true,
    options,
    catalog: polledCatalog,
    render: (gateway, given) => ({
      documents: [...tokenResources(gateway.plugin, given), ...resources(gateway, given)],
      notes: notesOf(gateway, given),
    }),
  };
}

export const wasmPluginTarget = moduleTarget(
  {
    summary: 'Istio: the module as two WasmPlugins',
    hostModes: ['pair', 'headers'],
    otherModes: 'a WasmPlugin cannot hold headers: leave hostMode out, or render envoyfilter',
  },
  wasmPluginResources,
);

export const trafficExtensionTarget = moduleTarget(
  {
    summary: 'Istio: the module as two TrafficExtensions',
    hostModes: ['pair', 'headers'],
    otherModes: 'a TrafficExtension cannot hold headers: leave hostMode out, or render envoyfilter',
  },
  trafficExtensionResources,
);

export const envoyFilterTarget = moduleTarget(
  {
    summary: 'Istio: the module as one filter, by an EnvoyFilter',
    hostModes: ['hold', 'headers'],
    otherModes: 'an EnvoyFilter needs no pair: leave hostMode out, or render wasmplugin',
  },
  (gateway, given) => [holdFilterResource(gateway, given)],
);

export const istioServicesTarget: Target = {
  summary: 'Istio: what goes with one of them: hosts, TLS, limits, routes',
  hostModes: ['pair', 'hold', 'headers'],
  otherModes: 'it is one of pair, hold, headers',
  foreignClusters: true,
  options,
  catalog: polledCatalog,
  render: (gateway, given) => ({
    documents: serviceResources(gateway, given),
    notes: [
      'Apply the module first: these routes are closed only behind it.',
      'The mesh has to make paths one: meshConfig.pathNormalization.normalization: MERGE_SLASHES (envoy/istio/mesh.yaml).',
    ],
  }),
};

function notesOf(gateway: RenderedGateway, { namespace }: RenderOptions): string[] {
  const variables = environmentNames(moduleConfiguration(gateway));
  return [
    'Routes to the servers, TLS and limits: sluice render istio-services',
    ...(variables.length > 0
      ? [`The gateway's pods in ${namespace} need in their environment: ${variables.join(', ')}`]
      : []),
    ...isolatedSessions(gateway.plugin),
  ];
}
