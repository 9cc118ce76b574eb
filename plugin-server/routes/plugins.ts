import type { FastifyInstance } from 'fastify';
import { checksumLine, listing, metadataText } from '../metadata.ts';
import type { ArtifactStore } from '../store.ts';
import { immutable, sendModule } from './module.ts';
import { serveReadOnly } from './read-only.ts';

/** A listing grows when a version is added: caches are to ask each time. */
const volatile = 'no-cache';

/** The artifacts under /plugins: the modules, what describes each of them, and the listings. */
export function pluginRoutes(app: FastifyInstance, store: ArtifactStore): void {
  const describe = (name: string): object => ({ name, versions: store.versions(name).map(listing) });

  serveReadOnly(app, '/plugins', (_request, reply) =>
    reply.header('cache-control', volatile).send({ plugins: store.names().map(describe) }),
  );
  serveReadOnly(app, '/plugins/:name', (request, reply) =>
    reply.header('cache-control', volatile).send(describe(request.params.name)),
  );
  serveReadOnly(app, '/plugins/:name/:version/plugin.wasm', (request, reply) =>
    sendModule(store.get(request.params.name, request.params.version), request, reply),
  );
  serveReadOnly(app, '/plugins/:name/:version/plugin.wasm.sha256', (request, reply) => {
    const text = checksumLine(store.get(request.params.name, request.params.version));
    return reply.header('cache-control', immutable).type('text/plain; charset=utf-8').send(text);
  });
  serveReadOnly(app, '/plugins/:name/:version/metadata.txt', (request, reply) => {
    const text = metadataText(store.get(request.params.name, request.params.version));
    return reply.header('cache-control', immutable).type('text/plain; charset=utf-8').send(text);
  });
}
