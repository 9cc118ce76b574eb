import { isZero } from './connection-manager.ts';
import type { Report } from './finding.ts';
import type { RouteTable } from './gateway.ts';
import { Node } from '../yaml/node.ts';
import { type Expected, type HeaderCondition, type Route, isDecided, literalOf, takesPath } from './route.ts';
import { checkMirrors } from './repeats.ts';
import { type Routed, checkRetryConditions, checkRouting, forwardsToServer } from './routing.ts';

/** Those that route by what the module says; where none does, all of them. */
export function checkVirtualServices(resources: readonly Node[], routed: Routed, report: Report): void {
  const tables = resources.map(tableOf);
  const own = tables.filter(({ routes }) => routes.some(isDecided));
  const relevant = own.length > 0 ? own : routed.servers.length === 0 ? [] : tables;
  if (relevant.length === 0) return;
  // Istio matches hosts without regard to a port.
  checkRouting(relevant, routed, report, ({ authority }) =>
    // Istio writes an address of IPv6 without its brackets.
    authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'),
  );
  const forwarding = relevant.flatMap(({ routes }) => routes).filter(forwardsToServer);
  for (const node of new Set(forwarding.map((route) => route.node))) checkForwarding(node, report);
}

function tableOf(resource: Node): RouteTable {
  const spec = resource.get('spec');
  const namespace = resource.get('metadata', 'namespace').text;
  return {
    node: resource,
    domains: spec.get('hosts').items.map(({ text = '' }) => text),
    routes: spec.get('http').items.flatMap((route) => routesOf(route, namespace)),
  };
}

const actions = [
  ['route', 'forward'],
  ['directResponse', 'direct'],
  ['redirect', 'redirect'],
] as const;

/** One for each of its matches, any of which is enough. */
function routesOf(node: Node, namespace: string | undefined): Route[] {
  const action = actions.find(([member]) => node.get(member).isThere)?.[1] ?? 'other';
  const clusters = node.get('route').items.flatMap((target) => clusterOf(target.get('destination'), namespace));
  const matches = node.get('match').items;
  if (matches.length === 0)
    return [
      { node, action, headers: [], conditional: false, literal: '', ignoresCase: false, takes: () => 'yes', clusters },
    ];
  return matches.map((match) => {
    const expected = pathOf(match);
    return {
      node,
      action,
      headers: [...headersOf(match.get('headers'), false), ...headersOf(match.get('withoutHeaders'), true)],
      conditional: match.entries.some(([name]) => !understood.includes(name)),
      literal: literalOf(expected),
      ignoresCase: expected.ignoreCase === true,
      takes: (path) => (match.get('uri').isThere ? takesPath(expected, path) : 'yes'),
      clusters,
    };
  });
}

const understood = ['name', 'uri', 'headers', 'withoutHeaders', 'ignoreUriCase'];

function headersOf(conditions: Node, without: boolean): HeaderCondition[] {
  return conditions.entries.map(([name, node]) => ({
    name: name.toLowerCase(),
    exact: without ? undefined : node.get('exact').text,
    fitsWithout: without,
    node,
  }));
}

function pathOf(match: Node): Expected {
  const [exact, prefix, regex] = ['exact', 'prefix', 'regex'].map((name) => match.get('uri', name).text);
  return {
    ...(exact !== undefined && { exact }),
    ...(prefix !== undefined && { prefix }),
    ...(regex !== undefined && { regex }),
    ignoreCase: match.get('ignoreUriCase').isTrue,
  };
}

/** As Envoy and the plugin configuration name it; nothing where that takes more than is written here. */
function clusterOf(destination: Node, namespace: string | undefined): Node[] {
  const { text: host } = destination.get('host');
  const { number: port } = destination.get('port', 'number');
  if (host === undefined || port === undefined) return [];
  if (!host.includes('.') && namespace === undefined) return [];
  const whole = host.includes('.') ? host : `${host}.${String(namespace)}.svc.cluster.local`;
  const name = `outbound|${port}|${destination.get('subset').text ?? ''}|${whole}`;
  return [new Node(name, destination.path, destination.document)];
}

function checkForwarding(route: Node, report: Report): void {
  const retries = route.get('retries');
  const on = retries.get('retryOn');
  if (retries.get('attempts').number !== 0) {
    if (on.isThere) checkRetryConditions(on, report);
    else report('retries', retries.isThere ? on : retries, "is missing, and Istio's default retries more");
  }
  checkMirrors(route.get('mirrors'), report);
  if (route.get('mirror').isThere) report('mirrors', route.get('mirror'), 'sends a copy of each call to another host');
  const timeout = route.get('timeout');
  if (timeout.isThere && !isZero(timeout)) report('route-timeout', timeout, `timeout is ${timeout.shown}`);
}
