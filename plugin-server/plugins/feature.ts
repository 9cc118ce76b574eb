import type { Feature } from '../feature.ts';
import { publishErrors } from '../publish/errors.ts';
import { type PublishSurroundings, publishHandlers } from '../publish/routes.ts';
import { damagedText } from '../store/open.ts';
import { pluginsErrors } from './errors.ts';
import { pluginRoutes } from './files.ts';
import { pluginPaths } from './openapi.ts';

interface PluginsOptions extends PublishSurroundings {
  /** What else is wrong with the store, a line each. */
  readonly problems?: (() => readonly string[]) | undefined;
}

/** The artifacts under /plugins: reading and publishing are methods of the same paths. */
export function pluginsFeature({ problems, ...surroundings }: PluginsOptions): Feature {
  const { store, publishing, trust } = surroundings;
  return {
    name: 'store',
    routes: (app) => {
      pluginRoutes(app, store, trust, publishHandlers(surroundings));
    },
    readiness: () => ({
      ready: store.count > 0,
      plugins: store.names().length,
      versions: store.count,
      bytes: store.bytes,
      publishing: 'off' in publishing ? publishing.off : 'on',
      damaged: store.damages.map(damagedText),
      ...(trust.isRequired && { withheld: store.withheld.map(({ refusal }) => refusal.message) }),
      problems: problems?.() ?? [],
    }),
    metrics: (metrics) => {
      metrics.gauge('sluice_versions', 'Versions that are served', () => store.count);
      metrics.gauge('sluice_module_bytes', 'Bytes of their modules', () => store.bytes);
      metrics.gauge(
        'sluice_damaged_versions',
        'Versions that are damaged on disk and not served',
        () => store.damages.length,
      );
      metrics.gauge(
        'sluice_withheld_versions',
        'Versions that are there and not given out, as no key that is trusted signed them',
        () => store.withheld.length,
      );
    },
    openapi: pluginPaths,
    errors: { ...pluginsErrors, ...publishErrors },
  };
}
