import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { parseDictionary } from 'structured-headers';
import { PluginServerError } from '../errors.ts';

/** RFC 9530 has more, all of them broken or rare; what one does not know, one ignores (§2, §3). */
const algorithms = { 'sha-256': 'sha256', 'sha-512': 'sha512' } as const;

/** For an upload these are the same: the whole representation is in the content. (RFC 9530 §2 and §3) */
const fields = ['content-digest', 'repr-digest'] as const;

/**
 * Compares `content`, as it came, with the digests that the client sent along. Throws `digest_mismatch`, or
 * `bad_request` for a field that cannot be read: a client that wants to be sure is not left in doubt.
 */
export function checkDigests(headers: IncomingHttpHeaders, content: Uint8Array): void {
  for (const field of fields) {
    const value = headers[field];
    if (typeof value !== 'string') continue;
    for (const [algorithm, promised] of digests(field, value)) {
      const actual = createHash(algorithm).update(content).digest();
      if (promised.length !== actual.length || !timingSafeEqual(promised, actual)) {
        throw new PluginServerError('digest_mismatch', field);
      }
    }
  }
}

function digests(field: string, value: string): [algorithm: string, digest: Uint8Array][] {
  const unreadable = new PluginServerError('bad_request', `${field} is not like sha-256=:<base64>:`);
  let dictionary: ReturnType<typeof parseDictionary>;
  try {
    dictionary = parseDictionary(value);
  } catch {
    throw unreadable;
  }
  return Object.entries(algorithms).flatMap(([name, algorithm]) => {
    const item = dictionary.get(name);
    if (item === undefined) return [];
    if (!(item[0] instanceof ArrayBuffer)) throw unreadable;
    return [[algorithm, new Uint8Array(item[0])] as [string, Uint8Array]];
  });
}

/** The field for `content`, as a client sends it. */
export function contentDigest(content: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;
}
