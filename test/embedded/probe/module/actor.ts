import { random_get } from '../../../../filter/wasi_snapshot_preview1';
import { proxy_log } from '../../../../filter/env';
import { OUT_DATA } from '../../../../filter/host/status';
import { length, pointer } from '../../../../filter/bytes/span';
import { proxy_register_shared_queue } from './env';
import { bytesOf } from './text';
import { Script } from './script';

const INFO = 2;

/** A context with a script: a stream's, or a root's. */
export class Actor {
  /** Of the case that it serves; the runner takes the trace out of the host's log by it. */
  tag: string = '';
  script: Script = new Script('');
  counts: Map<string, i32> = new Map();
  calls: i32 = 0;

  constructor(
    public id: u32,
    public root: Root | null,
    public name: string,
  ) {}

  /** A line of the trace. */
  say(text: string): void {
    const line = bytesOf(`[${this.tag}] ${text}`);
    proxy_log(INFO, pointer(line), length(line) as usize);
  }

  /** How often this callback was called, this time included. */
  count(callback: string): i32 {
    const count = this.counts.has(callback) ? this.counts.get(callback) + 1 : 1;
    this.counts.set(callback, count);
    return count;
  }
}

export class Root extends Actor {
  queue: u32 = 0;

  constructor(id: u32) {
    super(id, null, '');
  }

  /** Its own queue, of a name that no other root and no other VM has. Again after each configuration: it dies with the root. */
  registerQueue(): void {
    const seed = memory.data(8, 8);
    random_get(seed, 8);
    const name = bytesOf(`probe.${load<u64>(seed).toString(16)}`);
    proxy_register_shared_queue(pointer(name), length(name) as usize, OUT_DATA);
    this.queue = load<u32>(OUT_DATA);
  }
}

export const actors: Map<u32, Actor> = new Map();
export const roots: Map<u32, Root> = new Map();
/** Streams by case and root_id: how the filters of one request find each other, in one VM. */
export const peers: Map<string, u32> = new Map();
/** Streams by the tokens of their callouts. */
export const callers: Map<u32, Actor> = new Map();
/** The number that a callout has among those of its stream. */
export const callNumbers: Map<u32, i32> = new Map();
