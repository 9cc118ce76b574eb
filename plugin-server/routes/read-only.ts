import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods, onRequestHookHandler } from 'fastify';
import { PluginServerError } from '../errors.ts';

/** The parameters of a path; one that the path does not have is absent. */
interface PathParams {
  readonly name: string;
  readonly version: string;
}

type Handler = (request: FastifyRequest<{ Params: PathParams }>, reply: FastifyReply) => unknown;

const readMethods: HTTPMethods[] = ['GET', 'HEAD'];

/**
 * Serves `url` on GET and HEAD. One handler for both: Node drops the body of an answer to HEAD and keeps its headers,
 * while Fastify's generated HEAD routes put `content-length: 0` on a 304.
 */
export function serveReadOnly(app: FastifyInstance, url: string, handler: Handler): void {
  serveMethods(app, readMethods, url, { handler });
}

/**
 * Serves `url` on some methods; others get a 405 that names these (RFC 9110 §15.5.6), where Fastify's own answer would
 * be 404.
 */
export function serveMethods(
  app: FastifyInstance,
  methods: HTTPMethods[],
  url: string,
  { handler, onRequest }: { readonly handler: Handler; readonly onRequest?: onRequestHookHandler },
): void {
  app.route<{ Params: PathParams }>({ method: methods, url, handler, ...(onRequest && { onRequest }) });
  app.route({
    method: app.supportedMethods.filter((method) => !methods.includes(method as HTTPMethods)),
    url,
    handler: (request, reply) => {
      reply.header('allow', methods.join(', '));
      throw new PluginServerError('method_not_allowed', request.method);
    },
  });
}
