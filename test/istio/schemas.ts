// Judges a resource as a Kubernetes API server does that has Istio's CRDs; more strictly in one thing: what a CRD does not
// know is pruned there without a word, and is an error here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { clone } from '../launcher/support.ts';
import type { Resource } from './documents.ts';

type Value = Record<string, unknown>;

const has = (value: Value, ...names: string[]): number => names.filter((name) => value[name] !== undefined).length;

/** The CEL rules that our documents come by, by their text: https://kubernetes.io/docs/reference/using-api/cel/ */
const rules: Readonly<Record<string, (self: never) => boolean>> = {
  "duration(self) >= duration('1ms')": (self: string) => milliseconds(self) >= 1,
  '0 < self && self <= 65535': (self: number) => 0 < self && self <= 65535,
  '!self.contains("*")': (self: string) => !self.includes('*'),
  'self.all(key, !key.contains("*"))': (self: Value) => Object.keys(self).every((key) => !key.includes('*')),
  'self.all(key, key.size() != 0)': (self: Value) => Object.keys(self).every((key) => key !== ''),
  '(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1': (self: Value) =>
    has(self, 'selector', 'targetRef', 'targetRefs') <= 1,
  '(has(self.workloadSelector) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1': (self: Value) =>
    has(self, 'workloadSelector', 'targetRefs') <= 1,
  'has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : !has(self.waypoint)':
    (self: Value) => (self['context'] === 'WAYPOINT') === (has(self, 'waypoint') === 1),
  '(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)': (self: Value) =>
    self['valueFrom'] !== 'HOST' || has(self, 'value') === 0,
  'isURL(self) ? (url(self).getScheme() in ["", "http", "https", "oci", "file"]) : (isURL("http://" + self) && url("http://" + self).getScheme() in ["", "http", "https", "oci", "file"])':
    (self: string) => /^(?:https?|oci|file):\/\//.test(self),
};

function milliseconds(duration: string): number {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  if (parts.map(([part]) => part).join('') !== duration || parts.length === 0) return NaN;
  return parts.reduce((sum, [, number = '', unit = '']) => sum + Number(number) * (units[unit] ?? NaN), 0);
}

const ajv = new Ajv({ allErrors: true, strictTypes: false, strictRequired: false });
for (const name of ['int-or-string', 'list-map-keys', 'list-type', 'preserve-unknown-fields']) {
  ajv.addKeyword(`x-kubernetes-${name}`);
}
ajv.addKeyword({
  keyword: 'x-kubernetes-validations',
  validate: (validations: readonly { rule: string }[], self: unknown) =>
    validations.every(({ rule }) => {
      const holds = rules[rule.replace(/\s+/g, ' ').trim()];
      if (holds === undefined) throw new Error(`test/istio/schemas.ts has no reading of the rule ${rule}`);
      return holds(self as never);
    }),
});

const compiled = new Map<string, ValidateFunction>();

/** What is wrong with it: `/http/0/timeout must pass "x-kubernetes-validations" …`. Nothing: it would be taken. */
export function errorsOf({ apiVersion, kind, spec }: Pick<Resource, 'apiVersion' | 'kind' | 'spec'>): string[] {
  const file = join(clone, `test/fixtures/istio/${kind.toLowerCase()}.json`);
  const vendored = JSON.parse(readFileSync(file, 'utf8')) as { apiVersion: string; spec: object };
  if (vendored.apiVersion !== apiVersion) return [`apiVersion must be ${vendored.apiVersion}`];
  const validate = compiled.get(kind) ?? ajv.compile(closed(vendored.spec));
  compiled.set(kind, validate);
  if (validate(spec)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`;
  });
}

/** The schema with every object closed that does not say that it is open. */
function closed(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('properties' in value)) return value;
    if (typeof value.properties !== 'object' || !('type' in value) || value.type !== 'object') return value;
    const isOpen = 'additionalProperties' in value || 'x-kubernetes-preserve-unknown-fields' in value;
    return isOpen ? value : { ...value, additionalProperties: false };
  }) as object;
}
