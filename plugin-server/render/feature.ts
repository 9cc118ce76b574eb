import type { Feature } from '../feature.ts';
import type { Live } from '../live/live.ts';
import { renderErrors } from './errors.ts';
import { renderPaths } from './openapi.ts';
import { renderRoutes } from './routes.ts';

/** What `sluice render` prints, of the gateways that are here. */
export function renderFeature(live: Live): Feature {
  return {
    name: 'render',
    routes: (app) => {
      renderRoutes(app, live);
    },
    openapi: renderPaths,
    errors: renderErrors,
  };
}
