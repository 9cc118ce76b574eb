import type { Counter, Gauge, Histogram, Stats } from '../stats.ts';

/** Envoy's own buckets of a histogram, upper bounds. */
export const buckets = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

class Value implements Gauge {
  value = 0n;

  add(amount: bigint): void {
    this.value += amount;
  }

  set(value: bigint): void {
    this.value = value;
  }
}

export class Distribution implements Histogram {
  /** By bucket, each with all that is in the lower ones. */
  readonly counts = buckets.map(() => 0);
  count = 0;
  sum = 0n;

  record(value: bigint): void {
    this.count++;
    this.sum += value;
    const number = Number(value);
    for (let index = buckets.length - 1; index >= 0 && number <= (buckets[index] ?? 0); index--) {
      this.counts[index] = (this.counts[index] ?? 0) + 1;
    }
  }
}

/** All statistics of a process. A name is one statistic, whoever asks for it. */
export class StatsStore implements Stats {
  readonly counters = new Map<string, Counter>();
  readonly gauges = new Map<string, Gauge>();
  readonly histograms = new Map<string, Distribution>();

  counter(name: string): Counter {
    return getOrMake(this.counters, name, () => new Value());
  }

  gauge(name: string): Gauge {
    return getOrMake(this.gauges, name, () => new Value());
  }

  histogram(name: string): Distribution {
    return getOrMake(this.histograms, name, () => new Distribution());
  }

  /** `name: value`, as Envoy's `/stats` has it. */
  text(): string {
    const { heapUsed, external } = process.memoryUsage();
    this.gauge('server.memory_allocated').set(BigInt(heapUsed + external));
    const lines = [...this.counters, ...this.gauges].map(([name, { value }]) => `${name}: ${value}\n`);
    return lines.sort().join('');
  }
}

function getOrMake<T>(map: Map<string, T>, name: string, make: () => T): T {
  const known = map.get(name);
  if (known !== undefined) return known;
  const made = make();
  map.set(name, made);
  return made;
}
