import { isIP } from 'node:net';
import type { Node } from '../../../envoy/yaml/node.ts';
import { type LeftOuts, placeOf } from '../left-out.ts';
import type { Resource } from '../resources.ts';

/** A registry of a McpBridge that names where a service is. */
export interface Registry {
  readonly node: Node;
  /** `https://api.example.com`; what has several addresses is reached by the first. */
  readonly origin: string;
}

/** Registries of discovery that the plugin server follows itself. */
const nacos = /^nacos3?$/;

/** Registries by the names that routes use: `weather.dns`, `files.static`. */
export function registriesOf(bridges: readonly Resource[], leftOut: LeftOuts): Map<string, Registry> {
  const found = new Map<string, Registry>();
  for (const { node } of bridges) {
    for (const registry of node.get('spec', 'registries').items) {
      const type = registry.get('type').text ?? '';
      const name = registry.get('name').text ?? '';
      const origin = originOf(registry, type, leftOut);
      if (origin !== undefined) found.set(`${name}.${type}`, { node: registry, origin });
    }
    for (const proxy of node.get('spec', 'proxies').items) {
      leftOut.at(proxy, 'a proxy on the way to a server is not used here: it belongs to the cluster in Envoy');
    }
  }
  return found;
}

function originOf(registry: Node, type: string, leftOut: LeftOuts): string | undefined {
  const domain = registry.get('domain').text ?? '';
  const port = registry.get('port').amount;
  if (nacos.test(type)) {
    const id = registry.get('nacosNamespaceId').text ?? '';
    const named = id === '' || id === 'public' ? '' : ` --nacos-namespace NAME=${id}`;
    const advice = `sluice serve --nacos http://${domain}:${port ?? 8848}${named}`;
    leftOut.at(registry, `what is registered there is followed, and not copied: ${advice}`);
    return undefined;
  }
  if (type !== 'static' && type !== 'dns') {
    leftOut.at(registry, `a registry of type ${type === '' ? '(none)' : type} is not read`);
    return undefined;
  }
  const [first = '', ...others] = domain
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const address = type === 'static' || port === undefined ? first : `${bracketed(first)}:${port}`;
  const protocol = (registry.get('protocol').text ?? 'http').toLowerCase();
  const isTls = protocol === 'https' || (protocol === 'http' && port === 443 && registry.get('sni').isThere);
  const origin = `${isTls ? 'https' : 'http'}://${address}`;
  if (first === '' || !URL.canParse(origin)) {
    leftOut.at(registry.get('domain'), `does not say where the service is: ${registry.get('domain').shown}`);
    return undefined;
  }
  if (others.length > 0) {
    const advice = 'a catalog takes all of them as endpoints';
    leftOut.at(registry.get('domain'), `of ${others.length + 1} addresses the first is taken; ${advice}`);
  }
  if (!['http', 'https', 'http2', 'grpc'].includes(protocol)) {
    leftOut.at(registry.get('protocol'), `${protocol} is not spoken here; HTTP is tried`);
  }
  return origin;
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** Registries that no server of the files leads to. */
export function leaveOutUnused(
  registries: ReadonlyMap<string, Registry>,
  used: ReadonlySet<string>,
  leftOut: LeftOuts,
): void {
  for (const [name, { node }] of registries) {
    if (used.has(name)) continue;
    leftOut.add(placeOf(node), `no server of these files is at ${name}`);
  }
}
