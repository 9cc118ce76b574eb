import { EMPTY_QUEUE, type Inside, OK } from './imports.ts';
import type { Imports } from './wasm.ts';
import type { Worker } from './worker.ts';

/** A shared queue. All VMs of a process find it by its name. */
export interface Queue {
  readonly token: number;
  readonly messages: Buffer[];
  /** Tells the root context that registered it last that a message is there; nobody, once that is gone. */
  tell: () => void;
  owner: object;
}

/** @param tell calls back a root context of this VM, if it is there still */
export function queueImports(inside: Inside, worker: Worker, tell: (root: number, token: number) => void): Imports {
  const { queues, loop } = worker;
  const find = (call: string, token: number): Queue => {
    const queue = [...queues.values()].find((one) => one.token === token >>> 0);
    if (queue === undefined) throw new Error(`${call} of a queue that nobody registered`);
    return queue;
  };
  return {
    proxy_register_shared_queue: (name = 0, nameSize = 0, outToken = 0) => {
      inside.note(() => 'register_shared_queue', 'configuring');
      const key = inside.memory.text(name, nameSize);
      const root = inside.root('register_shared_queue');
      const token = queues.get(key)?.token ?? queues.size + 1;
      const before = queues.get(key);
      if (before !== undefined && before.owner !== inside) throw new Error(`the queue ${key} is another VM's`);
      const messages = before?.messages ?? [];
      queues.set(key, {
        token,
        messages,
        owner: inside,
        tell: () => {
          tell(root, token);
        },
      });
      inside.memory.writeU32(outToken, token);
      return OK;
    },
    proxy_enqueue_shared_queue: (token = 0, data = 0, size = 0) => {
      inside.note(() => 'enqueue_shared_queue');
      const queue = find('enqueue_shared_queue', token);
      queue.messages.push(inside.memory.read(data, size));
      loop.post(() => {
        queue.tell();
      });
      return OK;
    },
    proxy_dequeue_shared_queue: (token = 0, outAt = 0, outSize = 0) => {
      const message = find('dequeue_shared_queue', token).messages.shift();
      inside.note(() => `dequeue_shared_queue: ${message === undefined ? 'nothing' : 'a message'}`);
      if (message === undefined) return EMPTY_QUEUE;
      return inside.memory.hand(message, outAt, outSize);
    },
  };
}
