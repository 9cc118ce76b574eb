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
}

/** JWS algorithm → what node:crypto calls its digest, and how a signature looks. (RFC 7518 §3) */
const algorithms: Readonly<Record<string, { digest: string; ecdsa: boolean }>> = {
  RS256: { digest: 'sha256', ecdsa: false },
  RS384: { digest: 'sha384', ecdsa: false },
  RS512: { digest: 'sha512', ecdsa: false },
  ES256: { digest: 'sha256', ecdsa: true },
  ES384: { digest: 'sha384', ecdsa: true },
};

/** envoy.filters.http.jwt_authn with keys in the configuration: one provider, tokens as `Authorization: Bearer`. */
export function readJwtAuthn(message: Message): FilterFactory {
  const providers = message.map('providers', readProvider);
  const [rule] = message.messages('rules', (entry) => {
    const { prefix } = entry.message('match', (match) => ({ prefix: match.text('prefix') }));
    return { prefix, ...entry.message('requires', readRequirement) };
  });
  const provider = providers[rule?.provider ?? ''];
  if (provider === undefined || rule === undefined) {
    message.problem('rules', 'expected one rule that names one of the providers');
    return () => undefined;
  }
  return (callbacks) => ({
    decodeHeaders: (headers) => {
      if (headers.get(':path')?.startsWith(rule.prefix) !== true) return HeadersStatus.Continue;
      const refuse = (status: string, details: string): HeadersStatus => {
        callbacks.sendLocalReply({ status: 401, body: status, details: `jwt_authn_access_denied{${details}}` });
        return HeadersStatus.StopIteration;
      };
      const token = bearerToken(headers);
      if (token === undefined) {
        return rule.mayMiss ? HeadersStatus.Continue : refuse('Jwt is missing', 'Jwt_is_missing');
      }
      const verified = verifyToken(token, provider, Date.now() / 1000);
      if (typeof verified === 'string') return refuse(verified, verified.replaceAll(' ', '_'));
      callbacks.info.dynamicMetadata[filterName] = {
        ...(provider.payloadIn === '' ? {} : { [provider.payloadIn]: verified.payload }),
        ...(provider.headerIn === '' ? {} : { [provider.headerIn]: verified.header }),
      };
      if (!provider.forward) headers.remove('authorization');
      return HeadersStatus.Continue;
    },
  });
}

function readProvider(provider: Message): Provider {
  const text = provider.message('local_jwks', (jwks) => jwks.text('inline_string'));
  return {
    issuer: provider.text('issuer'),
    keys: readKeys(text, provider),
    payloadIn: provider.text('payload_in_metadata'),
    headerIn: provider.text('header_in_metadata'),
    forward: provider.flag('forward'),
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

/** A provider, alone or beside `allow_missing`. */
function readRequirement(requires: Message): { provider: string; mayMiss: boolean } {
  const alone = requires.text('provider_name');
  const any = requires.message('requires_any', (list) =>
    list.messages('requirements', (requirement) => ({
      provider: requirement.text('provider_name'),
      mayMiss: requirement.optional('allow_missing', () => true) ?? false,
    })),
  );
  return {
    provider: alone === '' ? (any.find(({ provider }) => provider !== '')?.provider ?? '') : alone,
    mayMiss: any.some(({ mayMiss }) => mayMiss),
  };
}

function bearerToken(headers: HeaderMap): string | undefined {
  return /^Bearer (\S+)$/.exec(headers.get('authorization') ?? '')?.[1];
}

type Claims = Readonly<Record<string, unknown>>;

/** @returns what it says, or why it is not believed: Envoy's own words */
function verifyToken(
  token: string,
  { keys, issuer }: Provider,
  now: number,
): { header: Claims; payload: Claims } | string {
  const [headerPart = '', payloadPart = '', signature = '', ...rest] = token.split('.');
  const header = decode(headerPart);
  const payload = decode(payloadPart);
  if (header === undefined || payload === undefined || signature === '' || rest.length > 0) {
    return 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections';
  }
  if (issuer !== '' && payload['iss'] !== issuer) return 'Jwt issuer is not configured';
  if (typeof payload['exp'] === 'number' && payload['exp'] < now - leeway) return 'Jwt is expired';
  if (typeof payload['nbf'] === 'number' && payload['nbf'] > now + leeway) return 'Jwt not yet valid';
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
