import { Arena } from './bytes/arena';
import { Span, NONE } from './bytes/span';

/**
 * What the core asks of the outside world while it decides: slots that all workers of one Envoy share, randomness, and a
 * word to a stream that another worker may have.
 * host/ connects them; a test connects its own. Nothing else in the core can be told apart from a calculation.
 */
type Get = (key: Span) => Span;
type Set = (key: Span, value: Span) => void;
type Swap = (key: Span, value: Span) => bool;
type Random = (count: usize, arena: Arena) => Span;
type Tell = (queue: u32, stream: u32, text: Span) => void;

let get: Get = (key: Span): Span => NONE;
let set: Set = (key: Span, value: Span): void => {};
let swap: Swap = (key: Span, value: Span): bool => true;
let draw: Random = (count: usize, arena: Arena): Span => NONE;
let tell: Tell = (queue: u32, stream: u32, text: Span): void => {};

export function connect(getSlot: Get, setSlot: Set, swapSlot: Swap, random: Random, tellStream: Tell): void {
  get = getSlot;
  set = setSlot;
  swap = swapSlot;
  draw = random;
  tell = tellStream;
}

/** What a worker put there, or NONE; anything in a slot may vanish at any time. Valid during the current callback. */
export function slot(key: Span): Span {
  return get(key);
}

export function setSlot(key: Span, value: Span): void {
  set(key, value);
}

/** Sets the slot that was read last, unless another worker has set it since. Whether it did. */
export function swapSlot(key: Span, value: Span): bool {
  return swap(key, value);
}

/** Fresh random bytes, at most 65,536. */
export function random(count: usize, arena: Arena): Span {
  return draw(count, arena);
}

/** Tells a stream of this Envoy something, soon; nobody, where that is gone. @param queue of its root context */
export function tellStream(queue: u32, stream: u32, text: Span): void {
  tell(queue, stream, text);
}
