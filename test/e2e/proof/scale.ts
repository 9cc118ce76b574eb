import { inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** How much the proofs do: enough to notice a slip in the suite, as much as it takes to be sure in the matrix. */
    scale: 'short' | 'full';
  }
}

const full = inject('scale') === 'full';

/** @returns the first in the suite, the second in `npm run test:matrix` */
export function scaled(short: number, long: number): number {
  return full ? long : short;
}

/** Of a test that does that much, ms. */
export const proofTimeout = scaled(60_000, 900_000);
