import { Span, span, pointer, length, NONE } from '../bytes/span';
import { connect } from '../ports';
import { tell } from './queue';
import { random } from './random';
import { proxy_get_shared_data, proxy_set_shared_data } from '../env';
import { OUT_DATA, OUT_LENGTH, Status } from './status';

const OUT_CAS = memory.data(4, 8);
/** No value carries it: a set with it succeeds only where there is no value yet. */
const CAS_OF_NOTHING: u32 = 0xffffffff;

/** Connects the core's slots, randomness and messages to this host. For module level only. */
export function connectPorts(): void {
  connect(get, set, swap, random, tell);
}

/** What any worker of this Envoy put there under the same vm_id, or NONE. */
export function get(key: Span): Span {
  store<usize>(OUT_DATA, 0);
  store<u32>(OUT_CAS, CAS_OF_NOTHING);
  if (proxy_get_shared_data(pointer(key), length(key) as usize, OUT_DATA, OUT_LENGTH, OUT_CAS) !== Status.Ok)
    return NONE;
  const data = load<usize>(OUT_DATA);
  return data === 0 ? NONE : span(data, load<usize>(OUT_LENGTH) as u32);
}

export function set(key: Span, value: Span): void {
  proxy_set_shared_data(pointer(key), length(key) as usize, pointer(value), length(value) as usize, 0);
}

/** Where the key is still as `get`, called for it right before, has shown it. Whether it was. */
function swap(key: Span, value: Span): bool {
  const version = load<u32>(OUT_CAS);
  const size = length(value) as usize;
  return proxy_set_shared_data(pointer(key), length(key) as usize, pointer(value), size, version) === Status.Ok;
}

/** Two workers may race: what counts is what `get` returns afterwards. */
export function setIfAbsent(key: Span, value: Span): void {
  proxy_set_shared_data(pointer(key), length(key) as usize, pointer(value), length(value) as usize, CAS_OF_NOTHING);
}
