import type { Node } from '../../../envoy/yaml/node.ts';
import type { Migration, ServerEntry, VirtualServerEntry } from '../configuration.ts';
import { LeftOuts, placeOf } from '../left-out.ts';
import { type Resource, readResources } from '../resources.ts';
import { Variables } from '../names.ts';
import { serverOf } from './registrations.ts';
import { type Target, externalNamesOf, targetOf } from './routes.ts';

/** Its groups, from before and after the project moved. */
const groups = ['mcp.kuadrant.io', 'mcp.kagenti.com'];
/** Each kind and the name that it had before. */
const registrations = ['MCPServerRegistration', 'MCPServer'];

/**
 * Reads resources of Kuadrant's MCP gateway: registrations of servers, virtual servers, and the HTTPRoutes and Services
 * that say where servers are.
 * @throws CommandError where a file cannot be read
 */
export function fromKuadrant(files: readonly string[]): Migration {
  const { resources, others } = readResources(files);
  const leftOut = new LeftOuts();
  for (const node of others) leftOut.at(node, 'is no resource of Kubernetes');
  const ours = (...kinds: string[]): Resource[] =>
    resources.filter(({ kind, group }) => kinds.includes(kind) && groups.includes(group));
  const ofKind = (wanted: string): Resource[] => resources.filter(({ kind }) => kind === wanted);
  const servers = ours(...registrations);
  const routes = ofKind('HTTPRoute');
  const external = externalNamesOf(ofKind('Service'));
  const isOn = ({ node }: Resource): boolean => node.get('spec', 'state').text !== 'Disabled';
  const target = (registration: Resource): Target | undefined => {
    const reference = registration.node.get('spec', 'targetRef');
    const name = reference.get('name').text;
    // A namespace of the reference is not looked at there either.
    const route = routes.find((each) => each.name === name && each.namespace === registration.namespace);
    if (route === undefined) leftOut.at(reference, `the HTTPRoute ${name ?? ''} is not in these files`);
    return route && targetOf(route, external, leftOut);
  };
  const around = {
    target,
    taken: new Set<string>(),
    variables: new Variables(),
    isAlone: servers.filter(isOn).length === 1,
    isShared: (name: string) => servers.filter((each) => each.name === name).length > 1,
    leftOut,
  };
  const registered = servers.flatMap((each) => serverOf(each, around) ?? []);
  const extensions = ours('MCPGatewayExtension');
  const hosts = extensions.flatMap(({ node }) => node.get('spec', 'publicHost').text ?? []);
  const bodies = extensions.flatMap(({ node }) => node.get('spec', 'maxBodyBytes').amount ?? []);
  for (const { node } of extensions) sayOfExtension(node.get('spec').entries, leftOut);
  for (const { kind, name, node, group } of resources) {
    const isRead = kind === 'HTTPRoute' || kind === 'Service' || groups.includes(group);
    if (!isRead) leftOut.at(node, `${kind} ${name} is not read`);
  }
  const virtualServers = ours('MCPVirtualServer');
  const origins = new Map([
    ...registered.map(({ place }, index) => [`servers[${index}]`, place] as const),
    ...virtualServers.map(({ node }, index) => [`virtualServers[${index}]`, placeOf(node)] as const),
  ]);
  const entries = registered.map(({ entry }): ServerEntry => entry);
  const configuration = {
    ...(hosts.length > 0 && { hosts: [...new Set(hosts)] }),
    ...(bodies.length > 0 && { limits: { requestBody: Math.max(...bodies) } }),
    servers: entries,
    virtualServers: virtualServers.map((each) => virtualServerOf(each, entries, leftOut)),
  };
  return { configuration, origins, leftOut };
}

/** It narrowed tools and prompts, and never resources. */
function virtualServerOf(
  { node, namespace, name }: Resource,
  servers: readonly ServerEntry[],
  leftOut: LeftOuts,
): VirtualServerEntry {
  const spec = node.get('spec');
  const texts = (member: string): string[] => spec.get(member).items.flatMap(({ text }) => text ?? []);
  if (spec.get('description').isThere) leftOut.at(spec.get('description'), 'a virtual server has no description here');
  for (const tool of spec.get('tools').items) {
    const isKnown = servers.some(({ prefix }) => tool.text?.startsWith(String(prefix)) === true);
    if (!isKnown) leftOut.at(tool, `no server that was read has a prefix of ${tool.shown}`);
  }
  return {
    name: `${namespace}/${name}`,
    tools: texts('tools'),
    prompts: spec.get('prompts').isThere ? texts('prompts') : ['*'],
    resources: ['*'],
  };
}

const extensionAdvice: Readonly<Record<string, string>> = {
  oauthProtectedResource: 'see auth: { resource, authorizationServers, issuers }',
  trustedHeadersKey: 'see authorization: rules go by the claims of the token itself',
  sessionStore: 'nothing is kept outside of Envoy here: sessions are in their ids',
  urlElicitation: 'a token for each user is the client to get here',
  caCertBundleRef: 'the CA of a server belongs to its cluster in Envoy (tls_context)',
  logLevel: 'see log',
};

function sayOfExtension(entries: readonly [string, Node][], leftOut: LeftOuts): void {
  for (const [member, node] of entries) {
    const why = extensionAdvice[member];
    if (why !== undefined) leftOut.at(node, why);
  }
}
