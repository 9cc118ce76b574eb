import { Arena } from './bytes/arena';
import { Span, NONE } from './bytes/span';

/**
 * What the core asks of the outside world while it decides: slots that all workers of one Envoy share, and randomness.
 * host/ connects them; a test connects its own. Nothing else in the core can be told apart from a calculation.
 */
type Get = (key: Span) => Span;
type Set = (key: Span, value: Span) => void;
type Swap = (key: Span, value: Span) => bool;
type Random = (count: usize, arena: Arena) => Span;

let get: Get = (key: Span): Span => NONE;
let set: Set = (key: Span, value: Span): void => {};
let swap: Swap = (key: Span, value: Span): bool => true;
let draw: Random = (count: usize, arena: Arena): Span => NONE;

export function connect(getSlot: Get, setSlot: Set, swapSlot: Swap, random: Random): void {
  get = getSlot;
  set = setSlot;
  swap = swapSlot;
  draw = random;
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
