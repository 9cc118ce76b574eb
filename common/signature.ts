// Detached signatures as openssl and `cosign verify-blob --key` have them: ECDSA on P-256 with SHA-256 (DER), or Ed25519, over
// the bytes of a file as they are.
import { type KeyObject, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { basename } from 'node:path';

/** A key that may have signed something. */
export interface TrustedKey {
  /** What people call it: the name of its file without its ending. */
  readonly name: string;
  readonly key: KeyObject;
}

/** A key or a signature that cannot be used, and why; the message begins with the name of its file. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

/** Bytes of a detached signature. */
export const signatureLimit = 64 * 1024;

const kinds = 'ECDSA on P-256 and Ed25519';

/**
 * Reads a public key.
 * @param pem SubjectPublicKeyInfo, as `openssl pkey -pubout` and `cosign generate-key-pair` write it
 * @param file where it is from
 * @throws SignatureError for a private key, for what is no key, and for a key of another kind
 */
export function publicKey(pem: string, file: string): TrustedKey {
  // Node would make the public key of a private one: whoever carries that to where things are checked gives it away.
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new SignatureError(
      `${file}: this is a private key, which stays where things are signed; openssl pkey -in FILE -pubout makes the public one`,
    );
  }
  return {
    name: basename(file).replace(/\.(?:pub|pem|key)(?:\.pem)?$/, ''),
    key: usable(() => createPublicKey(pem), file),
  };
}

/**
 * Reads a private key, PEM and not encrypted.
 * @throws SignatureError for what is no such key, and for a key of another kind
 */
export function privateKey(pem: string, file: string): KeyObject {
  return usable(() => createPrivateKey(pem), file);
}

/** The signature of `bytes`: DER for ECDSA, 64 bytes for Ed25519. */
export function signatureOf(bytes: Uint8Array, key: KeyObject): Buffer {
  return sign(digestFor(key), bytes, key);
}

/**
 * The first of the keys that made this signature over these bytes; undefined where none did.
 * @param signature as it is, or in base64, as cosign writes it
 */
export function signerOf(bytes: Uint8Array, signature: Buffer, keys: readonly TrustedKey[]): TrustedKey | undefined {
  const text = signature.toString('latin1').trim();
  const forms = /^[A-Za-z0-9+/\s]+={0,2}$/.test(text) ? [signature, Buffer.from(text, 'base64')] : [signature];
  return keys.find(({ key }) => forms.some((form) => verify(digestFor(key), bytes, key, form)));
}

function usable(read: () => KeyObject, file: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (error) {
    throw new SignatureError(`${file}: this is no key in PEM that can be read: ${(error as Error).message}`);
  }
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details } = key;
  if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return key;
  const kind = [type, details?.namedCurve].filter((part) => part !== undefined).join(' ');
  throw new SignatureError(`${file}: this is a key for ${kind}; ${kinds} are taken`);
}

/** Ed25519 has its digest built in. */
function digestFor({ asymmetricKeyType }: KeyObject): string | null {
  return asymmetricKeyType === 'ed25519' ? null : 'sha256';
}
