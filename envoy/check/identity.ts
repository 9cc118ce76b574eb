import type { Chain } from './chain.ts';
import { envoyRoute } from './envoy-route.ts';
import type { Report } from './finding.ts';
import { endpointOf } from './gateway.ts';
import type { Node } from '../yaml/node.ts';
import { isForUndecided } from './route.ts';
import { messageOf } from './wasm-filter.ts';

const jwtType = 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication';

/** A token is to be verified, and its claims left where the module looks for them, before the module runs. */
export function checkIdentity({ plugin, filters, gateways }: Chain, report: Report): void {
  const name = plugin?.root.get('identity', 'jwt');
  const first = gateways[0]?.node;
  if (name?.text === undefined || first === undefined) return;
  const before = filters.slice(0, filters.indexOf(first)).filter((filter) => !filter.get('disabled').isTrue);
  const jwtFilters = before
    .map((filter) => messageOf(filter.get('typed_config')))
    .filter(({ type }) => type === jwtType);
  const providers = jwtFilters.flatMap(({ message }) =>
    message.get('providers').entries.map((provider) => ({ message, provider })),
  );
  const placeOf = ([, provider]: [string, Node]): string | undefined => provider.get('payload_in_metadata').text;
  const leaving = providers.filter(({ provider }) => placeOf(provider) === name.text);
  if (leaving.length === 0) {
    const places = providers.map(({ provider }) => placeOf(provider)).filter((place) => place !== undefined);
    const found = places.length === 0 ? 'no jwt_authn filter does' : `there is ${places.join(', ')}`;
    report('identity', name, `no filter before Sluice leaves claims in ${name.text}: ${found}`);
    return;
  }
  const endpoint = endpointOf(plugin);
  if (leaving.some(({ message, provider: [id] }) => requiredAt(message, endpoint).has(id))) return;
  const ids = leaving.map(({ provider: [id] }) => id).join(', ');
  report(
    'identity',
    name,
    `no rule of jwt_authn that takes ${endpoint} requires the provider ${ids}, which leaves claims there`,
  );
}

/** Providers that some rule for a path asks for, at any place of its requirement. The first rule that matches counts. */
function requiredAt(message: Node, path: string): Set<string> {
  const found = new Set<string>();
  const named = message.get('requirement_map');
  for (const rule of message.get('rules').items) {
    const takes = envoyRoute(rule).takes(path);
    if (takes === 'no') continue;
    providersIn(rule.get('requires'), found);
    const { text } = rule.get('requirement_name');
    if (text !== undefined) providersIn(named.get(text), found);
    if (takes === 'yes' && isForUndecided(envoyRoute(rule))) break;
  }
  for (const [, requirement] of message.get('filter_state_rules', 'requires').entries) providersIn(requirement, found);
  return found;
}

function providersIn(requirement: Node, found: Set<string>): void {
  for (const { text } of [
    requirement.get('provider_name'),
    requirement.get('provider_and_audiences', 'provider_name'),
  ]) {
    if (text !== undefined) found.add(text);
  }
  for (const list of ['requires_any', 'requires_all']) {
    for (const inner of requirement.get(list, 'requirements').items) providersIn(inner, found);
  }
}
