import { isIP } from 'node:net';
import type { Endpoint } from './upstream.ts';

/** A server of a catalog, as far as it says where it is: by its instances, where it has no URL. */
export interface WithInstances {
  readonly name: string;
  readonly url?: unknown;
  readonly endpoints?: readonly Endpoint[];
  readonly path?: string;
  readonly tls?: boolean;
  readonly [member: string]: unknown;
}

/** Members of a catalog's server that no module has. */
const instanceMembers = ['endpoints', 'service', 'tls'];

/** The server with a URL in the place of its instances. */
export function withUrl(server: WithInstances): object {
  const entry = Object.fromEntries(Object.entries(server).filter(([member]) => !instanceMembers.includes(member)));
  if (server.endpoints === undefined || server.url !== undefined) return entry;
  delete entry['path']; // it is in the URL
  return { ...entry, url: urlOf(server.endpoints, server) };
}

/**
 * Where a server is that has endpoints alone. What it is called towards them (`Host`) is the first of them in order, so that
 * any number of plugin servers say the same.
 */
function urlOf([first]: readonly Endpoint[], { name, path = '/mcp', tls = false }: WithInstances): string {
  const host = first === undefined ? name : isIP(first.address) === 6 ? `[${first.address}]` : first.address;
  const port = first === undefined ? '' : `:${first.port}`;
  return `${tls ? 'https' : 'http'}://${host}${port}${path}`;
}
