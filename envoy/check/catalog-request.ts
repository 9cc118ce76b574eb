import type { Node } from '../yaml/node.ts';
import type { CatalogRequest } from '../render/catalog-request.ts';
import { didYouMean } from '../../common/nearest.ts';

const members = ['namespace', 'clusters', 'addresses', 'env', 'defaults'];
/** Members for a gateway that asks for its catalog itself, and those that it is rendered with. */
const pollingMembers = ['token', 'interval', 'maxBytes'];
const renderedMembers = ['cluster', 'authority', 'clusterNames'];
/** Members of servers that are the gateway's to say. */
const defaultMembers = ['credentials', 'callTimeout', 'listCache'];
const namespacePattern = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const mostNamespaces = 100;

/**
 * Reads `catalog` of a gateway's file.
 * @param isDelivered the gateway is configured by live delivery, and asks for nothing
 * @param wrong takes a path and what is wrong there
 * @returns undefined where there is none
 */
export function readCatalogRequest(
  catalog: Node,
  wrong: (path: string, message: string) => void,
  isDelivered: boolean,
): CatalogRequest | undefined {
  if (!catalog.isThere) return undefined;
  if (!catalog.isObject) {
    wrong('catalog', 'expected an object like { namespace: public }');
    return undefined;
  }
  for (const [member] of catalog.entries) {
    if (members.includes(member) || (!isDelivered && pollingMembers.includes(member))) continue;
    const otherwise = 'is for a gateway that asks for its catalog itself: live delivery brings it';
    const isOfPolling = [...pollingMembers, ...renderedMembers].includes(member);
    wrong(
      `catalog.${member}`,
      isOfPolling ? otherwise : `is not a member of this section${didYouMean(member, members)}`,
    );
  }
  const namespace = catalog.get('namespace');
  const namespaces = namespace.items.map(({ text = '' }) => text);
  if (namespaces.length === 0 || namespaces.length > mostNamespaces || !namespaces.every(isNamespace)) {
    wrong('catalog.namespace', 'expected the name of a catalog, or a list of them: a-z, 0-9 and inner dashes and dots');
  }
  const defaults = catalog.get('defaults');
  if (defaults.isThere && !defaults.isObject) wrong('catalog.defaults', 'expected an object');
  for (const [member] of defaults.entries) {
    if (defaultMembers.includes(member)) continue;
    wrong(`catalog.defaults.${member}`, `is not for all servers to have${didYouMean(member, defaultMembers)}`);
  }
  const texts = (member: string): string[] => {
    const list = catalog.get(member);
    const isList = !list.isThere || (Array.isArray(list.value) && list.items.every(({ text }) => text !== undefined));
    if (!isList) wrong(`catalog.${member}`, 'expected a list of texts');
    return list.items.flatMap(({ text }) => text ?? []);
  };
  return {
    namespaces: [...new Set(namespaces)].sort(),
    qualified: Array.isArray(namespace.value),
    clusters: texts('clusters'),
    addresses: catalog.get('addresses').isThere ? texts('addresses') : undefined,
    env: texts('env'),
    defaults: defaults.isObject ? (defaults.value as Readonly<Record<string, unknown>>) : {},
    polling: Object.fromEntries(
      pollingMembers.flatMap((member) => (catalog.get(member).isThere ? [[member, catalog.get(member).value]] : [])),
    ),
  };
}

function isNamespace(text: string): boolean {
  return namespacePattern.test(text);
}
