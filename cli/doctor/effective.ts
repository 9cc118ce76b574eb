// The configuration that an Envoy runs, as one bootstrap: what it began with, and what has come since.

interface Named {
  readonly name?: unknown;
}

interface Dump {
  readonly configs?: readonly Readonly<Record<string, unknown>>[];
}

/**
 * @param dump `/config_dump`
 * @returns undefined where it is none
 */
export function effectiveBootstrap(dump: unknown): object | undefined {
  const configs = (dump as Dump | undefined)?.configs;
  if (!Array.isArray(configs)) return undefined;
  const bootstrap = itemsOf(configs, 'bootstrap')[0] as { static_resources?: Record<string, unknown> } | undefined;
  if (bootstrap === undefined) return undefined;
  const resources = bootstrap.static_resources ?? {};
  const discovered = new Map(
    each(configs, 'ecds_filters').map(({ ecds_filter: filter }) => [(filter as Named | undefined)?.name, filter]),
  );
  const listeners = each(configs, 'dynamic_listeners').map(
    ({ active_state: state }) => (state as { listener?: unknown } | undefined)?.listener,
  );
  const clusters = each(configs, 'dynamic_active_clusters').map(({ cluster }) => cluster);
  const all = {
    ...bootstrap,
    static_resources: {
      ...resources,
      listeners: [...listOf(resources['listeners']), ...listeners.filter(isObject)],
      clusters: [...listOf(resources['clusters']), ...clusters.filter(isObject)],
    },
  };
  return withFilters(all, discovered) as object;
}

function itemsOf(configs: readonly Readonly<Record<string, unknown>>[], name: string): unknown[] {
  return configs.map((config) => config[name]).filter((item) => item !== undefined);
}

function each(configs: readonly Readonly<Record<string, unknown>>[], name: string): Record<string, unknown>[] {
  return itemsOf(configs, name).flatMap(listOf).filter(isObject);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Filters that came by config discovery, in the places that asked for them. */
function withFilters(value: unknown, discovered: ReadonlyMap<unknown, unknown>): unknown {
  if (discovered.size === 0 || !isObject(value)) return value;
  if (Array.isArray(value)) return value.map((item) => withFilters(item, discovered));
  const filter = 'config_discovery' in value ? discovered.get(value['name']) : undefined;
  if (isObject(filter)) return { name: value['name'], typed_config: filter['typed_config'] };
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withFilters(item, discovered)]));
}

/** Names of the clusters that the plugin configurations in it name. */
export function serverClusters(bootstrap: unknown): string[] {
  const names = new Set<string>();
  visit(bootstrap, names, 0);
  return [...names];
}

const deepest = 100;

function visit(value: unknown, names: Set<string>, depth: number): void {
  if (depth > deepest) return;
  if (typeof value === 'string' && value.startsWith('{') && value.includes('"servers"')) {
    try {
      visit(JSON.parse(value), names, depth + 1);
    } catch {
      // no plugin configuration
    }
  }
  if (!isObject(value)) return;
  for (const server of listOf(value['servers'])) {
    if (isObject(server) && typeof server['cluster'] === 'string') names.add(server['cluster']);
  }
  for (const item of Object.values(value)) visit(item, names, depth + 1);
}
