import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, PluginServerError } from '../errors.ts';
import { serveReadOnly } from '../http/route.ts';
import { type Content, sendContent, volatile } from '../http/send.ts';
import { digestOf } from './image.ts';
import type { Images } from './images.ts';

/**
 * The last component of a repository's name is the plugin's; what stands before it is the registry's own order
 * (`oci://HOST/higress/plugins/key-auth:1.0.0`), and changes nothing.
 */
const paths: readonly (readonly [RegExp, keyof typeof handlers])[] = [
  [/^(?:.+\/)?([^/]+)\/manifests\/([^/]+)$/, 'manifest'],
  [/^(?:.+\/)?([^/]+)\/blobs\/([^/]+)$/, 'blob'],
  [/^(?:.+\/)?([^/]+)\/tags\/(list)$/, 'tags'],
];

type Answer = (
  images: Images,
  name: string,
  reference: string,
  request: FastifyRequest,
  reply: FastifyReply,
) => unknown;

const handlers = {
  manifest: async (images, name, reference, request, reply) => {
    const content = await images.manifest(name, reference);
    if (content === undefined) throw new PluginServerError('unknown_digest', reference, name);
    // A tag can mean another version tomorrow; a digest never does.
    send(content, request, reply);
    return reference.startsWith('sha256:') ? reply : reply.header('cache-control', volatile);
  },
  blob: async (images, name, digest, request, reply) => {
    const content = await images.blob(name, digest);
    if (content === undefined) throw new PluginServerError('unknown_digest', digest, name);
    return send(content, request, reply);
  },
  tags: (images, name, _list, request, reply) => {
    const { n, last } = request.query as { n?: unknown; last?: unknown };
    const all = images.tags(name);
    const from = typeof last === 'string' ? all.indexOf(last) + 1 : 0;
    const most = typeof n === 'string' && /^\d{1,9}$/.test(n) ? Number(n) : all.length;
    const tags = all.slice(from, from + most);
    const next = tags.at(-1);
    // RFC 5988, as the distribution specification pages.
    if (from + most < all.length && next !== undefined) {
      reply.header('link', `<${request.url.split('?')[0] ?? ''}?n=${most}&last=${next}>; rel="next"`);
    }
    return reply.header('cache-control', volatile).send({ name, tags });
  },
} as const satisfies Record<string, Answer>;

/** The pulling half of the OCI distribution API, version 1.1. */
export function ociRoutes(app: FastifyInstance, images: Images): void {
  app.setErrorHandler(replyWithOciError);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('docker-distribution-api-version', 'registry/2.0');
    done();
  });
  for (const path of ['/v2', '/v2/']) serveReadOnly(app, path, () => ({}));
  serveReadOnly(app, '/v2/*', (request, reply) => {
    const path = (request.params as unknown as { '*': string })['*'];
    for (const [pattern, handler] of paths) {
      const [, name, reference] = pattern.exec(path) ?? [];
      if (name === undefined || reference === undefined) continue;
      return (handlers[handler] as Answer)(images, name, reference, request, reply);
    }
    // Also what refers to a manifest, of which there is nothing: clients go on after a 404.
    throw new PluginServerError('not_in_registry');
  });
}

function send(content: Content, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('docker-content-digest', digestOf(content));
  return sendContent(content, request, reply);
}

/** What the specification calls our errors; `UNSUPPORTED` is what is left. */
const ociCodes: Partial<Record<ErrorCode, string>> = {
  unknown_plugin: 'NAME_UNKNOWN',
  no_plugin: 'NAME_UNKNOWN',
  not_found: 'NAME_UNKNOWN',
  invalid_name: 'NAME_INVALID',
  unknown_version: 'MANIFEST_UNKNOWN',
  no_match: 'MANIFEST_UNKNOWN',
  invalid_version: 'MANIFEST_UNKNOWN',
  unknown_digest: 'BLOB_UNKNOWN',
  not_in_registry: 'NOT_FOUND',
};

/** Clients show code and message of this form, and nothing of another one. */
function replyWithOciError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const known = error instanceof PluginServerError ? error : new PluginServerError('internal', request.id);
  if (known.status >= 500) request.log.error({ err: error }, known.message);
  if (known.status === 503) reply.header('retry-after', '1');
  const { code, message } = known;
  // A tag that is no version is one that is not there.
  const status = code === 'invalid_version' ? 404 : known.status;
  reply.code(status).headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  reply.send({ errors: [{ code: ociCodes[code] ?? 'UNSUPPORTED', message, detail: code }] });
}
