import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { EngineError } from '../../common/engine-error.ts';
import { typeUrl } from './type-urls.ts';

/** What `auth.issuers` of a plugin configuration says. */
const issuerShape = z.object({
  issuer: z.string().min(1),
  audiences: z.array(z.string()).optional(),
  jwks: z.union([
    z.object({ file: z.string().min(1) }).strict(),
    z.object({ url: z.url(), cluster: z.string().min(1) }).strict(),
  ]),
});
const issuersShape = z.array(issuerShape).min(1);

export type Issuer = z.infer<typeof issuerShape>;

/** The issuers of a plugin configuration; one whose `auth` has another shape has none, and is refused by the module. */
export function issuersOf(plugin: Readonly<Record<string, unknown>> | undefined): readonly Issuer[] {
  const auth = plugin?.['auth'] as { issuers?: unknown } | undefined;
  return issuersShape.safeParse(auth?.issuers).data ?? [];
}

/** The name under which the module looks for the claims where `auth` is configured and `identity` is not. */
export const impliedPayload = 'jwt';

/** How Envoy gets at the keys in a file: a DataSource. @param place where the configuration names the file */
export type KeyFiles = (file: string, place: string) => object;

/** Read when the configuration is made: the file need not be where Envoy runs. */
const readHere: KeyFiles = (file, place) => ({ inline_string: keysIn(file, place) });

/** Read by Envoy, on its machine. */
export const readByEnvoy: KeyFiles = (filename) => ({ filename });

/** A cluster that keys are fetched from. */
export interface KeySource {
  readonly cluster: string;
  readonly url: string;
}

/** Envoy's jwt_authn filter for these issuers, and the clusters that it needs. */
export interface TokenFilter {
  readonly filter: { readonly name: string; readonly typed_config: object };
  readonly sources: readonly KeySource[];
}

/**
 * The filter before the module that verifies tokens. It lets a request without a good token pass: the module answers it,
 * with a challenge that names where to get one (RFC 9728), which jwt_authn cannot; nothing of it reaches a server.
 * @param endpoint path of the gateway
 * @param keyFiles by default the keys are read here and now
 * @throws EngineError of kind `configuration` where a file with keys cannot be read here
 */
export function tokenFilter(
  plugin: Readonly<Record<string, unknown>> | undefined,
  endpoint: string,
  keyFiles = readHere,
): TokenFilter | undefined {
  const issuers = issuersOf(plugin);
  if (issuers.length === 0) return undefined;
  const identity = plugin?.['identity'] as { jwt?: unknown } | undefined;
  const payload = typeof identity?.jwt === 'string' ? identity.jwt : impliedPayload;
  const providers = issuers.map(
    (issuer, index) => [`issuer-${index}`, providerOf(issuer, index, payload, keyFiles)] as const,
  );
  const requirements = [...providers.map(([name]) => ({ provider_name: name })), { allow_missing_or_failed: {} }];
  return {
    filter: {
      name: 'envoy.filters.http.jwt_authn',
      typed_config: {
        '@type': typeUrl.jwtAuthn,
        providers: Object.fromEntries(providers),
        rules: [{ match: { path_separated_prefix: endpoint }, requires: { requires_any: { requirements } } }],
        bypass_cors_preflight: true,
      },
    },
    sources: issuers.flatMap(({ jwks }) => ('url' in jwks ? [jwks] : [])),
  };
}

function providerOf({ issuer, audiences, jwks }: Issuer, index: number, payload: string, keyFiles: KeyFiles): object {
  return {
    issuer,
    ...(audiences !== undefined && audiences.length > 0 && { audiences }),
    payload_in_metadata: payload,
    // Who passes it on says so in its `credentials`; the module removes it for all other servers.
    forward: true,
    from_headers: [{ name: 'authorization', value_prefix: 'Bearer ' }],
    ...('file' in jwks
      ? { local_jwks: keyFiles(jwks.file, `auth.issuers[${index}].jwks.file`) }
      : {
          remote_jwks: {
            http_uri: { uri: jwks.url, cluster: jwks.cluster, timeout: '5s' },
            cache_duration: '600s',
            // Without it the keys are fetched by requests, and are gone while a refresh fails.
            async_fetch: { failed_refetch_duration: '1s' },
          },
        }),
  };
}

function keysIn(file: string, place: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new EngineError(`${place}: ${(error as Error).message}`, 'configuration');
  }
}
