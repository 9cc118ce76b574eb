import type { FastifyInstance } from 'fastify';
import type { ErrorRows } from './error-rows.ts';
import type { Metrics } from './metrics.ts';
import type { PartState, Readiness } from './readiness.ts';

/** A part of the server: everything that it adds to what others see. */
export interface Feature {
  /** Its name in `/readyz`. */
  readonly name: string;
  /** Registers its routes, in a scope of its own: hooks and parsers that it adds there are its own. */
  readonly routes?: (app: FastifyInstance) => void;
  /** Whether it can do its work, for `/readyz`; asked at each request, so it is to be cheap. */
  readonly readiness?: () => PartState;
  /** Registers its metrics. */
  readonly metrics?: (metrics: Metrics) => void;
  /** Its paths in `/openapi.json`. */
  readonly openapi?: Readonly<Record<string, object>>;
  /** Its rows of the error table. */
  readonly errors?: ErrorRows;
  /** Ends what keeps responses waiting, before the server waits for them. */
  readonly close?: () => Promise<void>;
}

/** Adds features to a server, in their order. */
export function addFeatures(
  app: FastifyInstance,
  features: readonly Feature[],
  { readiness, metrics }: { readonly readiness: Readiness; readonly metrics: Metrics },
): void {
  for (const feature of features) {
    const { name, routes, close } = feature;
    if (feature.readiness !== undefined) readiness.add(name, feature.readiness);
    feature.metrics?.(metrics);
    if (close !== undefined) app.addHook('preClose', close);
    if (routes === undefined) continue;
    void app.register((scope, _options, done) => {
      routes(scope);
      done();
    });
  }
}
