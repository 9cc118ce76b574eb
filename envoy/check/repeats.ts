import type { Chain } from './chain.ts';
import type { Report } from './finding.ts';
import { serversOf } from './gateway.ts';
import type { Node } from '../yaml/node.ts';
import { checkRetryConditions, forwardsToServer } from './routing.ts';

/** Whatever makes Envoy send a call to a second server, or to the same one again, beside the retries of a route. */
export function checkRepeats(root: Node, chain: Chain, report: Report): void {
  checkMirrors(chain.manager.get('route_config', 'request_mirror_policies'), report);
  for (const { node, routes } of chain.tables ?? []) {
    checkAction(node, report);
    for (const route of routes.filter(forwardsToServer)) {
      const action = route.node.get('route');
      checkAction(action, report);
      const redirects = action.get('internal_redirect_policy');
      if (redirects.isThere) report('internal-redirects', redirects, 'sends a call through the filters a second time');
    }
  }
  for (const options of optionsOf(root, chain)) {
    checkMirrors(options.get('request_mirror_policies'), report);
    checkRetryConditions(options.get('retry_policy', 'retry_on'), report);
    checkHedging(options.get('hedge_policy'), report);
  }
}

/** @param action of a route, or a virtual host */
function checkAction(action: Node, report: Report): void {
  checkMirrors(action.get('request_mirror_policies'), report);
  checkHedging(action.get('hedge_policy'), report);
}

/** @param mirrors a list of Envoy's, or of Istio's */
export function checkMirrors(mirrors: Node, report: Report): void {
  if (mirrors.items.length > 0) report('mirrors', mirrors, 'sends a copy of each call to another cluster');
}

function checkHedging(policy: Node, report: Report): void {
  const hedges = policy.get('hedge_on_per_try_timeout');
  if (hedges.isTrue)
    report('retries', hedges, 'sends a call again when its callTimeout is over, whatever retry_on says');
}

/** What the clusters of servers say of HTTP. */
function optionsOf(root: Node, { gateways, tables }: Chain): Node[] {
  const servers = gateways.flatMap(({ plugin }) => serversOf(plugin).map(({ cluster }) => cluster.text));
  const routed = (tables ?? []).flatMap(({ routes }) => routes.filter(forwardsToServer));
  const named = new Set([...servers, ...routed.flatMap(({ clusters }) => clusters.map(({ text }) => text))]);
  return root
    .get('static_resources', 'clusters')
    .items.filter((cluster) => named.has(cluster.get('name').text))
    .map((cluster) =>
      cluster.get('typed_extension_protocol_options', 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'),
    );
}
