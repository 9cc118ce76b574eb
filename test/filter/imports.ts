import type { Memory } from './memory.ts';
import type { Place } from './place.ts';

/** What the functions of a host need of the whole of it. */
export interface Inside {
  readonly memory: Memory;
  /** Counts a call; `allowed` are the phases besides `serving` in which a real host would carry it out. */
  note(describe: () => string, ...allowed: Phase[]): void;
  /** Of the stream that the call is made for. @throws outside of one */
  place(call: string): Place;
  /** The root context that the call is made for, or that of its stream. @throws outside of callbacks */
  root(call: string): number;
  /** Envoy does what touches a stream when the callback that asked for it is over (`addAfterVmCallAction`). */
  after(action: () => void): void;
}

export type Phase = 'initializing' | 'configuring' | 'serving';

/** Results of the ABI. */
export const OK = 0;
export const NOT_FOUND = 1;
export const BAD_ARGUMENT = 2;
export const EMPTY_QUEUE = 7;
export const CAS_MISMATCH = 8;
export const INTERNAL_FAILURE = 10;
