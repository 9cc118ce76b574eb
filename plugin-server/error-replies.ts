import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from './errors.ts';

const errorHeaders = {
  'content-type': 'application/json; charset=utf-8',
  // A 404 may be cached by default (RFC 9110 §15.5.5), and would outlive the publishing of the version that it names.
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

function errorBody({ code, message }: PluginServerError): { error: { code: string; message: string } } {
  return { error: { code, message } };
}

/** Fastify's own errors as rows of our table. */
function tableError(error: Error & { statusCode?: number }, request: FastifyRequest): PluginServerError {
  if (error instanceof PluginServerError) return error;
  const { statusCode = 500, message } = error;
  if (statusCode === 413) return new PluginServerError('too_large', 'the body', request.routeOptions.bodyLimit);
  if (statusCode === 414) return new PluginServerError('path_too_long');
  if (statusCode >= 400 && statusCode < 500) return new PluginServerError('bad_request', message);
  return new PluginServerError('internal', request.id);
}

/** Answers with `{error: {code, message}}`. A fault of our own goes to the log, its request id to the client. */
export function replyWithError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const known = tableError(error, request);
  if (known.status >= 500) request.log.error({ err: error }, known.message);
  // What passes by itself: clients that know the header wait this many seconds, Envoy's and Istio's fetchers their own.
  if (known.status === 503) reply.header('retry-after', '1');
  reply.code(known.status).headers(errorHeaders).send(errorBody(known));
}

/** Answers what is no HTTP request, or not a whole one: Node's parser gave up, and there is a socket but no reply. */
export function refuseConnection(
  this: FastifyInstance,
  error: Error & { code?: string },
  socket: Pick<Socket, 'destroyed' | 'writable' | 'end' | 'destroy'>,
): void {
  // https://nodejs.org/api/http.html#event-clienterror
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = connectionError(error);
  this.log.debug({ err: error }, known.message);
  const body = `${JSON.stringify(errorBody(known))}\n`;
  const headers = { ...errorHeaders, 'content-length': Buffer.byteLength(body), connection: 'close' };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${known.status} ${STATUS_CODES[known.status] ?? ''}\r\n${head.join('')}\r\n${body}`, () => {
    socket.destroy();
  });
}

function connectionError({ code, message }: Error & { code?: string }): PluginServerError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new PluginServerError('request_timeout');
  if (code === 'HPE_HEADER_OVERFLOW') return new PluginServerError('headers_too_large');
  return new PluginServerError('bad_request', message);
}
