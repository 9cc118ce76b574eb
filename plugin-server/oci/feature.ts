import type { Feature } from '../feature.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { ociErrors } from './errors.ts';
import { Images } from './images.ts';
import { ociPaths } from './openapi.ts';
import { ociRoutes } from './routes.ts';

/** The artifacts as images of an OCI registry that can be pulled from, under /v2. */
export function ociFeature(store: ArtifactStore): Feature {
  return {
    name: 'oci',
    routes: (app) => {
      ociRoutes(app, new Images(store));
    },
    openapi: ociPaths,
    errors: ociErrors,
  };
}
