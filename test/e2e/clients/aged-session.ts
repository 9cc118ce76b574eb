// A session as it is some time after it began: what its id holds is sealed anew, as the gateway does it.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const algorithm = 'chacha20-poly1305';
const nonceSize = 12;
const tagSize = 16;

/**
 * @param id of a session that has no identity, as the gateway gave it
 * @param key of the gateway, which it is sealed with
 * @param seconds by which it is to be older
 */
export function aged(id: string, key: Buffer, seconds: number, gateway = 'sluice', endpoint = '/mcp'): string {
  const sealed = Buffer.from(id, 'base64url');
  const head = sealed.subarray(0, 2);
  const bound = Buffer.concat([
    head,
    ...[gateway, endpoint, ''].flatMap((part) => [lengthOf(part), Buffer.from(part)]),
  ]);
  const nonce = sealed.subarray(2, 2 + nonceSize);
  const opened = createDecipheriv(algorithm, key, nonce, { authTagLength: tagSize });
  opened.setAAD(bound, { plaintextLength: sealed.length });
  opened.setAuthTag(sealed.subarray(-tagSize));
  const plain = Buffer.concat([opened.update(sealed.subarray(2 + nonceSize, -tagSize)), opened.final()]);
  plain.writeUInt32LE(plain.readUInt32LE(0) - seconds, 0);
  const fresh = randomBytes(nonceSize);
  const again = createCipheriv(algorithm, key, fresh, { authTagLength: tagSize });
  again.setAAD(bound, { plaintextLength: plain.length });
  const text = Buffer.concat([again.update(plain), again.final()]);
  return Buffer.concat([head, fresh, text, again.getAuthTag()]).toString('base64url');
}

function lengthOf(text: string): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Buffer.byteLength(text));
  return bytes;
}
