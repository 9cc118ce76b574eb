import { describe, inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the vitest project that the end-to-end suite runs in. */
    gateways: Gateways;
  }
}

/** What runs the module in this run of the end-to-end suite, and how. */
export interface Gateways {
  readonly engine: 'envoy' | 'embedded';
  readonly hostMode: 'hold' | 'pair' | 'headers';
}

/** What runs the module under test. */
export interface Engine {
  readonly name: Gateways['engine'];
  /** Of a real Envoy; the embedded engine runs in Node. */
  readonly binary: string;
}

const { engine: engineName, hostMode } = inject('gateways');
export { hostMode };

const envoy = inject('envoy');

/** None: test/setup.ts has said so, aloud, and where one is required the run has failed already. */
export const engine: Engine | undefined = found();

function found(): Engine | undefined {
  if (engineName === 'embedded') return { name: engineName, binary: '' };
  return envoy === null ? undefined : { name: engineName, binary: envoy.path };
}

export const describeGateway = describe.skipIf(engine === undefined);
