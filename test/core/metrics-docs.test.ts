import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/metrics.md');
const literals = (path: string): string[] =>
  [...read(path).matchAll(/literal\('([^']+)'\)/g)].map(([, text = '']) => text);

test('the page shows the stats_tags that are shipped', () => {
  const [, shown = ''] = /```yaml\n([\s\S]+?)\n```/.exec(page) ?? [];
  const shipped = parse(read('envoy/envoy.yaml')) as { stats_config: { stats_tags: object[] } };
  expect((parse(shown) as typeof shipped).stats_config.stats_tags).toEqual(shipped.stats_config.stats_tags);
});

test('the page names every metric, every label and every attribute, and no other', () => {
  const inCode = literals('filter/host/metrics.ts');
  const metrics = inCode.filter((text) => text.startsWith('sluice_'));
  const rows = [...page.matchAll(/^\| `(sluice_\w+)` +\| ([^|]+)\|/gm)];
  expect(rows.map(([, name]) => name).sort()).toEqual(metrics.sort());

  const labels = inCode.flatMap((text) => /^\.(\w+)=$/.exec(text)?.[1] ?? []);
  const shown = new Set(rows.flatMap(([, , cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, label]) => label)));
  expect([...shown].sort()).toEqual(labels.sort());

  const ofNouns = read('filter/mcp/nouns.ts').match(/(?<=')mcp_\w+(?=')/g) ?? [];
  const attributes = [...literals('filter/host/telemetry.ts'), ...ofNouns].filter((text) => text.startsWith('mcp_'));
  expect([...page.matchAll(/wasm\.(mcp_\w+):/g)].map(([, name]) => name).sort()).toEqual(attributes.sort());
});

test('every label has a tag that cuts it out', () => {
  const labels = literals('filter/host/metrics.ts').flatMap((text) => /^\.(\w+)=$/.exec(text)?.[1] ?? []);
  const { stats_config } = parse(read('envoy/envoy.yaml')) as {
    stats_config: { stats_tags: { tag_name: string; regex: string }[] };
  };
  expect(stats_config.stats_tags.map(({ tag_name }) => tag_name).sort()).toEqual(labels.sort());
});
