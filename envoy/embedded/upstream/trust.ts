import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type SecureContext, createSecureContext } from 'node:tls';
import type { UpstreamTls } from '../config/model.ts';
import { EngineError } from '../../../common/engine-error.ts';

/** What the TLS connections of an engine are made with. Authorities take long to read: each file is read once. */
export class TrustStore {
  readonly #contexts = new Map<string, SecureContext>();

  /** @throws EngineError of kind `configuration` where the file of authorities has none */
  context({ trustedCa, versions }: UpstreamTls): SecureContext {
    const key = JSON.stringify([trustedCa, versions]);
    const known = this.#contexts.get(key);
    if (known !== undefined) return known;
    const authorities = trustedCa === undefined ? {} : { ca: readAuthorities(trustedCa) };
    const made = createSecureContext({ minVersion: versions.least, maxVersion: versions.most, ...authorities });
    this.#contexts.set(key, made);
    return made;
  }
}

/** OpenSSL takes a file without a certificate for an empty list, and would trust nobody without a word. */
function readAuthorities(file: string): Buffer {
  try {
    const pem = readFileSync(file);
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    const why = (error as Error).message;
    throw new EngineError(`Failed to load trusted CA certificates from ${file}: ${why}`, 'configuration');
  }
}
