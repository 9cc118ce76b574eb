// Whether an Envoy, or the embedded engine, has kept the module alive and let no request go.
import { withoutFalseAlarms } from '../../envoy/engine/diagnosis.ts';

/** Counters and gauges by name. @param adminUrl of the engine */
export async function statsOf(adminUrl: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${adminUrl}/stats`)).text();
  const stats = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\S+): (\d+)$/.exec(line) ?? [];
    if (name !== '') stats.set(name, Number(value));
  }
  return stats;
}

/** What Envoy counted against the VMs. @param misses how often it may have looked for code that it had not fetched yet */
export function vmFailures(stats: ReadonlyMap<string, number>, misses = 0): [name: string, value: number][] {
  return [...stats].filter(
    ([name, value]) =>
      /^wasm\b.*(?:fail|reload|negative)/.test(name) && value > (name.endsWith('negative_hits') ? misses : 0),
  );
}

/** Lines of Envoy itself that speak of a failure; the access log, whose lines are JSON, holds the clients' text. */
export function suspicious(log: string): string[] {
  const lines = withoutFalseAlarms(log)
    .split('\n')
    .filter((line) => !line.startsWith('{'));
  return lines.filter((line) =>
    /\[critical\]|\[error\]|Function: \w+ failed|VM failed|RuntimeError|assert failure/.test(line),
  );
}
