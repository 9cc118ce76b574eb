// A catalog in Istio, where nothing delivers it: the module asks for it, and one route leads to all of its servers.
import type { CatalogRequest } from '../catalog-request.ts';
import { refuse } from '../refuse.ts';
import { pluginServerCluster } from '../servers.ts';
import type { RenderOptions } from '../targets/options.ts';
import type { ServedModule } from '../targets/target.ts';
import { parseUpstream } from '../upstream.ts';
import { labelsOf } from './labels.ts';
import { meshCluster } from './mesh-host.ts';
import { type Resource, shippedResources } from './templates.ts';

/**
 * `catalog` of the plugin configuration, for the plugin server that the module comes from.
 * @throws EngineError for what only live delivery can do
 */
export function polledCatalog(
  { namespaces, qualified, clusters, addresses, env, defaults, polling }: CatalogRequest,
  { server }: ServedModule,
  options: Pick<RenderOptions, 'cluster-domain'>,
): Record<string, unknown> {
  const itself = 'a gateway that asks for its catalog itself';
  refuse([
    ...(qualified ? [`catalog.namespace: ${itself} has one: name it, without a list`] : []),
    ...(addresses === undefined
      ? []
      : [`catalog.addresses: ${itself} knows clusters alone: name them in catalog.clusters`]),
    ...(clusters.length > 0
      ? []
      : ["catalog.clusters: is missing; in Istio: ['outbound|*||*.tools.svc.cluster.local']"]),
  ]);
  const upstream = parseUpstream(server);
  return {
    cluster: meshCluster(options['cluster-domain'])(pluginServerCluster, upstream),
    authority: upstream.authority,
    namespace: namespaces[0],
    ...polling,
    clusters,
    clusterNames: 'istio',
    ...(env.length > 0 && { env }),
    ...(Object.keys(defaults).length > 0 && { defaults }),
  };
}

/** The route to whatever server a catalog has. */
export function catalogRoute({ namespace, selector }: Pick<RenderOptions, 'namespace' | 'selector'>): Resource {
  const [template] = shippedResources<Record<string, unknown>>('envoyfilter-catalog.yaml', 'envoy/istio');
  if (template === undefined) throw new Error('envoyfilter-catalog.yaml is empty');
  return {
    ...template,
    metadata: { ...template.metadata, namespace },
    spec: { ...template.spec, workloadSelector: { labels: labelsOf({ selector }) } },
  };
}
