import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';

/** The parameters of a path; one that the path does not have is absent. */
interface PathParams {
  readonly name: string;
  readonly version: string;
}

type Handler = (request: FastifyRequest<{ Params: PathParams }>, reply: FastifyReply) => unknown;

const readMethods = ['GET', 'HEAD'];

/**
 * Serves `url` on GET and HEAD; other methods get a 405 that names these two (RFC 9110 §15.5.6), where Fastify's own
 * answer would be 404. One handler for both: Node drops the body of an answer to HEAD and keeps its headers, while
 * Fastify's generated HEAD routes put `content-length: 0` on a 304.
 */
export function serveReadOnly(app: FastifyInstance, url: string, handler: Handler): void {
  app.route<{ Params: PathParams }>({ method: readMethods, url, handler });
  app.route({
    method: app.supportedMethods.filter((method) => !readMethods.includes(method)),
    url,
    handler: (request, reply) => {
      reply.header('allow', readMethods.join(', '));
      throw new PluginServerError('method_not_allowed', request.method);
    },
  });
}
