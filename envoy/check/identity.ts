import type { Chain } from './chain.ts';
import { envoyRoute } from './envoy-route.ts';
import type { Report } from './finding.ts';
import { endpointOf } from './gateway.ts';
import { authorizedHeader, impliedCapabilities } from '../render/token-filter.ts';
import type { Node } from '../yaml/node.ts';
import { isForUndecided } from './route.ts';
import { messageOf } from './wasm-filter.ts';

const jwtType = 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication';

/** Tokens are to be verified, and their claims left where the module looks for them, before the module runs. */
export function checkIdentity(chain: Chain, report: Report): void {
  const { plugin } = chain;
  const name = plugin?.root.get('identity', 'jwt');
  if (name?.text !== undefined)
    checkProvider(chain, name.text, (says) => {
      report('identity', name, says);
    });
  const allowed = plugin?.root.get('allowedCapabilities');
  if (!allowed?.isThere) return;
  const named = allowed.get('jwt');
  const at = named.isThere ? named : allowed;
  const payload = named.isThere ? named.text : impliedCapabilities;
  if (payload === undefined) return;
  const tell = (says: string): void => {
    report('allowed-capabilities', at, says);
  };
  const leaving = checkProvider(chain, payload, tell);
  const taking = leaving.filter(({ provider: [, provider] }) => !provider.get('forward').isTrue);
  if (taking.length > 0) tell(`the provider ${idsOf(taking)} takes ${authorizedHeader} away, without forward: true`);
  const others = leaving.filter(({ provider: [, provider] }) => !isFromCapabilities(provider));
  if (others.length > 0) {
    const ids = idsOf(others);
    tell(
      `the provider ${ids}, which leaves claims in ${payload}, does not take its token from ${authorizedHeader} alone`,
    );
  }
}

interface Provider {
  /** The filter's configuration. */
  readonly message: Node;
  readonly provider: [id: string, provider: Node];
}

/**
 * Looks for a provider of a filter before the module that leaves its claims under a name, and for a rule that requires it.
 * @returns those that leave them there
 */
function checkProvider({ plugin, filters, gateways }: Chain, name: string, tell: (says: string) => void): Provider[] {
  const first = gateways[0]?.node;
  if (first === undefined) return [];
  const before = filters.slice(0, filters.indexOf(first)).filter((filter) => !filter.get('disabled').isTrue);
  const jwtFilters = before
    .map((filter) => messageOf(filter.get('typed_config')))
    .filter(({ type }) => type === jwtType);
  const providers = jwtFilters.flatMap(({ message }) =>
    message.get('providers').entries.map((provider) => ({ message, provider })),
  );
  const placeOf = ([, provider]: [string, Node]): string | undefined => provider.get('payload_in_metadata').text;
  const leaving = providers.filter(({ provider }) => placeOf(provider) === name);
  if (leaving.length === 0) {
    const places = providers.map(({ provider }) => placeOf(provider)).filter((place) => place !== undefined);
    const found = places.length === 0 ? 'no jwt_authn filter does' : `there is ${places.join(', ')}`;
    tell(`no filter before Sluice leaves claims in ${name}: ${found}`);
    return [];
  }
  const endpoint = endpointOf(plugin);
  if (!leaving.some(({ message, provider: [id] }) => requiredAt(message, endpoint).has(id))) {
    const ids = idsOf(leaving);
    tell(`no rule of jwt_authn that takes ${endpoint} requires the provider ${ids}, which leaves claims there`);
  }
  return leaving;
}

function idsOf(providers: readonly Provider[]): string {
  return providers.map(({ provider: [id] }) => id).join(', ');
}

/** Whether its token is that of the header which lists what a caller may use, and of nothing else. */
function isFromCapabilities(provider: Node): boolean {
  if (['from_params', 'from_cookies'].some((name) => provider.get(name).items.length > 0)) return false;
  const headers = provider.get('from_headers').items;
  return headers.length > 0 && headers.every((header) => header.get('name').text?.toLowerCase() === authorizedHeader);
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
