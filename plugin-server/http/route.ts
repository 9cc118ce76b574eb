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
  readonly read?: Handler;
  readonly put?: Handler;
  readonly post?: Handler;
}

const methodsOf: Readonly<Record<keyof Handlers, readonly string[]>> = {
  read: ['GET', 'HEAD'],
  put: ['PUT'],
  post: ['POST'],
};

/**
 * Serves `url`; methods that have no handler get a 405 that names those that have one (RFC 9110 §15.5.6), where
 * Fastify's own answer would be 404. One handler for GET and HEAD: Node drops the body of an answer to HEAD and keeps
 * its headers, while Fastify's generated HEAD routes put `content-length: 0` on a 304.
 * @param bodyLimit bytes, where the server's own limit is not enough
 */
export function serve(app: FastifyInstance, url: string, handlers: Handlers, bodyLimit?: number): void {
  const limit = bodyLimit === undefined ? {} : { bodyLimit };
  const allowed: string[] = [];
  for (const [kind, methods] of Object.entries(methodsOf) as [keyof Handlers, readonly string[]][]) {
    const handler = handlers[kind];
    if (handler === undefined) continue;
    app.route<{ Params: PathParams }>({ method: [...methods], url, handler, ...limit });
    allowed.push(...methods);
  }
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
