import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { type PluginListing, listing } from '../metadata.ts';
import type { Trust } from '../publish/trust.ts';
import { signed } from '../signed.ts';
import { evaluatePreconditions } from '../http/preconditions.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { damagedText } from '../store/open.ts';
import { wantsPage } from '../http/browser.ts';
import { serveReadOnly } from '../http/route.ts';
import { volatile } from '../http/send.ts';

/** `GET /plugins` and `GET /plugins/<name>`: JSON, or the way to the page where a browser asks. */
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
      const plugins = store.names().map(describe);
      const text = `${JSON.stringify({ plugins, ...withheldIn(store) })}\n`;
      all = { generation, keys, text, etag: `"${createHash('sha256').update(text).digest('hex')}"` };
    }
    return all;
  };

  serveReadOnly(app, '/plugins', (request, reply) => {
    if (wantsPage(request, reply)) return reply.header('cache-control', volatile).redirect('/#plugins', 307);
    const { text, etag } = allPlugins();
    reply.headers({ 'cache-control': volatile, etag });
    if (evaluatePreconditions(request.headers, etag) === 'not_modified') return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(text);
  });
  serveReadOnly(app, '/plugins/:name', (request, reply) => {
    const plugin = describe(request.params.name);
    reply.header('cache-control', volatile);
    if (wantsPage(request, reply)) return reply.redirect(`/#plugin-${encodeURIComponent(plugin.name)}`, 307);
    return reply.send(plugin);
  });
}

/** What is there and is not given out, and why; nothing where all is. */
function withheldIn({ damages, withheld }: ArtifactStore): { withheld?: readonly object[] } {
  const list = [
    ...withheld.map(({ name, version, refusal: { code, message } }) => ({ name, version, code, reason: message })),
    ...damages.map((damage) => {
      const { name, version } = damage;
      return { name, version, code: 'damaged', reason: damagedText(damage) };
    }),
  ];
  return list.length === 0 ? {} : { withheld: list };
}
