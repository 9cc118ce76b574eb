import type { FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';

/**
 * Refuses what a page of another origin lets a browser send. Who has a token cannot be made to send it; on loopback a
 * server may have none.
 * @throws PluginServerError `foreign_page`
 */
export function checkSameOrigin({ headers, host }: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new PluginServerError('foreign_page');
  if (origin === undefined) return;
  const from = URL.canParse(origin) ? new URL(origin).host : '';
  if (from !== host) throw new PluginServerError('foreign_page');
}
