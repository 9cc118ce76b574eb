// Makes test/fixtures/kubernetes/ and test/fixtures/envoy-gateway/ from what the projects publish as Go modules:
//   npx tsx test/render/vendor-schemas.ts <k8s.io/kubernetes> <sigs.k8s.io/gateway-api> <github.com/envoyproxy/gateway>
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

type Schema = Record<string, unknown>;

const [kubernetes = '', gatewayApi = '', envoyGateway = ''] = process.argv.slice(2);
if (envoyGateway === '') throw new Error('name the folders of the three modules');

/** What Kubernetes itself knows: the name of a kind's `spec`, and the file that has it. */
const built = {
  Deployment: ['apps/v1', 'apis__apps__v1', 'io.k8s.api.apps.v1.DeploymentSpec'],
  Service: ['v1', 'api__v1', 'io.k8s.api.core.v1.ServiceSpec'],
  PersistentVolumeClaim: ['v1', 'api__v1', 'io.k8s.api.core.v1.PersistentVolumeClaimSpec'],
  PodDisruptionBudget: ['policy/v1', 'apis__policy__v1', 'io.k8s.api.policy.v1.PodDisruptionBudgetSpec'],
  NetworkPolicy: ['networking.k8s.io/v1', 'apis__networking.k8s.io__v1', 'io.k8s.api.networking.v1.NetworkPolicySpec'],
} as const;

/** Of custom resources: the file, and the members of `spec` that are used, or all of them. */
const custom: Readonly<Record<string, readonly [file: string, members?: readonly string[]]>> = {
  HTTPRoute: [join(gatewayApi, 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml')],
  Backend: [ofEnvoyGateway('backends')],
  HTTPRouteFilter: [ofEnvoyGateway('httproutefilters'), ['directResponse']],
  EnvoyExtensionPolicy: [ofEnvoyGateway('envoyextensionpolicies'), ['targetRefs', 'wasm']],
  ClientTrafficPolicy: [
    ofEnvoyGateway('clienttrafficpolicies'),
    ['targetRefs', 'connection', 'http1', 'http2', 'path', 'headers', 'timeout'],
  ],
  BackendTrafficPolicy: [ofEnvoyGateway('backendtrafficpolicies'), ['targetSelectors', 'retry', 'timeout']],
  SecurityPolicy: [ofEnvoyGateway('securitypolicies'), ['targetRefs', 'jwt']],
};

function ofEnvoyGateway(plural: string): string {
  const folder = 'charts/gateway-crds-helm/templates/generated';
  return join(envoyGateway, folder, `gateway.envoyproxy.io_${plural}.yaml`);
}

for (const [kind, [apiVersion, file, name]] of Object.entries(built)) {
  const text = readFileSync(join(kubernetes, `api/openapi-spec/v3/${file}_openapi.json`), 'utf8');
  const { schemas } = (JSON.parse(text) as { components: { schemas: Record<string, Schema> } }).components;
  const reached = new Map<string, unknown>();
  const reach = (each: string): void => {
    if (reached.has(each)) return;
    const schema = trimmed(schemas[each] ?? {});
    reached.set(each, schema);
    for (const [, next = ''] of JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) reach(next);
  };
  reach(name);
  const $defs = JSON.parse(
    JSON.stringify(Object.fromEntries(reached)).replaceAll('#/components/schemas/', '#/$defs/'),
  ) as Schema;
  write('kubernetes', kind, { apiVersion, kind, spec: { $ref: `#/$defs/${name}`, $defs } });
}

for (const [kind, [file, members]] of Object.entries(custom)) {
  // Helm's own lines are in the charts.
  const text = readFileSync(file, 'utf8').replace(/^\{\{.*\}\}$/gm, '');
  const { group, versions } = (
    parse(text) as {
      spec: {
        group: string;
        versions: { name: string; storage: boolean; schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[];
      };
    }
  ).spec;
  const stored = versions.find(({ storage }) => storage);
  if (stored === undefined) throw new Error(`${file} has no version that is stored`);
  const spec = trimmed(stored.schema.openAPIV3Schema.properties.spec) as Schema & { properties: Schema };
  if (members !== undefined)
    spec.properties = Object.fromEntries(Object.entries(spec.properties).filter(([name]) => members.includes(name)));
  if (kind === 'EnvoyExtensionPolicy') addVmSharing(spec.properties);
  write('envoy-gateway', kind, { apiVersion: `${group}/${stored.name}`, kind, spec });
}

/** New in Envoy Gateway 1.10: api/v1alpha1/wasm_types.go and release-notes/current/new_features/10049-wasm-vm-sharing.md. */
function addVmSharing(properties: Schema): void {
  const { items } = properties['wasm'] as { items: { properties: Schema } };
  items.properties['vmSharingScope'] = { type: 'string', enum: ['None', 'Namespace'] };
}

function write(folder: string, kind: string, vendored: object): void {
  const file = join(import.meta.dirname, `../fixtures/${folder}/${kind.toLowerCase()}.json`);
  writeFileSync(file, `${JSON.stringify(vendored)}\n`);
}

/** A schema without prose, and without what only says how Go stores a number or a client merges a list. */
function trimmed(schema: object): unknown {
  const prose = ['description', 'format', 'x-kubernetes-patch-strategy', 'x-kubernetes-patch-merge-key'];
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const members = Object.entries(value).filter(
      ([name, member]) => !(prose.includes(name) && typeof member === 'string'),
    );
    return Object.fromEntries(members);
  });
}
