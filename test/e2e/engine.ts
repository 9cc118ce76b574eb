import { describe } from 'vitest';

/** What runs the module under test. */
export type Engine = { readonly name: 'envoy'; readonly binary: string };

/** TEMPORARY: from test/setup.ts once it is there. */
export const engine: Engine | undefined =
  process.env['ENVOY_PATH'] === undefined ? undefined : { name: 'envoy', binary: process.env['ENVOY_PATH'] };

export const describeGateway = describe.skipIf(engine === undefined);
