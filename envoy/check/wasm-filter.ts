import { isVersion } from '../../common/version.ts';
import { checkPlaceholder } from './advice.ts';
import { isShallow } from '../yaml/depth.ts';
import { didYouMean } from '../../common/nearest.ts';
import { type Report } from './finding.ts';
import { type Plugin, type SluiceFilter, isSluice } from './gateway.ts';
import { Node } from '../yaml/node.ts';

/** The name of an Any's type: `envoy.extensions.filters.http.wasm.v3.Wasm`. */
export function typeOf(any: Node): string {
  return (any.get('@type').text ?? '').split('/').pop() ?? '';
}

/** An Any's message; TypedStruct, which Istio's users like, has it one level deeper. */
export function messageOf(any: Node): { readonly type: string; readonly message: Node } {
  const type = typeOf(any);
  if (!type.endsWith('.TypedStruct')) return { type, message: any };
  return { type: (any.get('type_url').text ?? '').split('/').pop() ?? '', message: any.get('value') };
}

/** The PluginConfig of an HTTP filter that is a wasm filter. */
export function pluginConfigOf(typedConfig: Node): Node | undefined {
  const { type, message } = messageOf(typedConfig);
  return type === 'envoy.extensions.filters.http.wasm.v3.Wasm' ? message.get('config') : undefined;
}

/** The filter as one of Sluice's, or undefined. */
export function sluiceFilter(node: Node, config: Node): SluiceFilter | undefined {
  const plugin = pluginOf(config.get('configuration'));
  const rootId = config.get('root_id').text ?? '';
  const names = [node.get('name').text, config.get('name').text, rootId, config.get('vm_config', 'vm_id').text];
  const url = config.get('vm_config', 'code', 'remote', 'http_uri', 'uri').text;
  return isSluice({ names, url, plugin }) ? { node, config, rootId, plugin } : undefined;
}

/** The plugin configuration inside of an Any. */
function pluginOf(any: Node): Plugin | undefined {
  const value = any.get('value');
  if (typeOf(any) === 'google.protobuf.Struct' || value.isObject) {
    return value.isObject ? { root: value, text: JSON.stringify(value.value) } : undefined;
  }
  const text = typeOf(any) === 'google.protobuf.BytesValue' ? decoded(value.text) : value.text;
  return text === undefined ? undefined : { root: inside(value, text), text };
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString();
}

/** Members of JSON in a text; empty where it is none, which the module says. */
function inside(node: Node, text: string): Node {
  try {
    const value: unknown = JSON.parse(text);
    if (isShallow(value)) return new Node(value, node.path, node.document);
  } catch {
    // not JSON
  }
  return new Node({}, node.path, node.document);
}

/**
 * What is asked of one wasm filter by itself.
 * @param fetch who fetches remote code: Istio's agent tries again by itself
 */
export function checkWasmFilter(filter: SluiceFilter, report: Report, fetch: 'envoy' | 'agent' = 'envoy'): void {
  const { node, config, plugin } = filter;
  checkFailure(node, config, report);
  const variables = config.get('vm_config', 'environment_variables');
  const names = variables.get('host_env_keys').items.map(({ text = '' }) => text);
  const values = new Map(variables.get('key_values').entries);
  checkOnce([...variables.get('host_env_keys').items, ...variables.get('key_values').entries.map(nameOf)], report);
  checkEnvironment(plugin, { names: [...names, ...values.keys()], values }, report);
  checkRemote(config, fetch, report);
}

function checkFailure(node: Node, config: Node, report: Report): void {
  const policy = config.get('failure_policy');
  if (policy.text === 'FAIL_OPEN') report('fail-open', policy, 'lets requests pass without the filter where it fails');
  const open = config.get('fail_open');
  if (open.isTrue) report('fail-open', open, 'lets requests pass without the filter where it fails');
  for (const name of ['is_optional', 'disabled']) {
    const member = node.get(name);
    if (member.isTrue) report('fail-open', member, 'lets Envoy go without the filter');
  }
}

/** The name of a member as a value, at the member's place. */
function nameOf([name, { path, document }]: [string, Node]): Node {
  return new Node(name, path, document);
}

/** Envoy refuses a variable that is named twice, be it once in `host_env_keys` and once in `key_values`. */
export function checkOnce(names: readonly Node[], report: Report): void {
  const seen = new Set<string>();
  for (const node of names) {
    if (node.text === undefined) continue;
    if (seen.has(node.text)) report('environment', node, `${node.text} is named twice`);
    seen.add(node.text);
  }
}

/** Variables that reach the module: all names, and those whose values stand in the configuration. */
interface Variables {
  readonly names: readonly string[];
  readonly values: ReadonlyMap<string, Node>;
}

export function checkEnvironment(plugin: Plugin | undefined, { names, values }: Variables, report: Report): void {
  for (const variable of variablesOf(plugin)) {
    const name = variable.text ?? '';
    const value = values.get(name);
    if (!names.includes(name)) {
      const missing = `${name} is not among the variables that reach the module`;
      report('environment', variable, () => missing + didYouMean(name, names));
    } else if (value !== undefined) {
      report('environment', value, 'is a secret that everyone sees who reads /config_dump', { severity: 'warning' });
    }
  }
}

/** Every `env: NAME` of a plugin configuration, each name once. */
function variablesOf(plugin: Plugin | undefined): Node[] {
  const found = new Map<string, Node>();
  const visit = (node: Node): void => {
    if (Array.isArray(node.value)) node.items.forEach(visit);
    for (const [name, member] of node.entries) {
      if (name !== 'env' || member.text === undefined) visit(member);
      else if (!found.has(member.text)) found.set(member.text, member);
    }
  };
  if (plugin !== undefined) visit(plugin.root);
  return [...found.values()];
}

/** `…/plugins/sluice/0.1.0/plugin.wasm` */
const moduleUrl = /\/plugins\/[^/]+\/([^/]+)\/plugin\.wasm$/;

/** Envoy runs what comes with the answer itself: it follows no redirect and unpacks nothing. */
function checkUrl(uri: Node, report: Report): void {
  checkPlaceholder(uri, report);
  const text = (uri.text ?? '').replace(/[?#].*$/s, '');
  const [, segment] = moduleUrl.exec(text) ?? [];
  const version = segment === undefined ? undefined : decodedSegment(segment);
  if (version !== undefined && !isVersion(version)) {
    report(
      'module-url',
      uri,
      `${version} is no version: the plugin server redirects to one, and Envoy does not follow`,
    );
  } else if (uri.text?.startsWith('oci:') === true) {
    report('module-url', uri, 'is an OCI image, which Envoy cannot fetch');
  } else if (/\.(?:tar|tgz|gz|zip|zst|xz|bz2)$/i.test(text)) {
    report('module-url', uri, 'is packed, and Envoy does not unpack');
  }
}

function decodedSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function checkRemote(config: Node, fetch: 'envoy' | 'agent', report: Report): void {
  const vm = config.get('vm_config');
  const remote = vm.get('code', 'remote');
  if (!remote.isThere) return;
  const sha256 = remote.get('sha256');
  const id = vm.get('vm_id');
  if (sha256.text === undefined) report('digest', sha256, 'is missing, and Envoy asks for it');
  else if (!/^[0-9a-f]{64}$/.test(sha256.text)) report('digest', sha256, 'is not 64 lower-case hexadecimal digits');
  else if (!(id.text ?? '').includes(sha256.text.slice(0, 12))) {
    report('vm-id', id, id.isThere ? 'does not contain the sha256 of the module' : 'is missing');
  }
  if (fetch === 'agent') return;
  checkUrl(remote.get('http_uri', 'uri'), report);
  const retries = remote.get('retry_policy', 'num_retries');
  if ((retries.amount ?? 1) < 3) {
    const found = retries.isThere ? retries.shown : 'missing';
    report('fetch-retry', retries.isThere ? retries : remote, `retry_policy.num_retries is ${found}`);
  }
}
