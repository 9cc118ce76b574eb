// Envoy's jwt_authn before the module, and tokens for it.
import { type JsonWebKey, type KeyObject, createSign, generateKeyPairSync } from 'node:crypto';
import type { Bootstrap } from '../../envoy/render/bootstrap.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A token of these claims, signed by default with the key that `jwtAuthn` verifies with; it expires in 2096. */
export function jwt(claims: object, key = privateKey, kid = 'k'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256', kid })}.${part({ exp: 4_000_000_000, ...claims })}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
}

/** The same, signed with a P-256 key. */
export function signed(claims: object, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'ES256' })}.${part({ exp: 4_000_000_000, ...claims })}`;
  return `${text}.${createSign('SHA256').update(text).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url')}`;
}

/** The JWKS of a P-256 key. */
export function jwks(key: KeyObject): string {
  return JSON.stringify({ keys: [{ ...key.export({ format: 'jwk' }), alg: 'ES256' }] });
}

/** Puts an HTTP filter before all others of the listener. */
export function addFilterBefore(bootstrap: Bootstrap, filter: object): void {
  const [listener] = bootstrap.static_resources.listeners;
  const filters: unknown[] = listener.filter_chains[0].filters[0].typed_config.http_filters;
  filters.unshift(filter);
}

/** The public half of the key, as a JWKS. */
export function publicKeys(): string {
  const key: JsonWebKey & Record<string, unknown> = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256' };
  return JSON.stringify({ keys: [key] });
}

/** Verifies what is there and lets requests without a token pass, so that it is the module that refuses them. */
export function jwtAuthn(): object {
  const provider = {
    local_jwks: { inline_string: publicKeys() },
    payload_in_metadata: 'verified',
    forward: true,
  };
  const requires = { requires_any: { requirements: [{ provider_name: 'p' }, { allow_missing: {} }] } };
  return {
    name: 'envoy.filters.http.jwt_authn',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
      providers: { p: provider },
      rules: [{ match: { prefix: '/' }, requires }],
    },
  };
}
