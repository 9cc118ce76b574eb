import { type Inside, OK } from './imports.ts';
import type { Imports } from './wasm.ts';

const TYPES = ['counter', 'gauge', 'histogram'] as const;
/** The one form that the `stats_tags` of the documentation cut labels out of; all else would be a stat of its own. */
const NAME = /^sluice_[a-z_]+(\.[a-z]+=[^.=\s]+)+\.end$/;

interface Metric {
  readonly type: (typeof TYPES)[number];
  readonly name: string;
}

/** The metrics of one VM. Ids begin with 0 and carry the type in their lowest two bits, as Envoy's do. */
export function metricImports(inside: Inside): Imports {
  const byId = new Map<number, Metric>();
  const names = new Set<string>();
  const find = (call: string, id: number, ...types: Metric['type'][]): string => {
    const metric = byId.get(id >>> 0);
    if (metric === undefined) throw new Error(`${call} of ${id >>> 0}, which was never defined`);
    if (!types.includes(metric.type)) throw new Error(`${call} of ${metric.name}, which is a ${metric.type}`);
    return metric.name;
  };
  return {
    proxy_define_metric: (number = 0, at = 0, size = 0, outId = 0) => {
      const name = inside.memory.text(at, size);
      inside.note(() => `define_metric ${name}`, 'configuring');
      const type = TYPES[number];
      if (type === undefined) throw new Error(`${number} is no type of a metric`);
      if (!NAME.test(name)) throw new Error(`${name} is no name whose labels can be told`);
      // Envoy gives a second id, and keeps both until the VM ends.
      if (names.has(name)) throw new Error(`${name} is defined already`);
      names.add(name);
      const id = 4 * byId.size + number;
      byId.set(id, { type, name });
      inside.memory.writeU32(outId, id);
      return OK;
    },
    // An i64 comes as a bigint, whatever these parameters are declared as.
    proxy_increment_metric: (id = 0, offset = 0) => {
      const name = find('increment_metric', id, 'counter', 'gauge');
      inside.note(() => `increment_metric ${name} ${offset}`);
      if (BigInt(offset) <= 0n) throw new Error(`${name} cannot go down`);
      return OK;
    },
    proxy_record_metric: (id = 0, value = 0) => {
      const name = find('record_metric', id, 'gauge', 'histogram');
      inside.note(() => `record_metric ${name} ${BigInt.asUintN(64, BigInt(value))}`, 'configuring');
      return OK;
    },
  };
}
