import type { Node } from '../../../envoy/yaml/node.ts';
import type { ServerEntry } from '../configuration.ts';
import { type LeftOuts, placeOf } from '../left-out.ts';
import { serverNameFrom, type Variables, unique } from '../names.ts';
import type { Resource } from '../resources.ts';
import type { Target } from './routes.ts';

/** A server, and what its tools were called with. */
export interface Registered {
  readonly entry: ServerEntry;
  readonly place: string;
}

/** What is known of a registration before its servers have names. */
export interface Surroundings {
  readonly target: (registration: Resource) => Target | undefined;
  readonly taken: Set<string>;
  /** Whether another one is registered as well: an empty prefix is for one alone. */
  readonly isAlone: boolean;
  /** Whether another namespace has one of the same name. */
  readonly isShared: (name: string) => boolean;
  readonly variables: Variables;
  readonly leftOut: LeftOuts;
}

/** Members that nothing has to be said of. */
const members = [
  'targetRef',
  'prefix',
  'toolPrefix',
  'path',
  'credentialRef',
  'state',
  'userSpecificList',
  'caCertSecretRef',
  'tokenURLElicitation',
  'category',
  'hint',
  'tags',
];

const advice: Readonly<Record<string, string>> = {
  caCertSecretRef: 'the CA of a server belongs to its cluster in Envoy (tls_context)',
  tokenURLElicitation: "a token for each user is the client's to get here: credentials: { type: passthrough }",
  category: 'tools are found by what they say of themselves here',
  hint: 'tools are found by what they say of themselves here',
  tags: 'tools are found by what they say of themselves here',
};

/** A server as it is here; undefined, and noted, where it is off or nothing says where it is. */
export function serverOf(registration: Resource, around: Surroundings): Registered | undefined {
  const { node, namespace, name: own } = registration;
  const { leftOut } = around;
  const spec = node.get('spec');
  if (spec.get('state').text === 'Disabled') {
    leftOut.at(spec.get('state'), 'it is off, and left out');
    return undefined;
  }
  const target = around.target(registration);
  if (target === undefined) return undefined;
  for (const [member, value] of spec.entries) {
    const why = advice[member] ?? (members.includes(member) ? undefined : 'is not known here');
    if (why !== undefined) leftOut.at(value, why);
  }
  const name = unique(serverNameFrom(around.isShared(own) ? `${namespace}-${own}` : own), around.taken);
  const entry: ServerEntry = {
    name,
    url: target.origin + pathOf(spec.get('path'), leftOut),
    ...(target.authority !== undefined && { authority: target.authority }),
    prefix: prefixOf(spec, name, around),
    ...(target.callTimeout !== undefined && { callTimeout: target.callTimeout }),
    ...credentialsOf(spec, namespace, around),
  };
  return { entry, place: placeOf(node) };
}

function pathOf(path: Node, leftOut: LeftOuts): string {
  const text = path.text ?? '/mcp';
  if (/^\/[\x21-\x7e]*$/.test(text)) return text;
  leftOut.at(path, `is no path, /mcp is taken: ${path.shown}`);
  return '/mcp';
}

function prefixOf(spec: Node, name: string, { isAlone, leftOut }: Surroundings): string {
  const prefix = spec.get('prefix').text ?? spec.get('toolPrefix').text ?? '';
  if (prefix !== '' || isAlone) return prefix;
  leftOut.at(spec, `has no prefix, which is for a server alone here: its tools are ${name}_… from now on`);
  return `${name}_`;
}

/** The secret is a whole value of `authorization`, as it is there. */
function credentialsOf(spec: Node, namespace: string, { variables, leftOut }: Surroundings): object {
  const reference = spec.get('credentialRef');
  if (spec.get('userSpecificList').text === 'Enabled') {
    if (reference.isThere) leftOut.at(reference, "the lists of a user need that user's token, which passes instead");
    return { credentials: { type: 'passthrough', headers: ['authorization'] } };
  }
  const secret = reference.get('name').text;
  if (secret === undefined) {
    const why =
      "clients' own authorization ends here: if the server needs it, credentials: { type: passthrough, headers: [authorization] }";
    leftOut.at(spec, why);
    return {};
  }
  const key = reference.get('key').text ?? 'token';
  const env = variables.of(JSON.stringify([namespace, secret, key]), secret, key);
  leftOut.at(reference, `is a secret, which stays out: set ${env} to its ${key} where Envoy runs`);
  return { credentials: { type: 'header', header: 'authorization', env } };
}
