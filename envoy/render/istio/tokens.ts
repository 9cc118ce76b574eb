import { refuse } from '../refuse.ts';
import type { RenderOptions } from '../targets/options.ts';
import { endpointOf } from '../bootstrap.ts';
import { capabilityFilter, type Issuer, issuersOf } from '../token-filter.ts';
import { typeUrl } from '../type-urls.ts';
import { challengeReplies } from './challenges.ts';
import { labelsOf } from './labels.ts';
import type { Resource } from './templates.ts';

type Plugin = Readonly<Record<string, unknown>>;
type Options = Pick<RenderOptions, 'namespace' | 'selector'>;

/** Where Istio's own jwt_authn filter leaves the claims of a token that it has verified. */
const payload = 'payload';

/** The `identity` that goes with Istio's filter; nothing where no tokens are verified, or the module is told otherwise. */
export function identityOf(plugin: Plugin): { identity?: object } {
  const { identity = { jwt: payload } } = plugin;
  const isByToken = typeof identity === 'object' && identity !== null && 'jwt' in identity;
  return isByToken && issuersOf(plugin).length > 0 ? { identity: { ...identity, jwt: payload } } : {};
}

/** Has Istio verify the tokens of `auth.issuers`, and refuse bad ones; what has no token passes, and is the module's to refuse. */
export function tokenResources(plugin: Plugin, options: Options): Resource[] {
  return [...callerResources(plugin, options), ...capabilityResources(plugin, options)];
}

/**
 * A filter of its own for the header that lists what a caller may use, before all others: Istio leaves the claims of all
 * tokens of a RequestAuthentication in one place, where the second would replace the first.
 */
function capabilityResources(plugin: Plugin, options: Options): Resource[] {
  const found = capabilityFilter(plugin, endpointOf(plugin));
  if (found === undefined) return [];
  const name = 'sluice-allowed-capabilities';
  return [patched(name, 'HTTP_FILTER', { operation: 'INSERT_FIRST', value: { ...found.filter, name } }, options)];
}

/** Gives the refusals of Istio's own jwt_authn the challenge that clients look for. */
function challengeResource(plugin: Plugin, options: Options): Resource {
  const typed_config = { '@type': typeUrl.connectionManager, local_reply_config: challengeReplies(plugin) };
  return patched('sluice-challenges', 'NETWORK_FILTER', { operation: 'MERGE', value: { typed_config } }, options);
}

/** An EnvoyFilter with one patch, of the gateway's connection managers or of a filter in them. */
function patched(name: string, applyTo: string, patch: object, options: Options): Resource {
  const match = {
    context: 'GATEWAY',
    listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager' } } },
  };
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name, namespace: options.namespace },
    spec: {
      workloadSelector: { labels: labelsOf(options) },
      configPatches: [{ applyTo, match, patch }],
    },
  };
}

function callerResources(plugin: Plugin, options: Options): Resource[] {
  const issuers = issuersOf(plugin);
  if (issuers.length === 0) return [];
  refuse(
    issuers.flatMap(({ jwks }, index) =>
      'url' in jwks ? [] : [`auth.issuers[${index}].jwks.file: Istio fetches keys itself: name their url`],
    ),
  );
  return [
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'RequestAuthentication',
      metadata: { name: 'sluice', namespace: options.namespace },
      spec: { selector: { matchLabels: labelsOf(options) }, jwtRules: issuers.map(ruleOf) },
    },
    challengeResource(plugin, options),
  ];
}

function ruleOf({ issuer, audiences = [], jwks }: Issuer): object {
  return {
    issuer,
    ...(audiences.length > 0 && { audiences }),
    ...('url' in jwks && { jwksUri: jwks.url }),
    // Who passes it on says so in its `credentials`; the module removes it for all other servers.
    forwardOriginalToken: true,
  };
}
