import { type Report, didYouMean } from './finding.ts';
import { type Plugin, type RouteTable, type Server, endpointOf, serversOf, tableFor } from './gateway.ts';
import type { Node } from './node.ts';
import { type Route, isDecided, isForUndecided, routingCondition, routingHeader, trustedHeaders } from './route.ts';

/** What requests are routed by: endpoints to be closed, and servers to be reached. */
export interface Routed {
  /** Empty where they are not known here. */
  readonly endpoints: readonly string[];
  readonly servers: readonly Server[];
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
  hostOf = ({ authority }: Server): string => authority,
): void {
  const { endpoints, servers } = routed;
  for (const table of tables) {
    if (endpoints.length === 0) checkAnyDoor(table, report);
    for (const endpoint of endpoints) checkClosedRoute(table, endpoint, servers, report);
    for (const route of table.routes) checkHeaders(route, report);
  }
  if (servers.length === 0) return;
  for (const route of tables.flatMap((table) => table.routes)) checkServerName(route, servers, report);
  for (const server of servers) checkServerRoute(server, tableFor(hostOf(server), tables), report);
}

/** Which path the endpoint is, is not known here. */
function checkAnyDoor({ node, routes }: RouteTable, report: Report): void {
  if (routes.some((route) => isClosed(route) && !isDecided(route))) return;
  report('closed-route', node, 'no route closes the endpoint to requests without a routing header');
}

function checkClosedRoute(
  { node, routes }: RouteTable,
  endpoint: string,
  servers: readonly Server[],
  report: Report,
): void {
  let missing: string | undefined;
  for (const path of [endpoint, `${endpoint}/namespace/name`]) {
    const first = routes.findIndex((route) => ends(route, path));
    const route = routes[first];
    if (route === undefined) missing ??= path;
    else if (!isClosed(route)) {
      report('closed-route', route.node, `takes ${path} without a routing header before a closed door does`);
      return;
    } else if (checkBehindDoor(routes.slice(first + 1), servers, route, report)) return;
  }
  if (missing === undefined) return;
  report('closed-route', node, `no route closes ${missing} to requests without a routing header`);
}

/** Whether what takes it reaches no server from here. */
function isClosed({ action }: Route): boolean {
  return action === 'direct' || action === 'redirect';
}

/** Whether a request that no module has decided on may end here. */
function ends(route: Route, path: string): boolean {
  const takes = route.takes(path);
  if (takes === 'no' || isDecided(route)) return false;
  return !isClosed(route) || (takes === 'yes' && isForUndecided(route));
}

/** A door takes decided requests too: what stands behind it for the same path is never reached. */
function checkBehindDoor(behind: readonly Route[], servers: readonly Server[], door: Route, report: Report): boolean {
  if (door.headers.length > 0) return false; // it asks for the absence of the routing header
  for (const route of behind) {
    const name = routingCondition(route)?.exact;
    const server = servers.find((candidate) => candidate.name !== undefined && candidate.name === name);
    if (server === undefined || door.takes(server.path) !== 'yes' || route.takes(server.path) === 'no') continue;
    report('closed-route', route.node, `stands behind the closed door, which answers ${server.path} first`);
    return true;
  }
  return false;
}

function checkHeaders({ headers }: Route, report: Report): void {
  for (const { name, node } of headers) {
    if (!name.startsWith('x-mcp-') || (trustedHeaders as readonly string[]).includes(name)) continue;
    report('route-header', node, `matches on ${name}, which clients may send${didYouMean(name, trustedHeaders)}`);
  }
}

function checkServerName(route: Route, servers: readonly Server[], report: Report): void {
  const condition = routingCondition(route);
  if (condition?.exact === undefined) return;
  const name = condition.exact;
  const own = servers.filter((candidate) => candidate.name === name).map(({ cluster }) => cluster.text);
  if (own.length === 0) {
    const names = servers.map((candidate) => candidate.name ?? '');
    const meant = didYouMean(name, names);
    report('route-server', condition.node, `${name} is no server of the plugin configuration${meant}`);
    return;
  }
  for (const cluster of route.clusters) {
    if (own.includes(cluster.text) || own.includes(undefined)) continue;
    report('route-cluster', cluster, `is ${cluster.shown}, but the cluster of ${name} is ${own.join(' or ')}`);
  }
}

/** The module writes the server's own authority and path into a request; Envoy then looks for a route once more. */
function checkServerRoute(server: Server, table: RouteTable | undefined, report: Report): void {
  const { name, node, authority, path } = server;
  if (name === undefined) return;
  if (table === undefined) {
    report('server-route', node, `no virtual host takes ${authority}, the authority of requests for ${name}`);
    return;
  }
  const forwarding = table.routes.filter(({ action }) => action === 'forward');
  const conditions = forwarding.map((route) => ({ route, condition: routingCondition(route) }));
  const own = conditions.filter(({ condition }) => condition !== undefined && (condition.exact ?? name) === name);
  if (own.some(({ route }) => route.takes(path) !== 'no')) return;
  const [blind] = own;
  if (blind !== undefined) {
    report('server-route', blind.route.node, `is for ${name}, but does not match ${path}, the path of its requests`);
    return;
  }
  const names = conditions.map(({ condition }) => condition?.exact ?? '').filter((other) => other !== '');
  report('server-route', node, `no route matches ${routingHeader}: ${name}${didYouMean(name, names)}`);
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
