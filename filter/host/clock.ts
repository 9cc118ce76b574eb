import { proxy_get_current_time_nanoseconds } from '../env';

const OUT_TIME = memory.data(8, 8);

/** Nanoseconds since 1970. */
export function now(): u64 {
  proxy_get_current_time_nanoseconds(OUT_TIME);
  return load<u64>(OUT_TIME);
}
