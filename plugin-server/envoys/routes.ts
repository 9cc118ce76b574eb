import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { originOf } from '../http/origin.ts';
import { serveReadOnly } from '../http/route.ts';
import { volatile } from '../http/send.ts';
import { type EnvoyArchive, platformOf } from './archive.ts';

/** func-e's document of versions (its internal/version), and the archives that it names. */
export function envoysRoutes(app: FastifyInstance, archives: readonly EnvoyArchive[]): void {
  serveReadOnly(app, '/envoy/versions.json', async (request, reply) => {
    if (archives.length === 0) throw new PluginServerError('no_envoy');
    // func-e takes nothing but whole URLs: this one leads back to where the client came.
    const origin = originOf(request);
    const held = await Promise.all(archives.map(async (archive) => ({ archive, facts: await archive.facts() })));
    const versions = held.map(({ archive, facts }) => {
      const tarballs = { [platformOf(archive.envoy)]: `${origin}/envoy/${archive.name}` };
      return [archive.envoy.version, { releaseDate: facts.date.toISOString().slice(0, 10), tarballs }] as const;
    });
    const sums = held.map(({ archive, facts }) => [archive.name, facts.sha256] as const);
    reply.headers({ 'cache-control': 'no-store', vary: 'host' });
    return { versions: Object.fromEntries(versions), sha256sums: Object.fromEntries(sums) };
  });

  serveReadOnly(app, '/envoy/:name', async (request, reply) => {
    if (archives.length === 0) throw new PluginServerError('no_envoy');
    const archive = archives.find(({ name }) => name === request.params.name);
    if (archive === undefined) throw new PluginServerError('unknown_envoy', request.params.name);
    const { size, sha256 } = await archive.facts();
    reply.headers({ 'cache-control': volatile, etag: `"${sha256}"`, 'content-length': size, 'accept-ranges': 'none' });
    reply.type('application/gzip');
    return request.method === 'HEAD' ? reply.send() : reply.send(Readable.from(archive.bytes(), { objectMode: false }));
  });
}
