// The dashboard and the alert rules ask for metrics and labels that exist, in expressions that Prometheus can read.
import { readFileSync, readdirSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Dashboard {
  readonly panels: readonly { readonly id: number; readonly targets: readonly { readonly expr: string }[] }[];
}

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const dashboard = JSON.parse(read('deploy/grafana/sluice.json')) as Dashboard;
const alerts = (parse(read('deploy/grafana/alerts.yaml')) as Alerts).groups.flatMap(({ rules }) => rules);
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...alerts.map(({ expr }) => expr),
];

/** What an expression consists of: names of metrics, and of labels. */
function partsOf(expression: string): { metrics: string[]; labels: string[] } {
  // Grafana's variables are put in before Prometheus sees them.
  const text = expression.replaceAll('$__rate_interval', '5m').replaceAll('$gateway', '.*');
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(text).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) throw new Error(`${text}: ${JSON.stringify(text.slice(Math.max(from - 20, 0), to + 20))}`);
      if (type.name === 'VectorSelector') metrics.push(/^[a-zA-Z_:][\w:]*/.exec(text.slice(from, to))?.[0] ?? '');
      if (type.name === 'LabelName') labels.push(text.slice(from, to));
    },
  });
  return { metrics, labels };
}

/** Metrics with their labels, as docs/metrics.md has them, which test/core/metrics-docs.test.ts holds to the module. */
function ofModule(): Map<string, string[]> {
  const rows = [...read('docs/metrics.md').matchAll(/^\| `(sluice_\w+)` +\| ([^|]+)\|/gm)];
  const labelsIn = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, label = '']) => label);
  return new Map(
    rows.flatMap(([, name = '', cell = '']): [string, string[]][] => {
      if (name !== 'sluice_upstream_ms') return [[name, labelsIn(cell)]];
      return ['_bucket', '_sum', '_count'].map((end) => [name + end, [...labelsIn(cell), 'le']]);
    }),
  );
}

/** The same of the plugin server: names that its code has, with the labels that its pages give them. */
function ofPluginServer(): Map<string, string[]> {
  const page = read('docs/plugin-server.md') + read('docs/live.md');
  const folder = new URL('../../plugin-server/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const code = files.map((file) => read(`plugin-server/${file}`)).join('');
  const states = [...code.matchAll(/nodes\('(\w+)'/g)].map(([, state = '']) => `sluice_gateway_nodes_${state}`);
  const names = [...[...code.matchAll(/'(sluice_\w+)'/g)].map(([, name = '']) => name), ...states];
  const labels = new Map(
    [...page.matchAll(/`(sluice_\w+)\{([\w,]+)\}`/g)].map(([, name = '', cell = '']) => [name, cell.split(',')]),
  );
  const usual = (name: string): string[] => (name.startsWith('sluice_gateway_') ? ['gateway'] : []);
  return new Map(names.map((name) => [name, labels.get(name) ?? usual(name)]));
}

/** What the server that scrapes puts to every series. */
const ofScrapes = ['instance', 'job'];

test('every expression asks for metrics and labels that there are', () => {
  const known = new Map([...ofPluginServer(), ...ofModule()]);
  expect(known.size).toBeGreaterThan(20);
  for (const expression of expressions) {
    const { metrics, labels } = partsOf(expression);
    expect(metrics.length, expression).toBeGreaterThan(0);
    for (const name of metrics) {
      expect([...known.keys()], expression).toContain(name);
      const usable = [...(known.get(name) ?? []), ...ofScrapes];
      for (const label of labels) expect(usable, `${expression}: ${name}`).toContain(label);
    }
  }
});

test('the dashboard shows every metric of the module', () => {
  const shown = new Set(expressions.flatMap((expression) => partsOf(expression).metrics));
  for (const name of ofModule().keys()) if (!/_(?:sum|count)$/.test(name)) expect([...shown]).toContain(name);
});

test('an expression with a mistake is noticed', () => {
  expect(() => partsOf('sum by (reason (rate(x[5m]))')).toThrow('sum by');
});

test('alerts and panels can be told apart', () => {
  const names = alerts.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
