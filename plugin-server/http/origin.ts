import type { FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';

/** What a Host header has of what a URL may have there. */
const hostPattern = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** Where the client came, for whole URLs that lead back here. @throws PluginServerError `bad_request` for a Host that is none */
export function originOf({ protocol, host }: FastifyRequest): string {
  if (!hostPattern.test(host)) throw new PluginServerError('bad_request', 'its host header names no host');
  return `${protocol}://${host}`;
}
