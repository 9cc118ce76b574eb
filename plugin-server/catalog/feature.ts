import type { Feature } from '../feature.ts';
import type { Metrics } from '../metrics.ts';
import type { Catalogs } from './catalogs.ts';
import { catalogErrors } from './errors.ts';
import type { CatalogNamespace } from './namespace.ts';
import { catalogPaths } from './openapi.ts';
import { type CatalogAccess, catalogRoutes } from './routes.ts';

/** Catalogs, as others see them. */
export function catalogFeature(catalogs: Catalogs, access: CatalogAccess): Feature {
  return {
    name: 'catalogs',
    routes: (app) => {
      catalogRoutes(app, catalogs, access);
    },
    // A source that is down, or wrong, makes the server no less ready: what is given out was right, and is still there.
    readiness: () => ({
      ready: true,
      count: catalogs.all().length,
      sources: catalogs.sources.map((source) => source.state()),
      problems: catalogs.problems(),
    }),
    metrics: (metrics) => {
      addMetrics(catalogs, metrics);
    },
    openapi: catalogPaths,
    errors: catalogErrors,
  };
}

function addMetrics(catalogs: Catalogs, metrics: Metrics): void {
  const gauge = (name: string, help: string, value: (namespace: CatalogNamespace) => number): void => {
    metrics.labelledGauge(name, help, 'catalog', () => catalogs.all().map((each) => [each.name, value(each)]));
  };
  gauge(
    'sluice_catalog_generation',
    'The version that is given out, 0 for none',
    ({ given }) => given?.generation ?? 0,
  );
  gauge(
    'sluice_catalog_servers',
    'Servers of the version that is given out',
    ({ given }) => given?.catalog.servers.length ?? 0,
  );
  gauge(
    'sluice_catalog_problems',
    'Parts of what the source says that are not given out',
    ({ problems }) => problems.filter(({ severity }) => severity === 'error').length,
  );
  gauge('sluice_catalog_rolled_back', '1 if a rollback keeps what the source says from being taken', ({ rolledBack }) =>
    Number(rolledBack),
  );
  metrics.gauge(
    'sluice_catalog_sources_failing',
    'Sources that something is wrong with',
    () => catalogs.sources.filter((source) => source.problems().length > 0).length,
  );
}
