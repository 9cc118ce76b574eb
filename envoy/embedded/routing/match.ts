import type { RouteConfiguration, VirtualHost } from '../config/model.ts';
import type { HeaderMatch, Route, RouteMatch } from '../config/route.ts';
import type { HeaderMap } from '../header-map.ts';

/** The first route that fits, of the virtual host that fits best. (envoy: router/config_impl.cc) */
export function findRoute(
  { virtualHosts }: RouteConfiguration,
  headers: HeaderMap,
): { readonly route: Route; readonly virtualHost: string } | undefined {
  const host = findVirtualHost(virtualHosts, (headers.get(':authority') ?? '').toLowerCase());
  const route = host?.routes.find(({ match }) => matches(match, headers));
  return host === undefined || route === undefined ? undefined : { route, virtualHost: host.name };
}

/**
 * Whole names before `*.suffix`, those before `prefix.*`, those before `*`; of two wildcards the longer one.
 * @param authority in lower case
 */
export function findVirtualHost<Host extends Pick<VirtualHost, 'domains'>>(
  hosts: readonly Host[],
  authority: string,
): Host | undefined {
  let best: Host | undefined;
  let bestRank = -1;
  for (const host of hosts) {
    for (const domain of host.domains) {
      const rank = rankOf(domain.toLowerCase(), authority);
      if (rank <= bestRank) continue;
      best = host;
      bestRank = rank;
    }
  }
  return best;
}

const longestName = 1 << 20;

function rankOf(domain: string, authority: string): number {
  if (domain === authority) return 3 * longestName;
  if (domain === '*') return 0;
  if (domain.startsWith('*')) {
    const suffix = domain.slice(1);
    return authority.length > suffix.length && authority.endsWith(suffix) ? 2 * longestName + suffix.length : -1;
  }
  if (!domain.endsWith('*')) return -1;
  const prefix = domain.slice(0, -1);
  return authority.length > prefix.length && authority.startsWith(prefix) ? longestName + prefix.length : -1;
}

function matches({ path, headers: conditions }: RouteMatch, headers: HeaderMap): boolean {
  if (!matchesPath(path, headers.get(':path') ?? '')) return false;
  for (const condition of conditions) if (!matchesHeader(condition, headers)) return false;
  return true;
}

function matchesPath({ kind, value }: RouteMatch['path'], target: string): boolean {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  if (kind === 'prefix') return path.startsWith(value);
  if (kind === 'safe_regex') return value.test(path);
  if (kind === 'path') return path === value;
  return path === value || path.startsWith(`${value}/`);
}

/** One of several values of a name has to fit, or, inverted, none. */
export function matchesHeader({ name, kind, value, invert }: HeaderMatch, headers: HeaderMap): boolean {
  return headers.getAll(name).some((found) => matchesValue(kind, value, found)) !== invert;
}

function matchesValue(kind: HeaderMatch['kind'], value: string, found: string): boolean {
  switch (kind) {
    case 'present':
      return true;
    case 'exact':
      return found === value;
    case 'prefix':
      return found.startsWith(value);
    case 'suffix':
      return found.endsWith(value);
    case 'contains':
      return found.includes(value);
  }
}
