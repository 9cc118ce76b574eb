// The documents of envoy/istio/, as `kubectl apply -f` would read them.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { clone } from '../launcher/support.ts';

/** A Kubernetes object. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Record<string, unknown>;
}

export interface WasmPluginSpec extends Record<string, unknown> {
  priority: number;
  pluginName: string;
  url: string;
  sha256: string;
  pluginConfig: PluginConfig;
}

export interface PluginConfig extends Record<string, unknown> {
  hosts: string[];
  servers: { name: string; cluster: string; authority: string }[];
}

export interface GatewaySpec extends Record<string, unknown> {
  servers: { port: { number: number }; hosts: string[]; bind?: string }[];
}

interface VirtualServiceSpec extends Record<string, unknown> {
  hosts: string[];
  http: HttpRoute[];
}

interface HttpRoute {
  name: string;
  match: { headers?: Record<string, { exact: string }>; uri?: { exact?: string; prefix?: string } }[];
  route?: { destination: { host: string; port: { number: number } } }[];
  retries?: { attempts: number; retryOn: string };
  timeout?: string;
  directResponse?: { status: number; body: { string: string } };
  headers?: { response: { set: Record<string, string> } };
}

export interface EnvoyFilterSpec extends Record<string, unknown> {
  configPatches: { applyTo: string; patch: { operation: string; value: Record<string, unknown> } }[];
}

/** Of the file format of a PluginConfig in Envoy's own words. */
export interface WasmFilterConfig extends Record<string, unknown> {
  vm_config: {
    vm_id: string;
    code: { remote: { http_uri: { uri: string }; sha256: string } };
    environment_variables: { host_env_keys: string[] };
  };
  configuration: { value: PluginConfig };
}

const folder = join(clone, 'envoy/istio');

/** Helm values, not a resource. */
const meshValues = 'mesh.yaml';

export const resourceFiles = readdirSync(folder).filter((file) => file.endsWith('.yaml') && file !== meshValues);

export function resourcesOf(file: string): Resource[] {
  return documentsIn(readFileSync(join(folder, file), 'utf8'));
}

export function documentsIn(text: string): Resource[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Resource);
}

/** The types of the resources that tests look into. */
interface Specs {
  WasmPlugin: WasmPluginSpec;
  Gateway: GatewaySpec;
  VirtualService: VirtualServiceSpec;
  EnvoyFilter: EnvoyFilterSpec;
  Telemetry: Record<string, unknown>;
}

/** The `spec` of one resource. @throws where the file has none of that name */
export function specOf<Kind extends keyof Specs>(file: string, kind: Kind, name: string): Specs[Kind] {
  const found = resourcesOf(file).find((resource) => resource.kind === kind && resource.metadata.name === name);
  if (found === undefined) throw new Error(`${file} has no ${kind} ${name}`);
  return found.spec as Specs[Kind];
}

/** The mesh configuration that the Helm values carry. */
export function meshConfig(): Record<string, unknown> {
  return (parse(readFileSync(join(folder, meshValues), 'utf8')) as { meshConfig: Record<string, unknown> }).meshConfig;
}

/** The filter of host mode `hold` as Envoy gets it. */
export function heldFilter(spec: EnvoyFilterSpec): WasmFilterConfig {
  const patch = spec.configPatches.find(({ applyTo }) => applyTo === 'EXTENSION_CONFIG');
  const value = patch?.patch.value as { typed_config: { config: WasmFilterConfig } } | undefined;
  if (value === undefined) throw new Error('no EXTENSION_CONFIG');
  return value.typed_config.config;
}
