import type { LocatedServer } from '../../envoy/render/servers.ts';
import { listOf, withCatalog } from './catalog-use.ts';
import type { DeliveredGateway } from './gateway.ts';
import { parseGatewayFile } from './gateway-file.ts';
import { sessionKeysOf } from './session-keys.ts';

/** One server of a gateway, as far as its configuration says it. */
interface ServerContents {
  readonly name: string;
  readonly kind: 'mcp' | 'rest';
  /** What the names of its tools begin with. */
  readonly prefix: string;
  /** Its URL without a query, or the cluster of the bootstrap that leads to it. */
  readonly at: string;
  /** The tools of a REST service, without the prefix. */
  readonly tools?: readonly string[];
}

/** What a gateway has in the version that is given out. No secret is in it: the configuration names those. */
export interface Contents {
  readonly endpoint: string;
  readonly hostMode: string;
  readonly catalogs: readonly string[];
  readonly servers: readonly ServerContents[];
  readonly virtualServers: readonly string[];
  /** Ids of the keys of sessions; none: each Envoy makes its own. */
  readonly sessions: { readonly keys: readonly number[]; readonly ttl: string };
}

/** @returns null where nothing is given out, or a release before this one kept what is not read any more */
export function contentsOf({ active }: DeliveredGateway): Contents | null {
  if (active === undefined) return null;
  const { text, catalog } = active.kept;
  const own = parseGatewayFile(text).configuration?.file;
  if (own === undefined) return null;
  const { plugin, servers } = withCatalog(own, catalog);
  const sessions = membersOf(plugin['sessions']);
  return {
    endpoint: textOr(plugin['endpoint'], '/mcp'),
    hostMode: textOr(plugin['hostMode'], 'hold'),
    catalogs: own.catalog?.namespaces ?? [],
    servers: servers.map(serverContents),
    virtualServers: namesIn(plugin['virtualServers']),
    sessions: {
      keys: sessionKeysOf(plugin).map(({ id }) => id),
      ttl: textOr(sessions['ttl'], '24h'),
    },
  };
}

function serverContents({ entry, upstream }: LocatedServer): ServerContents {
  const { name, rest, cluster } = entry;
  const tools = membersOf(rest)['tools'];
  const made = upstream && `${upstream.tls ? 'https' : 'http'}://${upstream.authority}`;
  const path = rest === undefined ? (upstream?.path.replace(/\?.*/s, '') ?? '') : '';
  return {
    name,
    kind: rest === undefined ? 'mcp' : 'rest',
    prefix: textOr(entry['prefix'], `${name}_`),
    at: made === undefined ? `cluster ${textOr(cluster, '')}` : `${made}${path}`,
    ...(rest !== undefined && { tools: namesIn(tools) }),
  };
}

function namesIn(value: unknown): string[] {
  return listOf(value).flatMap((each) => {
    const { name } = membersOf(each);
    return typeof name === 'string' ? [name] : [];
  });
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
