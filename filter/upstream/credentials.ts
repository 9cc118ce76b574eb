import { Arena } from '../bytes/arena';
import { HeaderList, readPairs } from '../bytes/pairs';
import { Span, equals, length, literal, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { CredentialKind, Credentials } from '../model/credentials';
import { hmacSha256 } from '../crypto/sha256';
import { KEY_SIZE } from '../crypto/aead';
import { KeyRing } from '../model/keyring';

const SCOPE = literal('sluice credential scope');

/** Puts the credentials for a server into the headers of a message of our own. @param client the client's headers */
export function addCredentials(to: HeaderList, credentials: Credentials, client: Span, arena: Arena): void {
  if (credentials.value !== NONE) to.add(credentials.header, credentials.value);
  if (credentials.kind !== CredentialKind.Passthrough) return;
  for (const pairs = readPairs(client, arena); pairs.next();) {
    if (credentials.passes(pairs.name)) to.add(pairs.name, pairs.value);
  }
}

/**
 * Stands for the credentials that a client sends a server: the same for those who send the same, and NONE, so the same
 * for everybody, where the gateway sends its own. A keyed hash, as what it stands for is a secret.
 * @param client the client's headers
 */
export function credentialScope(credentials: Credentials, client: Span, keys: KeyRing, arena: Arena): Span {
  if (!credentials.isOfClient) return NONE;
  const message = newWriter(arena, 512).bytes(SCOPE);
  // By name, in the order of the configuration: in which order a client sends them says nothing.
  for (let i = 0; i < credentials.headers.count; i++) {
    const name: Span = credentials.headers.at(i);
    for (const pairs = readPairs(client, arena); pairs.next();) {
      if (!equals(pairs.name, name)) continue;
      message
        .u32(i as u32)
        .u32(length(pairs.value) as u32)
        .bytes(pairs.value);
    }
  }
  return hmacSha256(span(keys.sealing.bytes, KEY_SIZE), message.written, arena);
}
