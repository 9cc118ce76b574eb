import type { Counter, Gauge, Histogram, Stats } from '../stats.ts';
import { WasmResult } from '../../../proxy-wasm/result.ts';

const kinds = ['counter', 'gauge', 'histogram'] as const;
type Metric =
  | { readonly kind: 'counter'; readonly stat: Counter }
  | { readonly kind: 'gauge'; readonly stat: Gauge }
  | { readonly kind: 'histogram'; readonly stat: Histogram };

/** The metrics of one VM: its ids, and the statistics behind them, which all VMs have in common. */
export class Metrics {
  readonly #stats: Stats;
  readonly #metrics = new Map<number, Metric>();
  /** Kind in the two lower bits. (cpp-host: wasm.h) */
  readonly #next = { counter: 4, gauge: 5, histogram: 6 };

  constructor(stats: Stats) {
    this.#stats = stats;
  }

  /** @returns an id; undefined where there is no such kind */
  define(kind: number, name: string): number | undefined {
    const wanted = kinds[kind];
    if (wanted === undefined) return undefined;
    const id = this.#next[wanted];
    this.#next[wanted] += 4;
    const stat = `wasmcustom.${name}`;
    if (wanted === 'counter') this.#metrics.set(id, { kind: wanted, stat: this.#stats.counter(stat) });
    else if (wanted === 'gauge') this.#metrics.set(id, { kind: wanted, stat: this.#stats.gauge(stat) });
    else this.#metrics.set(id, { kind: wanted, stat: this.#stats.histogram(stat) });
    return id;
  }

  /** The two lower bits of an id say its kind, and there are three. */
  #find(id: number): Metric | WasmResult {
    return this.#metrics.get(id) ?? ((id & 3) === 3 ? WasmResult.BadArgument : WasmResult.NotFound);
  }

  increment(id: number, offset: bigint): WasmResult {
    const metric = this.#find(id);
    if (typeof metric === 'number') return metric;
    if (metric.kind === 'histogram' || (metric.kind === 'counter' && offset <= 0n)) return WasmResult.BadArgument;
    metric.stat.add(offset);
    return WasmResult.Ok;
  }

  record(id: number, value: bigint): WasmResult {
    const metric = this.#find(id);
    if (typeof metric === 'number') return metric;
    if (metric.kind === 'counter') metric.stat.add(value);
    else if (metric.kind === 'gauge') metric.stat.set(value);
    else metric.stat.record(value);
    return WasmResult.Ok;
  }

  value(id: number): bigint | WasmResult {
    const metric = this.#find(id);
    if (typeof metric === 'number') return metric;
    return metric.kind === 'histogram' ? WasmResult.BadArgument : metric.stat.value;
  }
}
