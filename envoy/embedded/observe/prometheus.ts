import type { Configuration } from '../config/model.ts';
import { type StatsStore, buckets } from './stats-store.ts';

type Tags = Configuration['statsTags'];

interface Sample {
  readonly name: string;
  readonly labels: string;
}

/** All statistics as Prometheus reads them; labels are what `stats_tags` cut out of names. (envoy: prometheus_stats.cc) */
export function prometheusText(stats: StatsStore, tags: Tags): string {
  const families = new Map<string, string[]>();
  const add = (type: string, { name }: Sample, lines: readonly string[]): void => {
    const family = families.get(name) ?? [`# TYPE ${name} ${type}\n`];
    family.push(...lines);
    families.set(name, family);
  };
  for (const [type, values] of [
    ['counter', stats.counters],
    ['gauge', stats.gauges],
  ] as const) {
    for (const [stat, { value }] of sorted(values)) {
      const sample = sampleOf(stat, tags);
      if (sample !== undefined) add(type, sample, [`${sample.name}{${sample.labels}} ${value}\n`]);
    }
  }
  for (const [stat, { counts, count, sum }] of sorted(stats.histograms)) {
    const sample = sampleOf(stat, tags);
    if (sample === undefined) continue;
    const { name, labels } = sample;
    const bucket = (bound: string, value: number): string =>
      `${name}_bucket{${labels === '' ? '' : `${labels},`}le="${bound}"} ${value}\n`;
    add('histogram', sample, [
      ...buckets.map((bound, index) => bucket(String(bound), counts[index] ?? 0)),
      bucket('+Inf', count),
      `${name}_sum{${labels}} ${sum}\n`,
      `${name}_count{${labels}} ${count}\n`,
    ]);
  }
  return [...families.values()].flat().join('');
}

/** By their names in full: so that families keep their order. */
function sorted<T>(values: ReadonlyMap<string, T>): [string, T][] {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1));
}

const custom = 'wasmcustom.';

/** A module's metrics have no prefix, all others are Envoy's; a name that is none is left out. */
function sampleOf(stat: string, tags: Tags): Sample | undefined {
  let rest = stat;
  const labels: string[] = [];
  for (const { name, regex } of tags) {
    const match = regex.exec(stat);
    const [, cut, value = cut] = match ?? [];
    if (cut === undefined) continue;
    rest = rest.replace(cut, '');
    labels.push(`${sanitized(name)}="${escaped(value ?? '')}"`);
  }
  const own = rest.startsWith(custom) ? rest.slice(custom.length) : `envoy_${rest}`;
  return /^[a-zA-Z_]/.test(own) ? { name: sanitized(own), labels: labels.join(',') } : undefined;
}

function sanitized(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_');
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
