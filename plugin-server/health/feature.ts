import type { Feature } from '../feature.ts';
import type { Metrics } from '../metrics.ts';
import type { Readiness } from '../readiness.ts';
import { healthPaths } from './openapi.ts';
import { healthRoutes } from './routes.ts';

/**
 * What those who run the server ask it.
 * @param api what `/openapi.json` answers, asked once
 */
export function healthFeature(readiness: Readiness, metrics: Metrics, api: () => object): Feature {
  return {
    name: 'health',
    routes: (app) => {
      healthRoutes(app, readiness, metrics, api());
    },
    openapi: healthPaths,
  };
}
