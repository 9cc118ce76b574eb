import type { Chain } from './chain.ts';
import { envoyRoute } from './envoy-route.ts';
import type { Report } from './finding.ts';
import { endpointOf } from './gateway.ts';
import { authorizedHeader, impliedCapabilities, impliedPayload } from '../render/token-filter.ts';
import type { Node } from '../yaml/node.ts';
import { isForUndecided } from './route.ts';
import { messageOf } from './wasm-filter.ts';

const jwtType = 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication';

/** Tokens are to be verified, and their claims left where the module looks for them, before the module runs. */
export function checkIdentity(chain: Chain, report: Report): void {
  const { plugin } = chain;
  checkCaller(chain, report);
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

/** The token of who asks. `auth` alone says where its claims are as well. */
function checkCaller(chain: Chain, report: Report): void {
  const { plugin } = chain;
  const auth = plugin?.root.get('auth');
  const identity = plugin?.root.get('identity');
  const at = identity?.isThere === true ? identity.get('jwt') : auth;
  if (plugin === undefined || at?.isThere !== true) return;
  const payload = at === auth ? impliedPayload : at.text;
  if (payload === undefined) return;
  const leaving = checkProvider(chain, payload, (says) => {
    report('identity', at, says);
  });
  if (auth?.isThere !== true) return;
  const refusing = leaving.filter(
    ({ message, provider: [id] }) =>
      !requirementsAt(message, endpointOf(plugin)).some(
        (requirement) => isRequired(requirement, id) && letsPass(requirement),
      ),
  );
  if (refusing.length > 0)
    report('challenge', auth, `jwt_authn itself refuses what is no good token for ${idsOf(refusing)}`);
  const silent = leaving.filter(
    ({ provider: [, provider] }) => !/^refused-\d+$/.test(provider.get('failed_status_in_metadata').text ?? ''),
  );
  if (silent.length > 0) report('challenge', auth, `Sluice does not learn why a token is no good for ${idsOf(silent)}`);
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

/** Providers that some rule for a path asks for, at any place of its requirement. */
function requiredAt(message: Node, path: string): Set<string> {
  return new Set(requirementsAt(message, path).flatMap(providersIn));
}

/** What the rules for a path require. The first rule that matches counts. */
function requirementsAt(message: Node, path: string): readonly Node[] {
  const found: Node[] = [];
  const named = message.get('requirement_map');
  for (const rule of message.get('rules').items) {
    const takes = envoyRoute(rule).takes(path);
    if (takes === 'no') continue;
    found.push(rule.get('requires'));
    const { text } = rule.get('requirement_name');
    if (text !== undefined) found.push(named.get(text));
    if (takes === 'yes' && isForUndecided(envoyRoute(rule))) break;
  }
  for (const [, requirement] of message.get('filter_state_rules', 'requires').entries) found.push(requirement);
  return found;
}

function providersIn(requirement: Node): readonly string[] {
  const own = [requirement.get('provider_name'), requirement.get('provider_and_audiences', 'provider_name')];
  return [...own.flatMap(({ text }) => text ?? []), ...partsOf(requirement).flatMap(providersIn)];
}

function isRequired(requirement: Node, provider: string): boolean {
  return providersIn(requirement).includes(provider);
}

/** Whether it lets a request pass whose token is not good, or that has none. */
function letsPass(requirement: Node): boolean {
  if (requirement.get('allow_missing_or_failed').isThere) return true;
  return partsOf(requirement).some(letsPass);
}

function partsOf(requirement: Node): readonly Node[] {
  return ['requires_any', 'requires_all'].flatMap((list) => requirement.get(list, 'requirements').items);
}
