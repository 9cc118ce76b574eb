import type { Memory } from './memory.ts';

/** What the functions of a host need of the whole of it. */
export interface Inside {
  readonly memory: Memory;
  /** Counts a call; `allowed` are the phases besides `serving` in which a real host would carry it out. */
  note(describe: () => string, ...allowed: Phase[]): void;
}

export type Phase = 'initializing' | 'configuring' | 'serving';

/** Results of the ABI. */
export const OK = 0;
export const NOT_FOUND = 1;
export const BAD_ARGUMENT = 2;
export const CAS_MISMATCH = 8;
export const INTERNAL_FAILURE = 10;
