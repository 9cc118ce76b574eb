import { Loop } from './loop.ts';
import type { Queue } from './queues.ts';
import type { Shared } from './shared.ts';

/** What VMs of one worker have in common: all of this lives outside of them. */
export class Worker {
  readonly loop = new Loop();
  readonly shared: Shared = new Map();
  /** By name. */
  readonly queues = new Map<string, Queue>();
  /** Host calls, and the callbacks that they were made in, in order. */
  readonly trace: string[] = [];
}
