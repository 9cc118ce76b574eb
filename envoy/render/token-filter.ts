import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { EngineError } from '../../common/engine-error.ts';
import { typeUrl } from './type-urls.ts';

/** What `issuers` of a section of a plugin configuration says. */
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

type Plugin = Readonly<Record<string, unknown>> | undefined;

/** The issuers of callers' tokens; a configuration whose `auth` has another shape has none, and is refused by the module. */
export function issuersOf(plugin: Plugin): readonly Issuer[] {
  return issuersIn(plugin?.['auth']);
}

/** The same of tokens in the header that lists what a caller may use. */
export function capabilityIssuersOf(plugin: Plugin): readonly Issuer[] {
  return issuersIn(plugin?.['allowedCapabilities']);
}

function issuersIn(section: unknown): readonly Issuer[] {
  return issuersShape.safeParse((section as { issuers?: unknown } | undefined)?.issuers).data ?? [];
}

/** The name under which the module looks for the claims where `auth` is configured and `identity` is not. */
export const impliedPayload = 'jwt';
/** The same of what a caller may use, where `allowedCapabilities.jwt` names none. */
export const impliedCapabilities = 'capabilities';
/** It has the token that lists what a caller may use. */
export const authorizedHeader = 'x-mcp-authorized';

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

/** Tokens of one kind: any of the issuers is good for one. */
interface TokenKind {
  /** The member of the configuration. */
  readonly place: string;
  /** Before the index of each provider. */
  readonly prefix: string;
  readonly issuers: readonly Issuer[];
  /** Where the claims are left. */
  readonly payload: string;
  readonly header: { readonly name: string; readonly value_prefix?: string };
  /** Before the index of the name under which a provider leaves why it refuses a token, see filter/session/refused-token.ts. */
  readonly refused?: string;
}

function callerTokens(plugin: Plugin): TokenKind {
  const identity = plugin?.['identity'] as { jwt?: unknown } | undefined;
  return {
    place: 'auth.issuers',
    prefix: 'issuer',
    issuers: issuersOf(plugin),
    payload: typeof identity?.jwt === 'string' ? identity.jwt : impliedPayload,
    header: { name: 'authorization', value_prefix: 'Bearer ' },
    refused: 'refused-',
  };
}

function capabilityTokens(plugin: Plugin): TokenKind {
  const { jwt } = (plugin?.['allowedCapabilities'] ?? {}) as { jwt?: unknown };
  return {
    place: 'allowedCapabilities.issuers',
    prefix: 'capabilities',
    issuers: capabilityIssuersOf(plugin),
    payload: typeof jwt === 'string' ? jwt : impliedCapabilities,
    header: { name: authorizedHeader },
  };
}

/**
 * The filter before the module that verifies tokens. It lets a request without a good token pass: the module answers it,
 * with a challenge that names where to get one (RFC 9728), which jwt_authn cannot; nothing of it reaches a server.
 * @param endpoint path of the gateway
 * @param keyFiles by default the keys are read here and now
 * @throws EngineError of kind `configuration` where a file with keys cannot be read here
 */
export function tokenFilter(plugin: Plugin, endpoint: string, keyFiles = readHere): TokenFilter | undefined {
  return filterOf([callerTokens(plugin), capabilityTokens(plugin)], endpoint, keyFiles);
}

/** The same for the header alone that lists what a caller may use: others verify the tokens of callers. */
export function capabilityFilter(plugin: Plugin, endpoint: string): TokenFilter | undefined {
  return filterOf([capabilityTokens(plugin)], endpoint, readHere);
}

function filterOf(all: readonly TokenKind[], endpoint: string, keyFiles: KeyFiles): TokenFilter | undefined {
  const [first, ...more] = all.filter(({ issuers }) => issuers.length > 0);
  if (first === undefined) return undefined;
  const kinds = [first, ...more];
  const requirements = kinds.map((kind) => ({
    requires_any: {
      requirements: [
        ...kind.issuers.map((_, index) => ({ provider_name: nameOf(kind, index) })),
        { allow_missing_or_failed: {} },
      ],
    },
  }));
  return {
    filter: {
      name: 'envoy.filters.http.jwt_authn',
      typed_config: {
        '@type': typeUrl.jwtAuthn,
        providers: Object.fromEntries(kinds.flatMap((kind) => providersOf(kind, keyFiles))),
        rules: [
          {
            match: { path_separated_prefix: endpoint },
            requires: more.length === 0 ? requirements[0] : { requires_all: { requirements } },
          },
        ],
        bypass_cors_preflight: true,
      },
    },
    sources: kinds.flatMap(({ issuers }) => issuers.flatMap(({ jwks }) => ('url' in jwks ? [jwks] : []))),
  };
}

function nameOf({ prefix }: TokenKind, index: number): string {
  return `${prefix}-${index}`;
}

function providersOf(kind: TokenKind, keyFiles: KeyFiles): (readonly [string, object])[] {
  const { place, issuers, payload, header, refused } = kind;
  return issuers.map(({ issuer, audiences, jwks }, index) => [
    nameOf(kind, index),
    {
      issuer,
      ...(audiences !== undefined && audiences.length > 0 && { audiences }),
      payload_in_metadata: payload,
      // The module removes it for servers, but for a caller's token that their `credentials` pass on; and it sees whether a
      // header came more than once.
      forward: true,
      from_headers: [header],
      // One name for all would tell what the last of them says, which may know nothing of the issuer.
      ...(refused !== undefined && { failed_status_in_metadata: `${refused}${index}` }),
      ...('file' in jwks
        ? { local_jwks: keyFiles(jwks.file, `${place}[${index}].jwks.file`) }
        : {
            remote_jwks: {
              http_uri: { uri: jwks.url, cluster: jwks.cluster, timeout: '5s' },
              cache_duration: '600s',
              // Without it the keys are fetched by requests, and are gone while a refresh fails.
              async_fetch: { failed_refetch_duration: '1s' },
            },
          }),
    },
  ]);
}

function keysIn(file: string, place: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new EngineError(`${place}: ${(error as Error).message}`, 'configuration');
  }
}
