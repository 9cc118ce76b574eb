import type { Chain } from './chain.ts';
import type { Report } from './finding.ts';
import type { Plugin } from './gateway.ts';
import type { Node } from '../yaml/node.ts';
import { messageOf } from './wasm-filter.ts';

/** Headers that a client sends for a server, or for a token endpoint, by name, each once. */
function passedThrough(plugin: Plugin | undefined): Map<string, Node> {
  const names = new Map<string, Node>();
  for (const server of plugin?.root.get('servers').items ?? []) {
    const credentials = server.get('credentials');
    const type = credentials.get('type');
    // The token that is exchanged has to come as far as Sluice.
    if (type.text === 'exchange' && !names.has('authorization')) names.set('authorization', type);
    if (type.text !== 'passthrough') continue;
    for (const name of credentials.get('headers').items) {
      if (name.text !== undefined && !names.has(name.text.toLowerCase())) names.set(name.text.toLowerCase(), name);
    }
  }
  return names;
}

/** What a client sends for a server has to come as far as that. */
export function checkPassThrough({ manager, filters, gateways, tables, plugin }: Chain, report: Report): void {
  const names = passedThrough(plugin);
  if (names.size === 0) return;
  checkUnderscores(manager, plugin, report);
  const extensions = manager.get('early_header_mutation_extensions').items;
  for (const mutation of extensions.flatMap((each) => each.get('typed_config', 'mutations').items)) {
    const removed = mutation.get('remove');
    if (removed.text !== undefined)
      reportIf(names, removed.text, 'is removed by early_header_mutation_extensions', report);
  }
  const places = (tables ?? []).flatMap(({ node, routes }) => [node, ...routes.map((route) => route.node)]);
  for (const place of [manager.get('route_config'), ...places]) {
    for (const removed of place.get('request_headers_to_remove').items) {
      reportIf(names, removed.text ?? '', 'is removed by request_headers_to_remove', report);
    }
  }
  const first = gateways[0]?.node;
  const before = first === undefined ? [] : filters.slice(0, filters.indexOf(first));
  if (before.some(takesBearer))
    reportIf(names, 'authorization', 'is taken away by jwt_authn, without forward: true', report);
}

/** @param manager the connection manager, or a patch of it */
export function checkUnderscores(manager: Node, plugin: Plugin | undefined, report: Report): void {
  const action = manager.get('common_http_protocol_options', 'headers_with_underscores_action').text;
  if (action !== 'DROP_HEADER' && action !== 'REJECT_REQUEST') return;
  const does = action === 'DROP_HEADER' ? 'drops it' : 'rejects requests with it';
  for (const [name, node] of passedThrough(plugin)) {
    if (name.includes('_')) report('passthrough', node, `${name} has an underscore: the listener ${does}`);
  }
}

function reportIf(names: ReadonlyMap<string, Node>, name: string, happens: string, report: Report): void {
  const node = names.get(name.toLowerCase());
  if (node !== undefined) report('passthrough', node, `${name} ${happens}`);
}

/** Whether a jwt_authn filter keeps the token of the Authorization header to itself. */
function takesBearer(filter: Node): boolean {
  const { type, message } = messageOf(filter.get('typed_config'));
  if (!type.endsWith('.JwtAuthentication')) return false;
  return message.get('providers').entries.some(([, provider]) => {
    if (provider.get('forward').isTrue) return false;
    const headers = provider.get('from_headers').items;
    const isElsewhere = ['from_params', 'from_cookies'].some((name) => provider.get(name).items.length > 0);
    if (headers.length === 0) return !isElsewhere;
    return headers.some((header) => header.get('name').text?.toLowerCase() === 'authorization');
  });
}
