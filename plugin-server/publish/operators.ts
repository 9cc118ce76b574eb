import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { PluginServerError } from '../errors.ts';
import type { Tokens } from './tokens.ts';

/** Who may look at everything, and change what is given out. */
export interface OperatorAccess {
  /** Whether a token is needed: where the server can be reached from elsewhere. */
  readonly tokensRequired: boolean;
  /** Who may publish may also look at gateways and catalogs and roll them back. Without, only a server on loopback answers. */
  readonly publishers?: (() => Tokens) | undefined;
}

/** Whether a request is an operator's. @throws PluginServerError `token_required` */
export function checkOperator({ publishers, tokensRequired }: OperatorAccess, { headers }: FastifyRequest): void {
  if (publishers !== undefined) {
    if (publishers().nameOf(headers.authorization) !== undefined) return;
    throw new PluginServerError('token_required', 'it has to be one that allows publishing');
  }
  if (tokensRequired) {
    throw new PluginServerError('token_required', 'this server has none: start it with --token-file FILE');
  }
  // A page of evil.example whose name leads to 127.0.0.1 (DNS rebinding) sends that name.
  if (isLoopbackName(headers.host)) return;
  throw new PluginServerError('token_required', 'without one, this server answers to localhost only');
}

/** The name of an operator, for the log; undefined where no token is needed. */
export function operatorName({ publishers }: OperatorAccess, { headers }: FastifyRequest): string | undefined {
  return publishers?.().nameOf(headers.authorization);
}

function isLoopbackName(host: string | undefined): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i.test(host ?? '');
}

/** Bytes of what operators send. */
export const operatorLimit = 1024;

/**
 * Makes a scope one of operators: nobody else is answered in it.
 * @param bodyLimit bytes
 */
export function forOperators(app: FastifyInstance, access: OperatorAccess, bodyLimit = operatorLimit): void {
  // Any type is taken: the path says what it is.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, parsed) => {
    parsed(null, body);
  });
  app.addHook('onRequest', (request, reply, next) => {
    reply.header('cache-control', 'no-store');
    checkOperator(access, request);
    next();
  });
  app.setErrorHandler((error: Error, _request, reply) => {
    challenge(error, reply);
    throw error;
  });
}

/** RFC 9110 §15.5.2: a 401 says how. */
export function challenge(error: Error, reply: FastifyReply): void {
  if (error instanceof PluginServerError && error.status === 401) reply.header('www-authenticate', 'Bearer');
}

const rollbackSchema = z.strictObject({ to: z.string().min(1).max(128).optional() });

/** @throws PluginServerError `bad_request` */
export function readRollback(request: FastifyRequest): { to?: string | undefined } {
  // A web page can send a POST to localhost, but not of this type.
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new PluginServerError('bad_request', 'content-type: expected application/json');
  }
  let value: unknown;
  try {
    value = JSON.parse(String(request.body));
  } catch {
    throw new PluginServerError('bad_request', 'the body is no JSON');
  }
  const read = rollbackSchema.safeParse(value);
  if (read.success) return read.data;
  throw new PluginServerError('bad_request', 'expected {} or {"to":"<generation or version>"}');
}
