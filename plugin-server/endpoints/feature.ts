import type { Feature } from '../feature.ts';
import type { Live } from '../live/live.ts';
import { endpointErrors } from './errors.ts';
import { endpointPaths } from './openapi.ts';
import { endpointRoutes } from './routes.ts';

/** What gateways say of themselves where this server knows how to reach them. */
export function endpointsFeature(live: Live): Feature {
  return {
    name: 'endpoints',
    routes: (app) => {
      endpointRoutes(app, live);
    },
    openapi: endpointPaths,
    errors: endpointErrors,
  };
}
