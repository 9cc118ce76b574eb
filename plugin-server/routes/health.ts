import type { FastifyInstance } from 'fastify';
import { serveReadOnly } from './read-only.ts';

/** Liveness: the process answers. All artifacts are in memory before it listens, so it is ready when it is alive. */
export function healthRoutes(app: FastifyInstance): void {
  serveReadOnly(app, '/healthz', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
}
