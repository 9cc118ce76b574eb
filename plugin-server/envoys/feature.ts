import type { Feature } from '../feature.ts';
import { EnvoyArchive, type HeldEnvoy } from './archive.ts';
import { envoysErrors } from './errors.ts';
import { envoysPaths } from './openapi.ts';
import { envoysRoutes } from './routes.ts';

/** The Envoys of a bundle, so that `func-e run` works where there is no internet. */
export function envoysFeature(envoys: readonly HeldEnvoy[]): Feature {
  return {
    name: 'envoys',
    routes: (app) => {
      envoysRoutes(
        app,
        envoys.map((envoy) => new EnvoyArchive(envoy)),
      );
    },
    openapi: envoysPaths,
    errors: envoysErrors,
  };
}
