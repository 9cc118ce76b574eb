import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { type PluginListing, listing } from '../metadata.ts';
import type { Trust } from '../publish/trust.ts';
import { signed } from '../signed.ts';
import { evaluatePreconditions } from '../http/preconditions.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { contentSecurityPolicy, listingPage } from './page.ts';
import { serveReadOnly } from '../http/route.ts';
import { volatile } from '../http/send.ts';

/** `GET /` for browsers; `GET /plugins` and `GET /plugins/<name>`: JSON, or a page where a browser asks. */
export function listingRoutes(app: FastifyInstance, store: ArtifactStore, trust: Trust): void {
  const describe = (name: string): PluginListing => ({
    name,
    versions: store.versions(name).map((each) => listing(each, signed(store, trust, each))),
  });
  // Peers poll it, and with a thousand versions it has some 200 KB: it is made once for each state of store and keys.
  let all:
    { readonly generation: number; readonly keys: unknown; readonly text: string; readonly etag: string } | undefined;
  const allPlugins = (): NonNullable<typeof all> => {
    const { generation } = store;
    const { keys } = trust;
    if (all?.generation !== generation || all.keys !== keys) {
      const text = `${JSON.stringify({ plugins: store.names().map(describe) })}\n`;
      all = { generation, keys, text, etag: `"${createHash('sha256').update(text).digest('hex')}"` };
    }
    return all;
  };

  serveReadOnly(app, '/', (request, reply) => {
    // Whoever types the address into a browser sees the page; programs are told where things are.
    if (wantsPage(request, reply)) return reply.header('cache-control', volatile).redirect('/plugins', 307);
    throw new PluginServerError('not_found');
  });
  serveReadOnly(app, '/plugins', (request, reply) => {
    if (wantsPage(request, reply)) return sendPage(reply, store.names().map(describe));
    const { text, etag } = allPlugins();
    reply.headers({ 'cache-control': volatile, etag });
    if (evaluatePreconditions(request.headers, etag) === 'not_modified') return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(text);
  });
  serveReadOnly(app, '/plugins/:name', (request, reply) => {
    const plugin = describe(request.params.name);
    if (wantsPage(request, reply)) return sendPage(reply, [plugin], plugin.name);
    return reply.header('cache-control', volatile).send(plugin);
  });
}

/** Browsers name `text/html` among what they accept; curl, Go, fetch and Envoy do not. */
function wantsPage(request: FastifyRequest, reply: FastifyReply): boolean {
  reply.header('vary', 'accept');
  return /(?:^|[\s,])text\/html\s*(?:$|[,;])/i.test(request.headers.accept ?? '');
}

function sendPage(reply: FastifyReply, plugins: readonly PluginListing[], title?: string): FastifyReply {
  const headers = {
    'cache-control': volatile,
    'content-security-policy': contentSecurityPolicy,
    'referrer-policy': 'no-referrer',
  };
  return reply.headers(headers).type('text/html; charset=utf-8').send(listingPage(plugins, title));
}
