import { isIP } from 'node:net';
import { didYouMean } from '../../common/nearest.ts';
import { type Finding, byPlace, findingOf, reportInto } from '../../envoy/check/finding.ts';
import { readDocument } from '../../envoy/yaml/document.ts';
import { Node } from '../../envoy/yaml/node.ts';
import { parsePath } from '../../envoy/yaml/place.ts';
import type { Endpoint } from '../../envoy/render/upstream.ts';
import { type Catalog, type CatalogServer, type CatalogVirtualServer, inOrder } from './catalog.ts';
import { secretsIn } from './secrets.ts';
import { serversOf } from './servers.ts';

/** What is read of a catalog, and everything that is wrong with it but for a module's own judgement. */
export interface ReadCatalog {
  /** Absent where something is wrong. */
  readonly catalog?: Catalog;
  readonly problems: readonly Finding[];
}

/** A part of the path `/catalog/<namespace>`, and of the names of virtual servers. */
const namespacePattern = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;

export function isNamespace(text: string): boolean {
  return namespacePattern.test(text);
}

/** For a sentence that says what a namespace is. */
export const aNamespace = 'a-z, 0-9 and inner dashes and dots, at most 63 characters';

const catalogMembers = ['servers', 'virtualServers'];
/** What a catalog may say of a server. Credentials, limits and what is cached are the gateway's to say. */
const serverMembers = [
  'name',
  'url',
  'cluster',
  'authority',
  'path',
  'endpoints',
  'service',
  'tls',
  'prefix',
  'protocol',
  'rest',
  'tools',
  'prompts',
  'resources',
  'events',
  'ownedUris',
  'stickyCookie',
];
const virtualServerMembers = ['name', 'tools', 'prompts', 'events'];
const endpointMembers = ['address', 'port', 'weight'];

const mostServers = 2_000;
const mostEndpoints = 1_000;
const mostWeight = 10_000;

/** A host of a URL or a name in DNS; also what a container's network calls a service. */
const hostPattern =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/;

type Wrong = (node: Node, message: string) => void;

/**
 * Reads a catalog, YAML or JSON. Never throws for what is in it.
 * @param namespace that its virtual servers have to be in
 * @param file for messages
 * @param otherPrefixes of servers that the same catalog has in other files
 */
export function readCatalog(
  namespace: string,
  file: string,
  bytes: Uint8Array,
  otherPrefixes: readonly string[] = [],
): ReadCatalog {
  const problems: Finding[] = [];
  const report = reportInto(problems);
  const wrong: Wrong = (node, message) => {
    report('plugin', node, message);
  };
  const { document, flaws } = readDocument(file, bytes);
  problems.push(...flaws.map((flaw) => findingOf(file, flaw)));
  if (document === undefined) {
    if (flaws.length > 0) return { problems };
    return { catalog: { servers: [], virtualServers: [] }, problems }; // an empty file
  }
  const catalog = readRoot(document.root, { namespace, otherPrefixes }, wrong);
  problems.sort(byPlace);
  return problems.some(({ severity }) => severity === 'error') ? { problems } : { catalog: inOrder(catalog), problems };
}

interface Surroundings {
  readonly namespace: string;
  readonly otherPrefixes: readonly string[];
}

function readRoot(root: Node, { namespace, otherPrefixes }: Surroundings, wrong: Wrong): Catalog {
  if (!root.isObject) {
    wrong(root, 'expected an object with servers and virtualServers');
    return { servers: [], virtualServers: [] };
  }
  checkMembers(
    root,
    catalogMembers,
    wrong,
    'belongs into the file of the gateway: a catalog has servers and virtualServers',
  );
  const entries = listOf(root.get('servers'), wrong);
  if (entries.length > mostServers) wrong(root.get('servers'), `has more than ${mostServers} servers`);
  const servers = entries.slice(0, mostServers).map((entry) => readServer(entry, wrong));
  const named = servers.filter((server) => server !== undefined);
  const { problems } = serversOf({ servers: servers.map((server) => server ?? unreadable) });
  for (const { path, message } of problems) {
    const at = new Node(undefined, parsePath(path, root.value), root.document);
    if (entries[Number(/\d+/.exec(path)?.[0])]?.isObject === true) wrong(at, message);
  }
  const prefixes = [...named.map(({ prefix }) => prefix), ...otherPrefixes];
  const virtualServers = listOf(root.get('virtualServers'), wrong)
    .map((entry) => readVirtualServer(entry, namespace, prefixes, wrong))
    .filter((each) => each !== undefined);
  return { servers: named, virtualServers };
}

const unreadable: CatalogServer = { name: 'unreadable', url: 'http://unreadable', prefix: 'unreadable_' };

function readServer(entry: Node, wrong: Wrong): CatalogServer | undefined {
  if (!entry.isObject) {
    wrong(entry, 'expected an object with name and url');
    return undefined;
  }
  const advice =
    'is not for a catalog to say: the file of the gateway says it for all servers of one in catalog.defaults';
  checkMembers(entry, serverMembers, wrong, advice);
  const name = entry.get('name').text ?? '';
  const prefix = entry.get('prefix');
  if (prefix.isThere && (prefix.text ?? '') === '') wrong(prefix, 'expected a text, and not an empty one');
  const [tls, path] = [entry.get('tls'), entry.get('path')];
  if (tls.isThere && typeof tls.value !== 'boolean') wrong(tls, `expected true or false, found ${tls.shown}`);
  if (path.isThere && !/^\/[\x21-\x7e]*$/.test(path.text ?? '')) wrong(path, `expected a path, found ${path.shown}`);
  const service = entry.get('service');
  if (service.isThere && service.text === undefined) wrong(service, `expected a text, found ${service.shown}`);
  const rest = entry.get('rest');
  for (const path of secretsIn(rest.value)) {
    const advice = 'a catalog holds no secret: write { env: NAME }, and set the variable for Envoy';
    wrong(new Node(undefined, [...rest.path, ...path], rest.document), advice);
  }
  const passes = rest.get('passthroughAuthHeader');
  if (passes.isThere && passes.value !== false) {
    wrong(passes, 'is not for a catalog to say: the file of the gateway says it in catalog.defaults.credentials');
  }
  const endpoints = entry.get('endpoints');
  if (endpoints.isThere && entry.get('cluster').isThere) wrong(endpoints, 'endpoints and cluster exclude each other');
  return {
    ...(entry.value as Readonly<Record<string, unknown>>),
    name,
    prefix: prefix.text ?? `${name}_`,
    ...(endpoints.isThere && { endpoints: readEndpoints(endpoints, wrong) }),
  };
}

function readEndpoints(node: Node, wrong: Wrong): Endpoint[] {
  const entries = listOf(node, wrong);
  if (entries.length > mostEndpoints) wrong(node, `has more than ${mostEndpoints} endpoints`);
  return entries.slice(0, mostEndpoints).map((entry) => {
    checkMembers(entry, endpointMembers, wrong);
    const [address, port, weight] = [entry.get('address'), entry.get('port'), entry.get('weight')];
    if (!isHost(address.text ?? '')) wrong(address, `expected an address or a name, found ${address.shown}`);
    if (!isWithin(port.number, 65_535)) wrong(port, `expected a port, found ${port.shown}`);
    if (weight.isThere && !isWithin(weight.number, mostWeight)) {
      wrong(weight, `expected a whole number up to ${mostWeight}, found ${weight.shown}`);
    }
    return {
      address: address.text ?? '',
      port: port.number ?? 0,
      ...(weight.isThere && { weight: weight.number ?? 1 }),
    };
  });
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || hostPattern.test(text);
}

function isWithin(value: number | undefined, most: number): boolean {
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= most;
}

function readVirtualServer(
  entry: Node,
  namespace: string,
  prefixes: readonly string[],
  wrong: Wrong,
): CatalogVirtualServer | undefined {
  if (!entry.isObject) {
    wrong(entry, 'expected an object with name and tools');
    return undefined;
  }
  checkMembers(entry, virtualServerMembers, wrong);
  const name = entry.get('name');
  const [, inner] = name.text?.startsWith(`${namespace}/`) === true ? name.text.split('/', 2) : [];
  if (inner === undefined || !isNamespace(inner) || name.text !== `${namespace}/${inner}`) {
    wrong(name, `expected ${namespace}/<name>, the name made of ${aNamespace}; found ${name.shown}`);
  }
  const tools = entry.get('tools');
  if (!tools.isThere) wrong(tools, 'is missing');
  const [prompts, events] = [entry.get('prompts'), entry.get('events')];
  const patterns = (list: Node): string[] => listOf(list, wrong).map((item) => readPattern(item, prefixes, wrong));
  return {
    name: name.text ?? '',
    tools: patterns(tools),
    ...(prompts.isThere && { prompts: patterns(prompts) }),
    ...(events.isThere && { events: patterns(events) }),
  };
}

/** A pattern of another prefix would show what the gateway has beside the catalog. */
function readPattern(item: Node, prefixes: readonly string[], wrong: Wrong): string {
  const { text = '' } = item;
  if (text !== '*' && !prefixes.some((prefix) => text.startsWith(prefix))) {
    wrong(item, `${item.shown} begins with the prefix of no server of this catalog${didYouMean(text, prefixes)}`);
  }
  return text;
}

function listOf(node: Node, wrong: Wrong): Node[] {
  if (!node.isThere) return [];
  if (Array.isArray(node.value)) return node.items;
  wrong(node, `expected a list, found ${node.shown}`);
  return [];
}

function checkMembers(node: Node, known: readonly string[], wrong: Wrong, otherwise = 'is not a member here'): void {
  for (const [member, value] of node.entries) {
    if (known.includes(member)) continue;
    wrong(value, `${otherwise}${didYouMean(member, known)}`);
  }
}
