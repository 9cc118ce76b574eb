// Judges a resource as a Kubernetes API server does that has the CRDs of Istio, the Gateway API and Envoy Gateway; more
// strictly in one thing: what a CRD does not know is pruned there without a word, and is an error here.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type Options, type ValidateFunction } from 'ajv';
import { holds } from './cel.ts';
import { clone } from '../launcher/support.ts';
import type { Resource } from './documents.ts';

/** Keywords of Kubernetes that say how a client merges. */
const merging = ['int-or-string', 'list-map-keys', 'list-type', 'map-type', 'preserve-unknown-fields', 'unions'];

function ajvWith(options: Options, validations: (rules: readonly { rule: string }[], self: unknown) => boolean): Ajv {
  const ajv = new Ajv({ allErrors: true, strictTypes: false, strictRequired: false, ...options });
  for (const name of merging) ajv.addKeyword(`x-kubernetes-${name}`);
  ajv.addKeyword({ keyword: 'x-kubernetes-validations', validate: validations });
  return ajv;
}

/** The API server fills in defaults before it looks at any rule. */
const filling = ajvWith({ useDefaults: true }, () => true);
const judging = ajvWith({}, (rules, self) => rules.every(({ rule }) => holds(rule, self)));

const folders = ['istio', 'kubernetes', 'envoy-gateway'];

const compiled = new Map<string, readonly [ValidateFunction, ValidateFunction]>();

/** What is wrong with it: `/http/0/timeout must pass "x-kubernetes-validations" …`. Nothing: it would be taken. */
export function errorsOf({ apiVersion, kind, spec }: Pick<Resource, 'apiVersion' | 'kind' | 'spec'>): string[] {
  const files = folders.map((folder) => join(clone, `test/fixtures/${folder}/${kind.toLowerCase()}.json`));
  const file = files.find((each) => existsSync(each));
  if (file === undefined) return [`kind must be one of which there is a schema, found ${kind}`];
  const vendored = JSON.parse(readFileSync(file, 'utf8')) as { apiVersion: string; spec: object };
  if (vendored.apiVersion !== apiVersion) return [`apiVersion must be ${vendored.apiVersion}`];
  const schema = closed(vendored.spec);
  const [fill, validate] = compiled.get(kind) ?? [filling.compile(schema), judging.compile(schema)];
  compiled.set(kind, [fill, validate]);
  const filled = structuredClone(spec);
  fill(filled);
  if (validate(filled)) return [];
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
