import { type JsonWebKey, type KeyObject, createPublicKey, verify } from 'node:crypto';
import type { Message } from '../config/message.ts';
import { type FilterFactory, HeadersStatus } from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';

const filterName = 'envoy.filters.http.jwt_authn';

interface Provider {
  /** Where its token is, and what stands before that. */
  readonly from: { readonly header: string; readonly prefix: string };
  readonly issuer: string;
  readonly keys: readonly { readonly id: string | undefined; readonly key: KeyObject }[];
  readonly payloadIn: string;
  readonly headerIn: string;
  readonly refusedIn: string;
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
 * envoy.filters.http.jwt_authn with keys in the configuration, and each token in a header: one rule, which asks for one of
 * several providers, or for one of each of several groups, and may do without a token, or without a good one.
 */
export function readJwtAuthn(message: Message): FilterFactory {
  const providers = message.map('providers', readProvider);
  const bypassesPreflight = message.flag('bypass_cors_preflight');
  const [rule] = message.messages('rules', (entry) => {
    const matches = entry.message('match', readMatch);
    return { matches, groups: entry.message('requires', readRequirements) };
  });
  const groups = (rule?.groups ?? []).map((group) => ({
    ...group,
    asked: group.providers.map((name) => providers[name]),
  }));
  if (rule === undefined || groups.some(({ asked }) => asked.length === 0 || asked.includes(undefined))) {
    message.problem('rules', 'expected one rule that names one of the providers');
    return () => undefined;
  }
  return (callbacks) => ({
    decodeHeaders: (headers) => {
      if (!rule.matches(headers.get(':path') ?? '')) return HeadersStatus.Continue;
      if (bypassesPreflight && isPreflight(headers)) return HeadersStatus.Continue;
      const left: Record<string, unknown> = {};
      for (const group of groups) {
        const failure = verifyOne(headers, group.asked as Provider[], left);
        if (failure === undefined || group.mayFail || (group.mayMiss && failure === missing)) continue;
        callbacks.sendLocalReply({
          status: failure === wrongAudience ? 403 : 401,
          body: failure,
          details: `jwt_authn_access_denied{${failure.replaceAll(' ', '_')}}`,
        });
        return HeadersStatus.StopIteration;
      }
      if (Object.keys(left).length > 0) {
        const known = callbacks.info.dynamicMetadata[filterName] as object | undefined;
        callbacks.info.dynamicMetadata[filterName] = { ...known, ...left };
      }
      return HeadersStatus.Continue;
    },
  });
}

/**
 * By the first provider that finds its token good.
 * @param left what the providers leave in the metadata @returns why none does; undefined: one has
 */
function verifyOne(headers: HeaderMap, asked: readonly Provider[], left: Record<string, unknown>): string | undefined {
  let failure: string | undefined;
  for (const provider of asked) {
    const token = tokenFor(provider, headers);
    const found = token === undefined ? missing : verifyToken(token, provider, Date.now() / 1000);
    if (typeof found === 'string') {
      // The provider that knows the issuer has the better words.
      if (failure === undefined || failure === missing || failure === unknownIssuer) failure = found;
      if (provider.refusedIn !== '' && found !== missing) {
        left[provider.refusedIn] = { code: codes[found] ?? malformed, message: found };
      }
      continue;
    }
    if (provider.payloadIn !== '') left[provider.payloadIn] = found.payload;
    if (provider.headerIn !== '') left[provider.headerIn] = found.header;
    if (!provider.forward) headers.remove(provider.from.header);
    return undefined;
  }
  return failure;
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
  const [from = bearer, ...more] = provider.messages('from_headers', (place) => ({
    header: place.header('name'),
    prefix: place.text('value_prefix'),
  }));
  if (more.length > 0) provider.problem('from_headers', 'expected one header: this engine looks in no other');
  if (provider.has('remote_jwks')) {
    provider.raw('remote_jwks');
    provider.problem('remote_jwks', 'this engine fetches no keys: give them as local_jwks');
  }
  const text = provider.message('local_jwks', (jwks) => jwks.text('inline_string'));
  return {
    from,
    issuer: provider.text('issuer'),
    keys: readKeys(text, provider),
    payloadIn: provider.text('payload_in_metadata'),
    headerIn: provider.text('header_in_metadata'),
    refusedIn: provider.text('failed_status_in_metadata'),
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

/** Providers of which one has to find its token good, and whether it does without a token, or without a good one. */
interface Requirement {
  readonly providers: readonly string[];
  readonly mayMiss: boolean;
  readonly mayFail: boolean;
}

/** What all have to be met. */
function readRequirements(requires: Message): Requirement[] {
  const all = requires.message('requires_all', (list) => list.messages('requirements', readRequirement));
  return all.length > 0 ? all : [readRequirement(requires)];
}

function readRequirement(requires: Message): Requirement {
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

/** Where a provider says nothing of headers. */
const bearer = { header: 'authorization', prefix: 'Bearer ' };

function tokenFor({ from }: Provider, headers: HeaderMap): string | undefined {
  // Several are one, as in Envoy: no token.
  const value = headers.getAll(from.header).join(',');
  if (value === '' || !value.startsWith(from.prefix)) return undefined;
  const token = value.slice(from.prefix.length).trim();
  return /^\S+$/.test(token) ? token : undefined;
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
  if (typeof payload['exp'] === 'number' && payload['exp'] < now - leeway) return expired;
  if (typeof payload['nbf'] === 'number' && payload['nbf'] > now + leeway) return notYetValid;
  if (audiences.length > 0 && ![payload['aud']].flat().some((audience) => audiences.includes(String(audience)))) {
    return wrongAudience;
  }
  const name = String(header['alg']);
  const algorithm = Object.hasOwn(algorithms, name) ? algorithms[name] : undefined;
  if (algorithm === undefined) return 'Jwt header [alg] is not supported';
  const signed = Buffer.from(`${headerPart}.${payloadPart}`);
  const bytes = Buffer.from(signature, 'base64url');
  const candidates = keys.filter(({ id }) => id === undefined || header['kid'] === undefined || id === header['kid']);
  if (candidates.length === 0) return unknownKey;
  const verified = candidates.some(({ key }) =>
    verify(algorithm.digest, signed, algorithm.ecdsa ? { key, dsaEncoding: 'ieee-p1363' } : key, bytes),
  );
  return verified ? { header, payload } : badSignature;
}

const missing = 'Jwt is missing';
const wrongAudience = 'Audiences in Jwt are not allowed';
const unknownIssuer = 'Jwt issuer is not configured';
const expired = 'Jwt is expired';
const notYetValid = 'Jwt not yet valid';
const badSignature = 'Jwt verification fails';
const unknownKey = "Jwks doesn't have key to match kid or alg from Jwt";

/** What Envoy leaves of a refusal beside its text; of one that is not here, that the token cannot be read. */
const codes: Readonly<Record<string, number>> = {
  [notYetValid]: 2,
  [expired]: 3,
  [unknownIssuer]: 24,
  [wrongAudience]: 25,
  [badSignature]: 26,
  [unknownKey]: 32,
};
const malformed = 4;

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
