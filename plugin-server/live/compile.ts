import { shortDigest } from '../../common/short-digest.ts';
import { environmentNames, shippedTemplates } from '../../envoy/render/bootstrap.ts';
import type { ConfigurationFile } from '../../envoy/check/configuration.ts';
import { inlineVm } from '../../envoy/render/inline-vm.ts';
import { wasmPlugins } from '../../envoy/render/module-filter.ts';
import { moduleConfiguration } from '../../envoy/render/servers.ts';
import { typeUrl } from '../../envoy/render/type-urls.ts';
import { type Trust, type Upstream, clusterFor } from '../../envoy/render/upstream.ts';
import type { ResolvedModule } from './modules.ts';

/** What each path of discovery serves. */
export const typeUrls = {
  clusters: typeUrl.cluster,
  filters: typeUrl.extension,
} as const;

/** An xDS resource, as JSON. */
export interface Resource {
  readonly name: string;
  readonly json: string;
}

/** A filter, open at the end of its configuration: see `closeFilter`. */
export interface FilterResource {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** Clusters that go together; equal sets have equal versions, whoever made them. */
export interface ClusterSet {
  readonly version: string;
  readonly clusters: readonly Resource[];
}

/** A gateway's configuration as Envoy is given it. */
export interface Compiled {
  readonly clusterSet: ClusterSet;
  /** By the name that a bootstrap asks for. */
  readonly filters: ReadonlyMap<string, FilterResource>;
  /**
   * The version of the filters: `<version of the clusters that they need>-<digest of themselves>`. Made of content alone, so that
   * any number of plugin servers say the same; and a node that reports it says which clusters it needs.
   */
  readonly version: string;
}

/** The version of the clusters that filters of this version need. */
export function clusterVersionOf(filterVersion: string): string {
  return filterVersion.split('-', 1)[0] ?? '';
}

/** The authorities of upstreams are a static secret of the bootstrap: their file lies on Envoy's machine, not on this one. */
const bootstrapAuthorities: Trust = (match) => ({
  combined_validation_context: {
    default_validation_context: match,
    validation_context_sds_secret_config: { name: 'upstream-authorities' },
  },
});

/**
 * The name of a server at an address: one that moves is another cluster. Envoy carries out the clusters of an answer that it takes
 * and of one that it rejects for another of them alike, so a name with a new address would take requests, and credentials,
 * of a filter that knows the old one alone. No server's name has an `@`.
 */
function clusterName(server: string, { address, tls, endpoints, service }: Upstream): string {
  // Instances of one service come and go within one cluster.
  const where = endpoints === undefined ? [address.host, address.port, tls] : [service, tls];
  return `${server}@${shortDigest([JSON.stringify(where)]).slice(0, 8)}`;
}

/** Turns a gateway's file into xDS. The module travels in it: see docs/live.md for why. */
export function compile(file: ConfigurationFile, module: Pick<ResolvedModule, 'sha256' | 'bytes'>): Compiled {
  const templates = shippedTemplates();
  const clusters = file.servers.flatMap(({ entry, upstream }) =>
    upstream === undefined
      ? []
      : [clusterFor(clusterName(entry.name, upstream), upstream, templates.cluster, bootstrapAuthorities)],
  );
  const clusterSet = clusterSetOf(
    clusters.map((cluster) => ({
      name: cluster.name,
      json: JSON.stringify({ '@type': typeUrls.clusters, ...cluster }),
    })),
  );

  const configuration = moduleConfiguration(file, clusterName);
  const shipped = templates.filter.config;
  const vm = inlineVm(module, environmentNames(configuration).sort());
  const template = { ...shipped, vm_config: vm };
  const plugins = wasmPlugins(template, configuration, (told) => ({
    '@type': typeUrl.string,
    value: JSON.stringify(told) + openEnd,
  }));
  const filters = plugins.map((config) => {
    const { name } = config;
    const json = JSON.stringify({ '@type': typeUrls.filters, name, typed_config: { ...templates.filter, config } });
    const [before = '', after = ''] = json.split(JSON.stringify(openEnd).slice(1, -1));
    return { name, before, after };
  });
  return {
    clusterSet,
    filters: new Map(filters.map((filter) => [filter.name, filter])),
    version: `${clusterSet.version}-${shortDigest(filters.map((filter) => filter.before + filter.after))}`,
  };
}

/** No configuration has it: JSON escapes it. */
const openEnd = '\0';

/**
 * The filter as JSON, its configuration followed by white space that differs from one attempt to the next. Envoy (1.36
 * to 1.40) remembers the digest of a filter before it makes it: one that it has just refused it takes for applied when it
 * comes again to the byte, and says so, while the one before it runs on.
 * @param mark a random number, so that two plugin servers do not write the same: neither knows what the other gave
 * @param attempt how often it was given before
 */
export function closeFilter({ name, before, after }: FilterResource, mark: number, attempt: number): Resource {
  return { name, json: before + whitespace(mark) + whitespace(attempt % 2) + after };
}

/** Spaces and line breaks, as they are written in a JSON string. */
function whitespace(bits: number): string {
  return bits.toString(2).replaceAll('1', ' ').replaceAll('0', '\\n');
}

function clusterSetOf(clusters: readonly Resource[]): ClusterSet {
  return { version: shortDigest(clusters.map(({ json }) => json)), clusters };
}
