import { type Inside, OK } from './imports.ts';
import type { Imports } from './wasm.ts';

/** Which root contexts of a VM are called again and again, and how often in milliseconds. */
export type Periods = Map<number, number>;

export function tickImports(inside: Inside, periods: Periods): Imports {
  return {
    proxy_set_tick_period_milliseconds: (period = 0) => {
      inside.note(() => `set_tick_period_milliseconds ${period >>> 0}`, 'configuring');
      const root = inside.root('set_tick_period_milliseconds');
      if (period === 0) periods.delete(root);
      else periods.set(root, period >>> 0);
      return OK;
    },
  };
}
