import { findVirtualHost } from '../embedded/routing/match.ts';
import { checkAnyClosedRoute, checkClosedRoute, isClosed } from './closed-route.ts';
import { didYouMean } from '../../common/nearest.ts';
import { type Report } from './finding.ts';
import { type Plugin, type RouteTable, type ConfiguredServer, endpointOf, serversOf } from './gateway.ts';
import type { Node } from '../yaml/node.ts';
import { type Route, isDecided, routingCondition, routingHeader, trustedHeaders } from './route.ts';

/** What requests are routed by: endpoints to be closed, and servers to be reached. */
export interface Routed {
  /** Empty where they are not known here. */
  readonly endpoints: readonly string[];
  readonly servers: readonly ConfiguredServer[];
}

export function routedBy(...plugins: readonly (Plugin | undefined)[]): Routed {
  const known = plugins.filter((plugin) => plugin !== undefined);
  return { endpoints: [...new Set(known.map(endpointOf))], servers: known.flatMap(serversOf) };
}

/**
 * What is asked of the routes of a gateway, be they Envoy's or Istio's.
 * @param tables the virtual hosts of one listener
 * @param hostOf what a virtual host is looked up by for requests to a server
 */
export function checkRouting(
  tables: readonly RouteTable[],
  routed: Routed,
  report: Report,
  hostOf = ({ authority }: ConfiguredServer): string => authority,
): void {
  const { endpoints, servers } = routed;
  for (const table of tables) {
    if (endpoints.length === 0) checkAnyClosedRoute(table, report);
    for (const endpoint of endpoints) checkClosedRoute(table, endpoint, report);
    for (const route of table.routes) checkHeaders(route, report);
  }
  if (servers.length === 0) return;
  const clusters = clustersByServer(servers);
  for (const route of tables.flatMap((table) => table.routes)) checkServerName(route, clusters, report);
  const indexed = tables.map(({ domains, routes }) => ({ domains, index: new RouteIndex(routes) }));
  for (const server of servers) {
    const host = findVirtualHost(indexed, hostOf(server).toLowerCase());
    checkServerRoute(server, host?.index, report);
  }
}

function checkHeaders({ headers }: Route, report: Report): void {
  for (const { name, node } of headers) {
    if (!name.startsWith('x-mcp-') || (trustedHeaders as readonly string[]).includes(name)) continue;
    report('route-header', node, `matches on ${name}, which clients may send${didYouMean(name, trustedHeaders)}`);
  }
}

/** Several gateways may have servers of one name. */
function clustersByServer(servers: readonly ConfiguredServer[]): Map<string, (string | undefined)[]> {
  const clusters = new Map<string, (string | undefined)[]>();
  for (const { name = '', cluster } of servers) clusters.set(name, [...(clusters.get(name) ?? []), cluster.text]);
  return clusters;
}

function checkServerName(
  route: Route,
  clusters: ReadonlyMap<string, readonly (string | undefined)[]>,
  report: Report,
): void {
  const condition = routingCondition(route);
  if (condition?.exact === undefined) return;
  const name = condition.exact;
  const own = clusters.get(name);
  if (own === undefined) {
    const missing = `${name} is no server of the plugin configuration`;
    report('route-server', condition.node, () => missing + didYouMean(name, clusters.keys()));
    return;
  }
  for (const cluster of route.clusters) {
    if (own.includes(cluster.text) || own.includes(undefined)) continue;
    report(
      'route-cluster',
      cluster,
      `is ${cluster.shown}, but the cluster of ${name} is ${own.slice(0, 3).join(' or ')}`,
    );
  }
}

/** The module writes the server's own authority and path into a request; Envoy then looks for a route once more. */
function checkServerRoute(server: ConfiguredServer, index: RouteIndex | undefined, report: Report): void {
  const { name, node, authority, path } = server;
  if (name === undefined) return;
  if (index === undefined) {
    report('server-route', node, `no virtual host takes ${authority}, the authority of requests for ${name}`);
    return;
  }
  const routes = index.routesFor(name);
  const own = routes.filter(({ action }) => action === 'forward');
  const first = routes.find((route) => (isClosed(route) ? closesTo(server, route) : route.takes(path) !== 'no'));
  if (first !== undefined && !isClosed(first)) return;
  const hidden = own.find((route) => route.takes(path) !== 'no');
  const [blind] = own;
  if (hidden !== undefined) {
    report('closed-route', hidden.node, `stands behind a closed route, which answers ${path} first`);
  } else if (blind !== undefined) {
    report('server-route', blind.node, `is for ${name}, but does not match ${path}, the path of its requests`);
  } else {
    const missing = `no route matches ${routingHeader}: ${name}`;
    report('server-route', node, () => missing + didYouMean(name, index.names));
  }
}

/** Whether a closed route takes the requests for a server, for certain. */
function closesTo({ name, path }: ConfiguredServer, route: Route): boolean {
  const isForIt = route.headers.every((condition) => condition.name === routingHeader && condition.exact === name);
  return isForIt && !route.conditional && route.takes(path) === 'yes';
}

/** Routes by the server that they are for: a gateway may have thousands of both. */
class RouteIndex {
  readonly #byName = new Map<string, [place: number, route: Route][]>();
  /** Those that may be for any server. */
  readonly #others: [place: number, route: Route][] = [];

  constructor(routes: readonly Route[]) {
    for (const [place, route] of routes.entries()) {
      const condition = routingCondition(route);
      if (condition === undefined && !(isClosed(route) && route.headers.length === 0)) continue;
      const list = condition?.exact === undefined ? this.#others : (this.#byName.get(condition.exact) ?? []);
      if (condition?.exact !== undefined) this.#byName.set(condition.exact, list);
      list.push([place, route]);
    }
  }

  get names(): Iterable<string> {
    return this.#byName.keys();
  }

  /** Routes to a server and closed ones, as far as its requests may take them, in their order. */
  routesFor(name: string): Route[] {
    const own = [...(this.#byName.get(name) ?? []), ...this.#others];
    return own.sort(([a], [b]) => a - b).map(([, route]) => route);
  }
}

/** Those whose requests a server sees. */
export function forwardsToServer(route: Route): boolean {
  return route.action === 'forward' && isDecided(route);
}

const safeRetries = ['connect-failure', 'refused-stream', 'reset-before-request'];

/** @param on the conditions, commas between */
export function checkRetryConditions(on: Node, report: Report): void {
  const conditions = (on.text ?? '').split(',').map((condition) => condition.trim());
  for (const condition of conditions) {
    if (condition === '' || safeRetries.includes(condition)) continue;
    report('retries', on, `${condition} may repeat what a server has already done`);
  }
}
