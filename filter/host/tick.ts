import { newTable, Table } from '../bytes/table';
import { proxy_set_tick_period_milliseconds } from '../env';

/**
 * How often the host calls a root context: as often as what it looks at needs, and not at all where there is nothing to
 * look at. A tick belongs to a root context, and ends with it, as its streams do.
 */
/** Milliseconds. */
export const FAST_TICK: u32 = 50;
export const MIDDLE_TICK: u32 = 500;
export const SLOW_TICK: u32 = 1000;
export const NO_TICK: u32 = 0;

/** Periods by root, where there is one. */
const periods: Table = newTable();

/** At least so often. From a callback of the root, or of one of its streams. */
export function tickEach(root: u32, period: u32): void {
  const current = periods.get(root) as u32;
  if (current === 0 || period < current) setTick(root, period);
}

/** After a tick. @param period what is needed from now on, or NO_TICK */
export function tickOn(root: u32, period: u32): void {
  setTick(root, period);
}

/** A root is gone. */
export function forgetTick(root: u32): void {
  periods.take(root);
}

function setTick(root: u32, period: u32): void {
  if ((periods.get(root) as u32) === period) return;
  if (period === NO_TICK) periods.take(root);
  else periods.set(root, period as usize);
  proxy_set_tick_period_milliseconds(period);
}
