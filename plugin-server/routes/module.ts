import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Artifact } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import { evaluatePreconditions, ifRangeHolds } from '../preconditions.ts';
import { parseRange } from '../range.ts';

/** A version never changes: whoever has it need not ask again. One year is what caches take for "for ever". */
export const immutable = 'public, max-age=31536000, immutable';

/**
 * Answers with the module, or the part of it that was asked for. Never compressed: Envoy's fetch compares the digest of
 * the bytes as they came, so a content-encoding fails it for good.
 */
export function sendModule(artifact: Artifact, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { bytes, etag } = artifact;
  const { headers } = request;
  const outcome = evaluatePreconditions(headers, etag);
  if (outcome === 'failed') throw new PluginServerError('precondition_failed', etag);

  reply.headers({ etag, 'cache-control': immutable, 'accept-ranges': 'bytes' });
  if (outcome === 'not_modified') return reply.code(304).send();

  reply.type('application/wasm');
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
