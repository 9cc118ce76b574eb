import { pathText } from '../../../envoy/yaml/place.ts';
import { type Catalog, inOrder } from '../../../plugin-server/catalog/catalog.ts';
import { NacosClient } from '../../../plugin-server/nacos/client.ts';
import { parseCredentials } from '../../../plugin-server/nacos/credentials.ts';
import { NacosNamespace } from '../../../plugin-server/nacos/namespace.ts';
import { CommandError, exitCode } from '../../io.ts';
import { type NacosNamespaceName, credentialsIn } from '../../nacos.ts';
import { readSecret } from '../../secret.ts';
import { LeftOuts, type LeftOut } from '../left-out.ts';
import { Variables } from '../names.ts';
import { withVariables } from '../secrets.ts';

export interface NacosExport {
  readonly catalog: Catalog;
  readonly leftOut: readonly LeftOut[];
}

export interface NacosSource {
  /** Addresses of one cluster. */
  readonly addresses: readonly string[];
  readonly namespace: NacosNamespaceName;
  readonly credentialsFile: string | undefined;
}

/**
 * Reads a namespace of Nacos once, as the plugin server does every second.
 * @throws CommandError: environment where Nacos cannot be read, `found` where the namespace has nothing that can be served
 */
export async function fromNacos(
  { addresses, namespace, credentialsFile }: NacosSource,
  env: NodeJS.ProcessEnv,
): Promise<NacosExport> {
  const credentials =
    credentialsFile === undefined
      ? credentialsIn(env)
      : parseCredentials(await readSecret(credentialsFile), credentialsFile);
  const client = new NacosClient({ addresses, credentials: credentials && (() => credentials) });
  const leftOuts = new LeftOuts();
  const given = new Variables();
  const mirror = new NacosNamespace(namespace.name, namespace.id, client, (server, from) => {
    const { rest, variables } = withVariables(server, from, given);
    for (const { path, variable } of variables) {
      const advice = `set ${variable} where Envoy runs, and name it in catalog.env of the gateway`;
      leftOuts.add(`servers[${server}].rest.${pathText(path)}`, `is a secret, which stays out: ${advice}`);
    }
    return rest;
  });
  const { catalog, problems } = await mirror.look(undefined, new AbortController().signal).catch((error: unknown) => {
    const advice = `is it Nacos 3 that answers at ${addresses.join(', ')}, and may its user read the namespace?`;
    throw new CommandError(`the namespace ${namespace.id} cannot be read: ${(error as Error).message}; ${advice}`);
  });
  for (const { path, message } of problems) leftOuts.add(path, message);
  const leftOut = leftOuts.all;
  if (catalog.servers.length > 0) return { catalog: inOrder(catalog), leftOut };
  const details = leftOut.map(({ place, why }) => `${place}: ${why}`);
  throw new CommandError(`the namespace ${namespace.id} has no server that can be served`, exitCode.found, details);
}

/** The files of a directory of `sluice serve --catalogs`: one for each server, and one for virtual servers. */
export function filesOf({ servers, virtualServers }: Catalog): Map<string, object> {
  const files = new Map<string, object>();
  for (const server of servers) files.set(`${server.name}.yaml`, { servers: [server] });
  // A name of a server has no dot.
  if (virtualServers.length > 0) files.set('virtual.servers.yaml', { virtualServers });
  return files;
}
