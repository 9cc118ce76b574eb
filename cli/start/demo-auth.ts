import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, exitCode } from '../io.ts';
import type { Configuration } from './configuration.ts';

const issuer = 'sluice-demo';
const audience = 'sluice';
const lifetime = 24 * 3600;

/** A configuration that asks for tokens, and one that is good for it. */
export interface DemoAuth {
  readonly configuration: Configuration;
  readonly token: string;
}

/**
 * What `--auth demo` does: makes a key, lets the gateway verify tokens with its public half, and signs one token, which is
 * good for a day or until the next start. The private half is kept nowhere.
 * @param directory for the public key
 * @throws CommandError (wrong use) where the configuration has an `auth` or `identity` of its own
 */
export function demoAuth({ plugin, servers }: Configuration, directory: string): DemoAuth {
  for (const member of ['auth', 'identity']) {
    if (plugin[member] === undefined) continue;
    throw new CommandError(
      `--auth demo: the configuration has ${member} already; leave one of them out`,
      exitCode.usage,
    );
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'demo-jwks.json');
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'demo', alg: 'ES256', use: 'sig' };
  writeFileSync(file, `${JSON.stringify({ keys: [key] })}\n`);
  const auth = { issuers: [{ issuer, audiences: [audience], jwks: { file } }] };
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: 'demo', iat: now, exp: now + lifetime };
  const signed = `${encoded({ alg: 'ES256', kid: 'demo', typ: 'JWT' })}.${encoded(claims)}`;
  const signature = createSign('sha256')
    .update(signed)
    .sign({ key: privateKey, dsaEncoding: 'ieee-p1363' }, 'base64url');
  return { configuration: { plugin: { ...plugin, auth }, servers }, token: `${signed}.${signature}` };
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
