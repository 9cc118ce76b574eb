import { scratch } from '../bytes/arena';
import { pointer } from '../bytes/span';
import { random } from './random';

let drawn: u64 = 0;

/**
 * Names this VM among all of this Envoy, where context ids repeat: an id of a stream says nothing without it. Drawn at
 * first use, never 0.
 */
export function vmNonce(): u64 {
  while (drawn === 0) drawn = load<u64>(pointer(random(8, scratch)));
  return drawn;
}
