import type { FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { codeOf } from '../store/files.ts';

/** Each may hold twice its limit in memory while it is unpacked. */
const uploadsAtOnce = 4;

/** Counts the uploads under way: whoever may publish may still not use up the memory. */
export class Uploads {
  #underWay = 0;

  /** Throws `busy` where too many are under way. */
  async run<T>(upload: () => Promise<T>): Promise<T> {
    if (this.#underWay >= uploadsAtOnce) throw new PluginServerError('busy');
    this.#underWay++;
    try {
      return await upload();
    } finally {
      this.#underWay--;
    }
  }
}

/**
 * Throws `unsupported_type` for what is certainly no file: a form, or a content-encoding, whose digest could be meant of
 * either side. Any other type is welcome, as clients send what they like: the bytes tell what they are.
 */
export function checkUploadType({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new PluginServerError('unsupported_type', `content-encoding ${encoding}`);
  const type = headers['content-type'] ?? '';
  if (/^multipart\//i.test(type)) throw new PluginServerError('unsupported_type', 'a multipart form');
}

/**
 * Reads a body of at most `limit` bytes; a client that waits for `100 Continue` is told to send it only now. Throws
 * `too_large`, and `bad_request` where the client went away before the end.
 */
export async function readUpload(request: FastifyRequest, reply: FastifyReply, limit: number): Promise<Buffer> {
  const { raw, headers } = request;
  const tooLarge = new PluginServerError('too_large', 'the upload', limit);
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge;
  if (/^100-continue$/i.test(headers.expect ?? '')) reply.raw.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Destroyed, the request would take the connection with it, and the answer.
    for await (const chunk of raw.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > limit) throw tooLarge;
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    raw.resume(); // what still comes is not kept
    if (codeOf(error) === 'ECONNRESET') throw new PluginServerError('bad_request', 'the upload ended before its end');
    throw error;
  }
  return Buffer.concat(chunks, size);
}
