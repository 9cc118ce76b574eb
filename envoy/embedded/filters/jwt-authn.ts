import { type JsonWebKey, type KeyObject, createPublicKey, verify } from 'node:crypto';
import type { Message } from '../config/message.ts';
import { type FilterFactory, HeadersStatus } from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';

const filterName = 'envoy.filters.http.jwt_authn';

interface Provider {
  readonly issuer: string;
  readonly keys: readonly { readonly id: string | undefined; readonly key: KeyObject }[];
  readonly payloadIn: string;
  readonly headerIn: string;
  readonly forward: boolean;
  /** Empty: any. */
  readonly audiences: readonly string[];
}

/** JWS algorithm → what node:crypto calls its digest, and how a signature looks. (RFC 7518 §3) */
const algorithms: Readonly<Record<string, { digest: string; ecdsa: boolean }>> = {
  RS256: { digest: 'sha256', ecdsa: false },
  RS384: { digest: 'sha384', ecdsa: false },
  RS512: { digest: 'sha512', ecdsa: false },
  ES256: { digest: 'sha256', ecdsa: true },
  ES384: { digest: 'sha384', ecdsa: true },
};

/**
 * envoy.filters.http.jwt_authn with keys in the configuration, and tokens as `Authorization: Bearer`: one rule, which asks
 * for one of several providers, and may do without a token, or without a good one.
 */
export function readJwtAuthn(message: Message): FilterFactory {
  const providers = message.map('providers', readProvider);
  const bypassesPreflight = message.flag('bypass_cors_preflight');
  const [rule] = message.messages('rules', (entry) => {
    const matches = entry.message('match', readMatch);
    return { matches, ...entry.message('requires', readRequirement) };
  });
  const asked = (rule?.providers ?? []).map((name) => providers[name]);
  if (rule === undefined || asked.length === 0 || asked.includes(undefined)) {
    message.problem('rules', 'expected one rule that names one of the providers');
    return () => undefined;
  }
  return (callbacks) => ({
    decodeHeaders: (headers) => {
      if (!rule.matches(headers.get(':path') ?? '')) return HeadersStatus.Continue;
      if (bypassesPreflight && isPreflight(headers)) return HeadersStatus.Continue;
      const refuse = (status: string, details: string): HeadersStatus => {
        callbacks.sendLocalReply({
          status: status === wrongAudience ? 403 : 401,
          body: status,
          details: `jwt_authn_access_denied{${details}}`,
        });
        return HeadersStatus.StopIteration;
      };
      const token = bearerToken(headers);
      if (token === undefined) {
        return rule.mayMiss || rule.mayFail ? HeadersStatus.Continue : refuse('Jwt is missing', 'Jwt_is_missing');
      }
      let failure = '';
      for (const provider of asked as Provider[]) {
        const verified = verifyToken(token, provider, Date.now() / 1000);
        if (typeof verified === 'string') {
          // The provider that knows the issuer has the better words.
          if (failure === '' || failure === unknownIssuer) failure = verified;
          continue;
        }
        callbacks.info.dynamicMetadata[filterName] = {
          ...(provider.payloadIn === '' ? {} : { [provider.payloadIn]: verified.payload }),
          ...(provider.headerIn === '' ? {} : { [provider.headerIn]: verified.header }),
        };
        if (!provider.forward) headers.remove('authorization');
        return HeadersStatus.Continue;
      }
      return rule.mayFail ? HeadersStatus.Continue : refuse(failure, failure.replaceAll(' ', '_'));
    },
  });
}

/** A preflight has no token, and asks by this header what it may send (Fetch §4.8). */
function isPreflight(headers: HeaderMap): boolean {
  return (
    headers.get(':method') === 'OPTIONS' &&
    headers.get('origin') !== undefined &&
    headers.get('access-control-request-method') !== undefined
  );
}

/** By a prefix of the path, or by whole segments of it. */
function readMatch(match: Message): (path: string) => boolean {
  const prefix = match.text('prefix');
  const separated = match.text('path_separated_prefix');
  if (separated === '') return (path) => path.startsWith(prefix);
  return (path) => {
    const [own = ''] = path.split('?');
    return own === separated || own.startsWith(`${separated}/`);
  };
}

function readProvider(provider: Message): Provider {
  const places = provider.messages('from_headers', (from) => `${from.header('name')}: ${from.text('value_prefix')}`);
  if (places.some((place) => place !== 'authorization: Bearer ')) {
    provider.problem('from_headers', 'expected authorization with the prefix "Bearer "');
  }
  if (provider.has('remote_jwks')) {
    provider.raw('remote_jwks');
    provider.problem('remote_jwks', 'this engine fetches no keys: give them as local_jwks');
  }
  const text = provider.message('local_jwks', (jwks) => jwks.text('inline_string'));
  return {
    issuer: provider.text('issuer'),
    keys: readKeys(text, provider),
    payloadIn: provider.text('payload_in_metadata'),
    headerIn: provider.text('header_in_metadata'),
    forward: provider.flag('forward'),
    audiences: provider.texts('audiences'),
  };
}

function readKeys(text: string, provider: Message): Provider['keys'] {
  try {
    const { keys } = JSON.parse(text) as { keys: (JsonWebKey & { kid?: string })[] };
    return keys.map((key) => ({ id: key.kid, key: createPublicKey({ key, format: 'jwk' }) }));
  } catch (error) {
    provider.problem('local_jwks', `no JWKS: ${(error as Error).message}`);
    return [];
  }
}

/** Providers, and whether it does without a token, or without a good one. */
function readRequirement(requires: Message): { providers: string[]; mayMiss: boolean; mayFail: boolean } {
  const alone = requires.text('provider_name');
  const any = requires.message('requires_any', (list) =>
    list.messages('requirements', (requirement) => ({
      provider: requirement.text('provider_name'),
      mayMiss: requirement.optional('allow_missing', () => true) ?? false,
      mayFail: requirement.optional('allow_missing_or_failed', () => true) ?? false,
    })),
  );
  return {
    providers: [alone, ...any.map(({ provider }) => provider)].filter((name) => name !== ''),
    mayMiss: any.some(({ mayMiss }) => mayMiss),
    mayFail: any.some(({ mayFail }) => mayFail),
  };
}

function bearerToken(headers: HeaderMap): string | undefined {
  return /^Bearer (\S+)$/.exec(headers.get('authorization') ?? '')?.[1];
}

type Claims = Readonly<Record<string, unknown>>;

/** @returns what it says, or why it is not believed: Envoy's own words */
function verifyToken(
  token: string,
  { keys, issuer, audiences }: Provider,
  now: number,
): { header: Claims; payload: Claims } | string {
  const [headerPart = '', payloadPart = '', signature = '', ...rest] = token.split('.');
  const header = decode(headerPart);
  const payload = decode(payloadPart);
  if (header === undefined || payload === undefined || signature === '' || rest.length > 0) {
    return 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections';
  }
  if (issuer !== '' && payload['iss'] !== issuer) return unknownIssuer;
  if (typeof payload['exp'] === 'number' && payload['exp'] < now - leeway) return 'Jwt is expired';
  if (typeof payload['nbf'] === 'number' && payload['nbf'] > now + leeway) return 'Jwt not yet valid';
  if (audiences.length > 0 && ![payload['aud']].flat().some((audience) => audiences.includes(String(audience)))) {
    return wrongAudience;
  }
  const name = String(header['alg']);
  const algorithm = Object.hasOwn(algorithms, name) ? algorithms[name] : undefined;
  if (algorithm === undefined) return 'Jwt header [alg] is not supported';
  const signed = Buffer.from(`${headerPart}.${payloadPart}`);
  const bytes = Buffer.from(signature, 'base64url');
  const candidates = keys.filter(({ id }) => id === undefined || header['kid'] === undefined || id === header['kid']);
  const verified = candidates.some(({ key }) =>
    verify(algorithm.digest, signed, algorithm.ecdsa ? { key, dsaEncoding: 'ieee-p1363' } : key, bytes),
  );
  return verified ? { header, payload } : 'Jwt verification fails';
}

const wrongAudience = 'Audiences in Jwt are not allowed';
const unknownIssuer = 'Jwt issuer is not configured';

/** How far clocks may differ, in seconds. */
const leeway = 60;

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
