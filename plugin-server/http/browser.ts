import type { FastifyReply, FastifyRequest } from 'fastify';

/** Browsers name `text/html` among what they accept; curl, Go, fetch and Envoy do not. */
export function wantsPage(request: FastifyRequest, reply: FastifyReply): boolean {
  reply.header('vary', 'accept');
  return /(?:^|[\s,])text\/html\s*(?:$|[,;])/i.test(request.headers.accept ?? '');
}
