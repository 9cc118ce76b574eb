import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { wantsPage } from '../http/browser.ts';
import { serveReadOnly } from '../http/route.ts';
import { type Content, sendContent, volatile } from '../http/send.ts';
import { readAssets } from './assets.ts';

/**
 * What the page may do: load its own files and ask its own server. It has no script, style or handler in its text, may not
 * make markup of text, and stands in no frame.
 */
const contentSecurityPolicy = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** `GET /` for browsers, and the files of the page. */
export function pageRoutes(app: FastifyInstance): void {
  const assets = readAssets();
  const page = assets.get('index.html');
  serveReadOnly(app, '/', (request, reply) => {
    // Whoever types the address into a browser sees the page; programs are told where things are.
    if (!wantsPage(request, reply) || page === undefined) throw new PluginServerError('not_found');
    reply.headers({
      'content-security-policy': contentSecurityPolicy,
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    return send(page, request, reply);
  });
  serveReadOnly(app, '/page/:name', (request, reply) => {
    const asset = assets.get(request.params.name);
    if (asset === undefined) throw new PluginServerError('not_found');
    reply.header('cross-origin-resource-policy', 'same-origin');
    return send(asset, request, reply);
  });
}

/** Another release has other files under the same names: caches are to ask each time. */
function send(content: Content, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendContent(content, request, reply, volatile);
}
