import type { FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { evaluatePreconditions, ifRangeHolds } from './preconditions.ts';
import { parseRange } from './range.ts';

/** A version never changes: whoever has it need not ask again. One year is what caches take for "for ever". */
const immutable = 'public, max-age=31536000, immutable';

/** A listing grows when a version is added, a range means another one: caches are to ask each time. */
export const volatile = 'no-cache';

/** Bytes that are the same on every replica, for ever. */
export interface Content {
  readonly bytes: Buffer;
  /** Strong. */
  readonly etag: string;
  readonly reprDigest: string;
  readonly type: string;
}

/**
 * Answers with the content, or the part of it that was asked for. Never compressed: Envoy's fetch compares the digest of
 * the bytes as they came, so a content-encoding fails it for good.
 * @param caching for caches: for ever, unless the same path can come to mean other bytes
 */
export function sendContent(
  content: Content,
  request: FastifyRequest,
  reply: FastifyReply,
  caching = immutable,
): FastifyReply {
  const { bytes, etag, reprDigest, type } = content;
  const { headers } = request;
  const outcome = evaluatePreconditions(headers, etag);
  if (outcome === 'failed') throw new PluginServerError('precondition_failed', etag);

  reply.headers({ etag, 'repr-digest': reprDigest, 'cache-control': caching, 'accept-ranges': 'bytes' });
  if (outcome === 'not_modified') return reply.code(304).send();

  reply.type(type);
  // RFC 9110 §14.2: Range is defined for GET only, and read after all preconditions but If-Range.
  const ranged = request.method === 'GET' && ifRangeHolds(headers['if-range'] as string | undefined, etag);
  const range = ranged ? parseRange(headers.range, bytes.length) : 'whole';
  if (range === 'whole') return reply.send(bytes);
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${bytes.length}`);
    throw new PluginServerError('range_not_satisfiable', bytes.length);
  }
  const { first, last } = range;
  reply.code(206).header('content-range', `bytes ${first}-${last}/${bytes.length}`);
  return reply.send(bytes.subarray(first, last + 1));
}

/** Answers with text whose bytes never change. */
export function sendText(text: string, reply: FastifyReply, type = 'text/plain; charset=utf-8'): FastifyReply {
  return reply.header('cache-control', immutable).type(type).send(text);
}
