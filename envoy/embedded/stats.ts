/** Counters, gauges and histograms by their full name: `http.mcp.downstream_rq_active`, `wasmcustom.sluice_config.result=…`. */
export interface Stats {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  /** In whole units, as recorded. */
  histogram(name: string): Histogram;
}

export interface Counter {
  readonly value: bigint;
  add(amount: bigint): void;
}

export interface Gauge extends Counter {
  set(value: bigint): void;
}

export interface Histogram {
  record(value: bigint): void;
}
