import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';

/** The parameters of a path; one that the path does not have is absent. */
interface PathParams {
  readonly name: string;
  /** Where a version stands: also a range. */
  readonly version: string;
}

export type PathRequest = FastifyRequest<{ Params: PathParams }>;
export type Handler = (request: PathRequest, reply: FastifyReply) => unknown;

interface Handlers {
  /** GET and HEAD */
  readonly read: Handler;
  readonly put?: Handler;
}

const readMethods = ['GET', 'HEAD'];

/**
 * Serves `url`; methods that have no handler get a 405 that names those that have one (RFC 9110 §15.5.6), where
 * Fastify's own answer would be 404. One handler for GET and HEAD: Node drops the body of an answer to HEAD and keeps
 * its headers, while Fastify's generated HEAD routes put `content-length: 0` on a 304.
 */
export function serve(app: FastifyInstance, url: string, { read, put }: Handlers): void {
  app.route<{ Params: PathParams }>({ method: readMethods, url, handler: read });
  if (put !== undefined) app.route<{ Params: PathParams }>({ method: 'PUT', url, handler: put });
  const allowed = put === undefined ? readMethods : [...readMethods, 'PUT'];
  app.route({
    method: app.supportedMethods.filter((method) => !allowed.includes(method)),
    url,
    handler: (request, reply) => {
      reply.header('allow', allowed.join(', '));
      throw new PluginServerError('method_not_allowed', request.method);
    },
  });
}

export function serveReadOnly(app: FastifyInstance, url: string, read: Handler): void {
  serve(app, url, { read });
}
