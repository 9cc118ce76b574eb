import { SLASH } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, length, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { proxy_dequeue_shared_queue, proxy_enqueue_shared_queue, proxy_register_shared_queue } from '../env';
import { OUT_DATA, OUT_LENGTH, Status } from './status';
import { vmNonce } from './vm';

/**
 * A message to oneself: what must not be done in this callback is done in one of its own, which the same worker makes
 * soon after. A queue's messages come to the root context that registered it last, and to nobody once that is gone, so
 * every root has a queue of its own. Other workers can put messages there, too. Envoy never forgets a queue: those of roots that are gone are taken again.
 */
const PREFIX = literal('sluice/');
const OUT_TOKEN = memory.data(4, 8);
const MESSAGE = memory.data(4, 8);

let numbers: u32 = 0;
const free: Array<u32> = [];

@unmanaged
export class Queue {
  number: u32;
  token: u32;
}

/** For the root context that is being configured. */
export function openQueue(): Queue {
  const queue = changetype<Queue>(heap.alloc(offsetof<Queue>()));
  queue.number = free.length > 0 ? free.pop() : numbers++;
  const name = newWriter(scratch, 48)
    .bytes(PREFIX)
    .hex(vmNonce())
    .byte(SLASH)
    .decimal(queue.number as u64).written;
  proxy_register_shared_queue(pointer(name), length(name) as usize, OUT_TOKEN);
  queue.token = load<u32>(OUT_TOKEN);
  return queue;
}

export function closeQueue(queue: Queue): void {
  free.push(queue.number);
  heap.free(changetype<usize>(queue));
}

/** @param id of a stream */
export function post(queue: Queue, id: u32): void {
  store<u32>(MESSAGE, id);
  proxy_enqueue_shared_queue(queue.token, MESSAGE, 4);
}

/** To a stream that any worker may have. @param token of the queue of its root @param text what it is told, not empty */
export function tell(token: u32, id: u32, text: Span): void {
  const message = newWriter(scratch, (length(text) as usize) + 4)
    .u32(id)
    .bytes(text).written;
  proxy_enqueue_shared_queue(token, pointer(message), length(message) as usize);
}

/** What the stream of the message that was read last is told; empty where it is only to be looked at. */
export let postedText: Span = NONE;

/** The stream of the next message, 0 where there is none; what is no message of ours is passed over. */
export function nextPosted(token: u32): u32 {
  store<usize>(OUT_LENGTH, 0);
  while (proxy_dequeue_shared_queue(token, OUT_DATA, OUT_LENGTH) === Status.Ok) {
    const size = load<usize>(OUT_LENGTH) as u32;
    const data = load<usize>(OUT_DATA);
    const id = size >= 4 && data !== 0 ? load<u32>(data) : 0;
    if (id === 0) continue;
    postedText = span(data + 4, size - 4);
    return id;
  }
  return 0;
}
