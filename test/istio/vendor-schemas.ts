// Makes test/fixtures/istio/ from the CRDs that Istio publishes:
//   npx tsx test/istio/vendor-schemas.ts <istio.io/api>/kubernetes/customresourcedefinitions.gen.yaml
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** What envoy/istio/ has documents of, and `sluice render`. */
const served = {
  WasmPlugin: 'v1alpha1',
  TrafficExtension: 'v1alpha1',
  ServiceEntry: 'v1',
  RequestAuthentication: 'v1',
  Gateway: 'v1',
  VirtualService: 'v1',
  DestinationRule: 'v1',
  EnvoyFilter: 'v1alpha3',
  Telemetry: 'v1',
} as const;

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: object } } };
    }[];
  };
}

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error('name the file customresourcedefinitions.gen.yaml');
const definitions = parseAllDocuments(readFileSync(source, 'utf8')).map((document) => document.toJS() as Definition);
for (const [kind, version] of Object.entries(served)) {
  const spec = definitions.find((definition) => definition.spec.names.kind === kind)?.spec;
  const schema = spec?.versions.find(({ name }) => name === version)?.schema.openAPIV3Schema.properties.spec;
  if (spec === undefined || schema === undefined) throw new Error(`${source} has no ${kind} ${version}`);
  const vendored = { apiVersion: `${spec.group}/${version}`, kind, spec: trimmed(schema) };
  const file = join(import.meta.dirname, `../fixtures/istio/${kind.toLowerCase()}.json`);
  writeFileSync(file, `${JSON.stringify(vendored)}\n`);
}

/** A schema without prose: its descriptions, and the formats that only say how Go stores a number. */
function trimmed(schema: object): unknown {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const members = Object.entries(value).filter(([name, member]) => {
      return !((name === 'description' || name === 'format') && typeof member === 'string');
    });
    return Object.fromEntries(members);
  });
}
