// What VMs share: data and queues by vm_id, as long as a VM of that id lives.

interface Value {
  readonly bytes: Uint8Array;
  /** Never 0, which stands for "whatever is there". */
  readonly cas: number;
}

export interface Queue {
  readonly name: string;
  readonly items: Uint8Array[];
  /** Told of each item, later; the last one that registered. */
  notify: () => void;
}

interface Space {
  vms: number;
  readonly data: Map<string, Value>;
  readonly queues: Map<string, number>;
}

/** One for a process, like Envoy's own. (cpp-host: shared_data.cc, shared_queue.cc) */
export class Shared {
  readonly #spaces = new Map<string, Space>();
  readonly #queues = new Map<number, Queue>();
  #nextCas = 1;
  #nextQueue = 1;

  /** A VM of this id begins. */
  acquire(vmId: string): void {
    this.#space(vmId).vms++;
  }

  /** A VM of this id has gone; with the last one goes what they shared. */
  release(vmId: string): void {
    const space = this.#space(vmId);
    space.vms--;
    if (space.vms > 0) return;
    for (const token of space.queues.values()) this.#queues.delete(token);
    this.#spaces.delete(vmId);
  }

  #space(vmId: string): Space {
    const known = this.#spaces.get(vmId);
    if (known !== undefined) return known;
    const space = { vms: 0, data: new Map<string, Value>(), queues: new Map<string, number>() };
    this.#spaces.set(vmId, space);
    return space;
  }

  get(vmId: string, key: string): Value | undefined {
    return this.#space(vmId).data.get(key);
  }

  /** @param cas 0: in any case; else only where the value still has it, or is not there at all */
  set(vmId: string, key: string, bytes: Uint8Array, cas: number): boolean {
    const { data } = this.#space(vmId);
    const there = data.get(key);
    if (cas !== 0 && there !== undefined && there.cas !== cas) return false;
    data.set(key, { bytes, cas: this.#nextCas });
    this.#nextCas = this.#nextCas === 0xffffffff ? 1 : this.#nextCas + 1;
    return true;
  }

  /** @returns the queue's token; a queue that exists is taken over */
  register(vmId: string, name: string, notify: () => void): number {
    const { queues } = this.#space(vmId);
    const known = queues.get(name);
    const queue = known === undefined ? undefined : this.#queues.get(known);
    if (known !== undefined && queue !== undefined) {
      queue.notify = notify;
      return known;
    }
    const token = this.#nextQueue++;
    queues.set(name, token);
    this.#queues.set(token, { name, items: [], notify });
    return token;
  }

  resolve(vmId: string, name: string): number | undefined {
    return this.#spaces.get(vmId)?.queues.get(name);
  }

  queue(token: number): Queue | undefined {
    return this.#queues.get(token);
  }
}
