import type { Feature } from '../feature.ts';
import { pagePaths } from './openapi.ts';
import { pageRoutes } from './routes.ts';

/** The page for people, made of what the other features tell as JSON. */
export function pageFeature(): Feature {
  return { name: 'page', routes: pageRoutes, openapi: pagePaths };
}
