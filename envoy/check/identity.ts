import type { Chain } from './chain.ts';
import type { Report } from './finding.ts';
import type { Node } from './node.ts';
import { messageOf } from './wasm-filter.ts';

const jwtType = 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication';

/** A token is to be verified, and its claims left where the module looks for them, before the module runs. */
export function checkIdentity({ plugin, filters, gateways }: Chain, report: Report): void {
  const name = plugin?.root.get('identity', 'jwt');
  const first = gateways[0]?.node;
  if (name?.text === undefined || first === undefined) return;
  const before = filters.slice(0, filters.indexOf(first)).filter((filter) => !filter.get('disabled').isTrue);
  const places = before.flatMap(placesOfClaims);
  if (places.includes(name.text)) return;
  const found = places.length === 0 ? 'no jwt_authn filter does' : `there is ${places.join(', ')}`;
  report('identity', name, `no filter before Sluice leaves claims in ${name.text}: ${found}`);
}

function placesOfClaims(filter: Node): string[] {
  const { type, message } = messageOf(filter.get('typed_config'));
  if (type !== jwtType) return [];
  const providers = message.get('providers').entries.map(([, provider]) => provider);
  return providers.map((provider) => provider.get('payload_in_metadata').text).filter((name) => name !== undefined);
}
