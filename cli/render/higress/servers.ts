import type { Node } from '../../../envoy/yaml/node.ts';
import type { ServerEntry } from '../configuration.ts';
import { type LeftOuts, placeOf } from '../left-out.ts';
import { serverNameFrom, type Variables, unique } from '../names.ts';
import { withVariables } from '../secrets.ts';
import { toolOf } from './tools.ts';

/** A server as it is here, and where it and its tools were. */
export interface ReadServer {
  readonly entry: ServerEntry;
  readonly place: string;
  readonly toolPlaces: readonly string[];
}

/** The names that servers and credentials of one migration have so far. */
export interface Names {
  readonly servers: Set<string>;
  readonly variables: Variables;
}

/** Members that a server of REST has as they are. */
const restMembers = [
  'config',
  'securitySchemes',
  'defaultUpstreamSecurity',
  'defaultDownstreamSecurity',
  'passthroughAuthHeader',
];
const serverMembers = ['name', 'type', 'transport', 'mcpServerURL', 'timeout', ...restMembers];

/**
 * The servers that one configuration of the plugin makes: one, or where the tools of a REST server are at several services,
 * one for each of those.
 * @param origin where the route leads, for URLs that are a path alone
 */
export function serversOf(
  config: Node,
  origin: string | undefined,
  names: Names,
  leftOut: LeftOuts,
): readonly ReadServer[] {
  const server = config.get('server');
  for (const [member, node] of server.entries) {
    if (!serverMembers.includes(member)) leftOut.at(node, 'is not known here, and left out');
  }
  const type = server.get('type').text ?? 'rest';
  if (type === 'mcp-proxy') return proxyOf(config, origin, names, leftOut);
  if (type !== 'rest') {
    leftOut.at(server.get('type'), `a server of type ${type} is code of Higress, and is not there`);
    return [];
  }
  if (config.get('tools').items.length === 0) {
    leftOut.at(server, 'it has no tools: a server that is built into Higress is not there');
    return [];
  }
  return restServersOf(config, origin, names, leftOut);
}

/** A server of MCP behind the gateway: `type: mcp-proxy`. */
function proxyOf(config: Node, origin: string | undefined, names: Names, leftOut: LeftOuts): ReadServer[] {
  const server = config.get('server');
  const url = absolute(server.get('mcpServerURL').text ?? '', origin);
  if (url === undefined) {
    leftOut.at(
      server.get('mcpServerURL'),
      'does not say where the server is: name the McpBridge and the Ingress as well',
    );
    return [];
  }
  const name = unique(serverNameFrom(server.get('name').text ?? ''), names.servers);
  if (server.get('timeout').isThere) {
    leftOut.at(server.get('timeout'), 'is one for all servers here: limits.handshakeTimeout');
  }
  if (server.get('config').isThere) leftOut.at(server.get('config'), 'a server of MCP gets no config');
  for (const tool of config.get('tools').items) {
    const said = ['requestTemplate', 'security'].filter((member) => tool.get(member).isThere);
    const about =
      said.length > 0 ? 'a credential is one for all tools of a server of MCP here' : 'the server lists its tools';
    leftOut.at(tool, about);
  }
  const allowed = allowedIn(config);
  const entry = {
    name,
    url,
    ...(server.get('transport').text === 'sse' && { protocol: '2024-11-05' }),
    ...credentialsOf(name, server, names, leftOut),
    ...(allowed !== undefined && { tools: allowed.length === 0 ? { deny: ['*'] } : { allow: allowed } }),
  };
  return [{ entry, place: placeOf(server), toolPlaces: [] }];
}

/** The header that a server of MCP gets: its own, or that of the client. */
function credentialsOf(name: string, server: Node, names: Names, leftOut: LeftOuts): object {
  const used = server.get('defaultUpstreamSecurity');
  const passes =
    server.get('passthroughAuthHeader').isTrue || server.get('defaultDownstreamSecurity', 'passthrough').isTrue;
  if (!used.isThere) return passes ? { credentials: { type: 'passthrough', headers: ['authorization'] } } : {};
  const id = used.get('id').text;
  const scheme = server.get('securitySchemes').items.find((each) => each.get('id').text === id);
  const isHttp = scheme?.get('type').text === 'http';
  const header = isHttp ? 'authorization' : scheme?.get('in').text === 'header' ? scheme.get('name').text : undefined;
  if (scheme === undefined || header === undefined) {
    leftOut.at(used, 'a credential of a server of MCP is a header here');
    return {};
  }
  const env = names.variables.of(JSON.stringify(scheme.value), name, id ?? 'credential');
  const form = isHttp ? `"${scheme.get('scheme').text === 'basic' ? 'Basic' : 'Bearer'} …"` : 'the value';
  leftOut.at(scheme, `its credential is a secret: set ${env} to ${form} where Envoy runs`);
  return { credentials: { type: 'header', header: header.toLowerCase(), env } };
}

function restServersOf(config: Node, origin: string | undefined, names: Names, leftOut: LeftOuts): ReadServer[] {
  const server = config.get('server');
  const said = server.get('name').text ?? '';
  const byOrigin = new Map<string, Node[]>();
  // Tools that ask nobody go with the first that ask somebody.
  const answering: Node[] = [];
  for (const tool of config.get('tools').items) {
    const url = tool.get('requestTemplate', 'url').text ?? '';
    const at = url === '' ? undefined : originOf(url, origin);
    if (url === '') answering.push(tool);
    else if (at === undefined) {
      const advice = 'name the McpBridge and the Ingress of its route as well';
      leftOut.at(tool.get('requestTemplate', 'url'), `does not say where the service is: ${advice}`);
    } else byOrigin.set(at, [...(byOrigin.get(at) ?? []), tool]);
  }
  if (byOrigin.size === 0 && answering.length > 0) byOrigin.set(origin ?? nowhere, []);
  const [first] = byOrigin.keys();
  return [...byOrigin].map(([url, own]) => {
    const tools = url === first ? [...own, ...answering] : own;
    const name = unique(serverNameFrom(said), names.servers);
    if (url !== first) {
      leftOut.at(tools[0] ?? server, `a server is one service here: its tools at ${url} are those of ${name}`);
    }
    return restServer(config, { name, url, tools, variables: names.variables }, leftOut);
  });
}

/** Where nothing is asked for: tools that answer by themselves. */
const nowhere = 'http://127.0.0.1:9';

interface Wanted {
  readonly name: string;
  readonly url: string;
  readonly tools: readonly Node[];
  readonly variables: Variables;
}

function restServer(config: Node, { name, url, tools, variables: given }: Wanted, leftOut: LeftOuts): ReadServer {
  const server = config.get('server');
  const members = restMembers.map((member) => [member, server.get(member).value] as const);
  const allowed = allowedIn(config);
  const names = tools.map((tool) => tool.get('name').text ?? '');
  const from = {
    ...Object.fromEntries(members.filter(([, value]) => value !== undefined && value !== null)),
    tools: tools.map((tool) => toolOf(tool, leftOut)),
    ...(allowed !== undefined && { allowTools: allowed.filter((each) => names.includes(each)) }),
  };
  // One variable for a secret, however many servers it is taken apart into.
  const { rest, variables } = withVariables(serverNameFrom(server.get('name').text ?? ''), from, given);
  for (const { path, variable } of variables) {
    const [list, index, ...deeper] = path;
    const within = list === 'tools' ? tools[Number(index)] : server.get(String(list));
    const steps = (list === 'tools' ? deeper : path.slice(1)).filter((step) => step !== 'value');
    const at = steps.reduce((node: Node | undefined, step) => stepInto(node, step), within);
    const isText = at?.isObject !== true || list !== 'config';
    const shape = isText ? '' : '; a variable is one text, and templates that look into this object have to change';
    leftOut.at(at ?? server, `is a secret, which stays out: set ${variable} where Envoy runs${shape}`);
  }
  return { entry: { name, url, rest }, place: placeOf(server), toolPlaces: tools.map(placeOf) };
}

function stepInto(node: Node | undefined, step: string | number): Node | undefined {
  return typeof step === 'number' ? node?.items[step] : node?.get(step);
}

function allowedIn(config: Node): string[] | undefined {
  const allowed = config.get('allowTools');
  return Array.isArray(allowed.value) ? allowed.items.flatMap(({ text }) => text ?? []) : undefined;
}

const absoluteUrl = /^(https?:\/\/[^/?#{}]+)(?=[/?#]|$)/i;

function originOf(url: string, origin: string | undefined): string | undefined {
  return absoluteUrl.exec(url)?.[1] ?? (url.startsWith('/') ? origin : undefined);
}

function absolute(url: string, origin: string | undefined): string | undefined {
  if (absoluteUrl.test(url)) return url;
  return url.startsWith('/') && origin !== undefined ? origin + url : undefined;
}
