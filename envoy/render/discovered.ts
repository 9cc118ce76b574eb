import { createHash } from 'node:crypto';
import type { Bootstrap } from './bootstrap.ts';
import { typeUrl } from './type-urls.ts';

/** A filter as the engine takes it from a file (ECDS from the file system). */
export interface DiscoveredFilter {
  /** What stands in the bootstrap in its place. */
  readonly name: string;
  /** A DiscoveryResponse, JSON. */
  readonly text: string;
}

interface Filter {
  readonly name: string;
  readonly typed_config?: { readonly '@type'?: string; readonly config?: { readonly configuration?: unknown } };
}

/** The module's filters of a bootstrap, which are what an edit of the plugin configuration changes. */
export function discoveredFilters(bootstrap: Bootstrap): DiscoveredFilter[] {
  return filtersOf(bootstrap)
    .filter((filter) => isModule(filter))
    .map((filter) => {
      const resources = [{ '@type': typeUrl.extension, ...filter }];
      const version_info = createHash('sha256').update(JSON.stringify(resources)).digest('hex').slice(0, 16);
      return { name: filter.name, text: JSON.stringify({ version_info, resources }) };
    });
}

/**
 * The same gateway, its filters taken from files; the engine takes them anew when another file is moved into such a place.
 * @param pathOf where the file of a filter is
 */
export function withDiscoveredFilters(bootstrap: Bootstrap, pathOf: (name: string) => string): Bootstrap {
  const copy = structuredClone(bootstrap);
  const filters = filtersOf(copy);
  filters.forEach((filter, index) => {
    if (isModule(filter)) filters[index] = discovery(filter.name, pathOf(filter.name));
  });
  // Envoy discovers nothing without saying who asks.
  return Object.assign({ node: { id: 'sluice', cluster: 'sluice' } }, copy);
}

/** Everything of a gateway but for the module's own configuration: what it takes a restart to change. */
export function frameOf(bootstrap: Bootstrap): string {
  const copy = structuredClone(bootstrap);
  for (const filter of filtersOf(copy)) {
    if (isModule(filter)) Object.assign(filter.typed_config?.config ?? {}, { configuration: null });
  }
  return JSON.stringify(copy);
}

function discovery(name: string, path: string): Filter {
  const config_source = { path_config_source: { path }, resource_api_version: 'V3' };
  return Object.assign({ name }, { config_discovery: { config_source, type_urls: [typeUrl.wasm] } });
}

function isModule({ typed_config }: Filter): boolean {
  return typed_config?.['@type'] === typeUrl.wasm;
}

function filtersOf(bootstrap: Bootstrap): Filter[] {
  return bootstrap.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters as Filter[];
}
