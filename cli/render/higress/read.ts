import type { Node } from '../../../envoy/yaml/node.ts';
import type { Migration, ServerEntry, VirtualServerEntry } from '../configuration.ts';
import { LeftOuts, placeOf } from '../left-out.ts';
import { Variables, serverNameFrom } from '../names.ts';
import { type Resource, readResources } from '../resources.ts';
import { leaveOutConfigMaps } from './config-map.ts';
import { type PluginConfig, configsIn, configsOf } from './plugins.ts';
import { type Registry, leaveOutUnused, registriesOf } from './registries.ts';
import { type ReadServer, serversOf } from './servers.ts';

/** The namespace of virtual servers: each server has a path of its own, as in Higress. */
const namespace = 'higress';

/** The annotation of an Ingress that names a service of a McpBridge: `weather.dns:443`. */
const destination = 'higress.io/destination';

/**
 * Reads resources of Higress: McpBridge, WasmPlugin with a configuration of `mcp-server`, the ConfigMap `higress-config`,
 * and Ingresses for where their routes lead; and configurations of the plugin as files of their own.
 * @throws CommandError where a file cannot be read
 */
export function fromHigress(files: readonly string[]): Migration {
  const { resources, others } = readResources(files);
  const leftOut = new LeftOuts();
  const ofKind = (...kinds: string[]): Resource[] => resources.filter(({ kind }) => kinds.includes(kind));
  const registries = registriesOf(ofKind('McpBridge'), leftOut);
  const routes = routesOf(ofKind('Ingress'));
  const configs = [...others.flatMap((root) => configsIn(root, leftOut)), ...configsOf(ofKind('WasmPlugin'), leftOut)];
  for (const root of others) {
    if (configsIn(root, leftOut).length === 0)
      leftOut.at(root, 'is neither a resource nor a configuration of mcp-server');
  }
  for (const { kind, name, node } of resources) {
    if (!known.includes(kind)) leftOut.at(node, `${kind} ${name} is not read`);
  }
  const names = { servers: new Set<string>(), variables: new Variables() };
  const used = new Set<string>();
  const read: { said: string; servers: readonly ReadServer[] }[] = [];
  for (const each of configs.filter(({ config }) => config.get('server').isObject)) {
    const origin = originFor(each, { registries, routes, used });
    const servers = serversOf(each.config, origin, names, leftOut);
    if (servers.length > 0) read.push({ said: each.config.get('server', 'name').text ?? '', servers });
  }
  leaveOutConfigMaps(ofKind('ConfigMap'), `/mcp/${namespace}`, leftOut);
  leaveOutUnused(registries, used, leftOut);
  return migrationOf(read, configs, leftOut);
}

const known = ['McpBridge', 'WasmPlugin', 'ConfigMap', 'Ingress'];

function migrationOf(
  read: readonly { said: string; servers: readonly ReadServer[] }[],
  configs: readonly PluginConfig[],
  leftOut: LeftOuts,
): Migration {
  const all = read.flatMap(({ servers }) => servers);
  // Alone it keeps the names of its tools.
  const servers = all.map(({ entry }): ServerEntry => (all.length === 1 ? { ...entry, prefix: '' } : entry));
  const origins = new Map<string, string>();
  for (const [index, { place, toolPlaces }] of all.entries()) {
    origins.set(`servers[${index}]`, place);
    for (const [tool, at] of toolPlaces.entries()) origins.set(`servers[${index}].rest.tools[${tool}]`, at);
  }
  const prefixOf = (name: string): string => (all.length === 1 ? '' : `${name}_`);
  const virtualServers: VirtualServerEntry[] = [];
  const names = new Set<string>();
  const add = (said: string, tools: readonly string[], place: string, hasPrompts: boolean): void => {
    const name = `${namespace}/${serverNameFrom(said)}`;
    if (names.has(name)) {
      leftOut.add(place, `another one is at /mcp/${name}`);
      return;
    }
    names.add(name);
    origins.set(`virtualServers[${virtualServers.length}]`, place);
    virtualServers.push({ name, tools, ...(hasPrompts && { prompts: tools }) });
  };
  for (const { said, servers: own } of read) {
    const patterns = own.map(({ entry }) => `${prefixOf(entry.name)}*`);
    add(said, patterns, own[0]?.place ?? '', own.some(isMcp));
  }
  for (const { config } of configs.filter((each) => each.config.get('toolSet').isObject)) {
    const set = config.get('toolSet');
    const tools = set.get('serverTools').items.flatMap((entry) => patternsOf(entry, read, prefixOf, leftOut));
    if (tools.length > 0) add(set.get('name').text ?? 'tools', tools, placeOf(set), false);
  }
  return { configuration: { servers, virtualServers }, origins, leftOut };
}

function isMcp({ entry }: ReadServer): boolean {
  return entry['rest'] === undefined;
}

/** What a tool set takes of one server, as patterns of names here. */
function patternsOf(
  entry: Node,
  read: readonly { said: string; servers: readonly ReadServer[] }[],
  prefixOf: (name: string) => string,
  leftOut: LeftOuts,
): string[] {
  const name = entry.get('serverName').text ?? '';
  const servers = read.find(({ said }) => said === name)?.servers;
  if (servers === undefined) {
    leftOut.at(entry, `${name === '' ? 'a server without a name' : name} is not among the servers that were read`);
    return [];
  }
  const wanted = entry.get('tools').items.flatMap(({ text }) => text ?? []);
  return servers.flatMap(({ entry: { name, rest } }) => {
    if (wanted.length === 0) return [`${prefixOf(name)}*`];
    const own = (rest as { tools?: readonly { name?: unknown }[] } | undefined)?.tools?.map((tool) => tool.name);
    return wanted.filter((tool) => own?.includes(tool) ?? true).map((tool) => prefixOf(name) + tool);
  });
}

interface Routes {
  readonly registries: ReadonlyMap<string, Registry>;
  /** The service that an Ingress leads to, by its name with and without namespace. */
  readonly routes: ReadonlyMap<string, string>;
  readonly used: Set<string>;
}

function originFor(
  { config, services, ingresses }: PluginConfig,
  { registries, routes, used }: Routes,
): string | undefined {
  const wanted = [...services, ...ingresses.flatMap((name) => routes.get(name) ?? [])];
  const found = wanted.map(withoutPort).find((name) => registries.has(name));
  for (const [name, { origin }] of registries) {
    const urls = config.get('tools').items.map((tool) => tool.get('requestTemplate', 'url').text ?? '');
    const all = [...urls, config.get('server', 'mcpServerURL').text ?? ''];
    if (all.some((url) => url.startsWith(origin) || hostOf(url) === hostOf(origin))) used.add(name);
  }
  if (found === undefined) return undefined;
  used.add(found);
  return registries.get(found)?.origin;
}

function hostOf(url: string): string | undefined {
  return /^https?:\/\/([^/:?#{}]+)/i.exec(url)?.[1]?.toLowerCase();
}

function routesOf(ingresses: readonly Resource[]): Map<string, string> {
  const routes = new Map<string, string>();
  for (const { name, namespace: own, node } of ingresses) {
    // Weights stand before the services, and a version behind one: `100% weather.dns:443 v1`.
    const [service] =
      /[^\s%]+\.(?:dns|static)(?::\d+)?/.exec(node.get('metadata', 'annotations', destination).text ?? '') ?? [];
    if (service === undefined) continue;
    routes.set(name, service);
    routes.set(`${own}/${name}`, service);
  }
  return routes;
}

function withoutPort(service: string): string {
  return service.replace(/:\d+$/, '');
}
