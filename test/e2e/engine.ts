import { describe, inject } from 'vitest';

/** What runs the module under test. */
export interface Engine {
  readonly name: 'envoy';
  readonly binary: string;
}

const envoy = inject('envoy');

/** None: test/setup.ts has said so, aloud, and where one is required the run has failed already. */
export const engine: Engine | undefined = envoy === null ? undefined : { name: 'envoy', binary: envoy.path };

export const describeGateway = describe.skipIf(engine === undefined);
