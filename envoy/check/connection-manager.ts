import { bytesOf } from '../render/buffers.ts';
import { checkSilence } from './call-timeout.ts';
import type { Chain } from './chain.ts';
import { didYouMean } from '../../common/nearest.ts';
import { type Report } from './finding.ts';
import type { Plugin } from './gateway.ts';
import type { Node } from '../yaml/node.ts';
import { checkLocalReplies } from './local-replies.ts';
import { checkPassThrough } from './pass-through.ts';
import { trustedHeaders } from './route.ts';
import { checkRetryConditions, forwardsToServer } from './routing.ts';
import { typeOf } from './wasm-filter.ts';

/** What is asked of the connection manager around a Sluice filter, and of its routes in terms that only Envoy has. */
export function checkManager(chain: Chain, report: Report): void {
  checkRouter(chain, report);
  checkPaths(chain.manager, report);
  checkEarlyRemoval(chain.manager, report);
  checkBuffers(chain, report);
  checkLocalReplies(chain.manager.get('local_reply_config'), report);
  checkIdleTimeout(chain.manager.get('stream_idle_timeout'), report);
  checkSilence(chain.manager.get('stream_idle_timeout'), chain.plugin, report, '300s');
  checkPassThrough(chain, report);
  checkSwitches(chain, report);
  for (const { node, routes } of chain.tables ?? []) {
    checkRetryConditions(node.get('retry_policy', 'retry_on'), report);
    for (const route of routes.filter(forwardsToServer)) checkForwarding(route.node.get('route'), chain.plugin, report);
    for (const route of routes) checkClusterHeader(route.node.get('route', 'cluster_header'), report);
  }
}

const routerType = 'envoy.extensions.filters.http.router.v3.Router';

function checkRouter({ manager, filters, gateways }: Chain, report: Report): void {
  const isRouter = (filter: Node): boolean =>
    typeOf(filter.get('typed_config')) === routerType || filter.get('name').text === 'envoy.filters.http.router';
  const routers = filters.filter(isRouter);
  const [router, second] = routers;
  if (router === undefined) {
    report('router', manager.get('http_filters'), 'has no router at its end');
    return;
  }
  if (second !== undefined) {
    report('router', second, 'is a second router');
    return;
  }
  const place = filters.indexOf(router);
  for (const { node } of gateways) {
    if (filters.indexOf(node) > place) report('router', node, 'stands behind the router, and never runs');
  }
  if (place < filters.length - 1) report('router', router, 'has to be the last HTTP filter');
}

function checkPaths(manager: Node, report: Report): void {
  for (const name of ['normalize_path', 'merge_slashes']) {
    const member = manager.get(name);
    const defect = member.isThere ? 'has to be true' : 'is missing, and is off by default';
    if (!member.isTrue) report('paths', member, defect);
  }
  const action = manager.get('path_with_escaped_slashes_action');
  const isGood = ['REJECT_REQUEST', 'UNESCAPE_AND_REDIRECT', 'UNESCAPE_AND_FORWARD'].includes(action.text ?? '');
  if (!isGood) report('paths', action, action.isThere ? `is ${action.shown}` : 'is missing, and keeps them by default');
}

function checkClusterHeader(header: Node, report: Report): void {
  const name = header.text?.toLowerCase();
  if (name?.startsWith('x-mcp-') !== true || (trustedHeaders as readonly string[]).includes(name)) return;
  report('route-header', header, `${name} comes from the client${didYouMean(name, trustedHeaders)}`);
}

function checkEarlyRemoval(manager: Node, report: Report): void {
  const extensions = manager.get('early_header_mutation_extensions');
  const mutations = extensions.items.flatMap((extension) => extension.get('typed_config', 'mutations').items);
  const removed = new Set(mutations.map((mutation) => mutation.get('remove').text?.toLowerCase()));
  const kept = trustedHeaders.filter((name) => !removed.has(name));
  if (kept.length === 0) return;
  report('forged-headers', extensions, `a client's ${kept.join(', ')} would pass without the module`);
}

function checkBuffers({ listener, manager, filters, plugin }: Chain, report: Report): void {
  const limit = listener.get('per_connection_buffer_limit_bytes');
  if (limit.isThere) checkBufferLimit(limit, plugin, report);
  else if (neededBytes(plugin) > 2 ** 20) report('buffers', limit, `is 1 MiB by default; ${twice(plugin)}`);
  checkWindows(manager, plugin, report);
  for (const filter of filters) checkFilterLimit(filter.get('typed_config'), plugin, report);
}

/** Envoy's own filter for MCP sets the limit of the whole request to what it may read itself. */
function checkFilterLimit(config: Node, plugin: Plugin | undefined, report: Report): void {
  if (typeOf(config) !== 'envoy.extensions.filters.http.mcp.v3.Mcp') return;
  const limit = config.get('max_request_body_size');
  // 0: none.
  if (limit.amount === 0 || (limit.amount ?? 8192) >= neededBytes(plugin)) return;
  report('buffers', limit, `is ${limit.isThere ? limit.shown : '8192 by default'}; ${twice(plugin)}`);
}

function neededBytes(plugin: Plugin | undefined): number {
  const held = plugin?.root.get('limits', 'heldBody');
  return 2 * (bytesOf(held?.isThere === true ? held.shown : '1Mi') ?? 0);
}

function twice(plugin: Plugin | undefined): string {
  return `twice limits.heldBody is ${neededBytes(plugin)}`;
}

/** @param limit per_connection_buffer_limit_bytes */
export function checkBufferLimit(limit: Node, plugin: Plugin | undefined, report: Report): void {
  if ((limit.amount ?? 0) < neededBytes(plugin)) report('buffers', limit, `is ${limit.shown}; ${twice(plugin)}`);
}

export function checkWindows(manager: Node, plugin: Plugin | undefined, report: Report): void {
  const windows = manager.get('http2_protocol_options');
  for (const name of ['initial_stream_window_size', 'initial_connection_window_size']) {
    const window = windows.get(name);
    if (!window.isThere || (window.amount ?? 0) >= Math.min(neededBytes(plugin), 2 ** 31 - 1)) continue;
    report('buffers', window, `is ${window.shown}; ${twice(plugin)}`);
  }
}

export function checkIdleTimeout(timeout: Node, report: Report): void {
  if (isZero(timeout)) report('idle-timeout', timeout, 'is 0: a request that waits is never ended');
}

/** `0s`, `0.0s` */
export function isZero(duration: Node): boolean {
  return /^0+(?:\.0*)?s$/.test(duration.text ?? '');
}

function checkForwarding(action: Node, plugin: Plugin | undefined, report: Report): void {
  const timeout = action.get('timeout');
  const found = timeout.isThere ? timeout.shown : '15s, by default';
  if (!isZero(timeout)) report('route-timeout', timeout.isThere ? timeout : action, `timeout is ${found}`);
  checkIdleTimeout(action.get('idle_timeout'), report);
  checkSilence(action.get('idle_timeout'), plugin, report);
  checkRetryConditions(action.get('retry_policy', 'retry_on'), report);
}

/** A virtual host or a route can switch a filter off for its requests. */
function checkSwitches({ gateways, tables, manager }: Chain, report: Report): void {
  const places = (tables ?? []).flatMap(({ node, routes }) => [node, ...routes.map((route) => route.node)]);
  const names = gateways.map(({ node }) => node.get('name').text ?? '');
  for (const place of [manager.get('route_config'), ...places]) {
    for (const name of names) {
      const disabled = place.get('typed_per_filter_config', name, 'disabled');
      if (disabled.isTrue) report('fail-open', disabled, 'switches the filter off for these requests');
    }
  }
}
