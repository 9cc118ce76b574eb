import type { FastifyInstance } from 'fastify';
import type { Live } from '../live/live.ts';
import { serveReadOnly } from './read-only.ts';

/**
 * Liveness: the process answers. All artifacts are in memory before it listens, so it is ready when it is alive. A
 * refused edit of a gateway is told here and makes nobody less ready: the version before it is given out.
 */
export function healthRoutes(app: FastifyInstance, live?: Live): void {
  serveReadOnly(app, '/healthz', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  serveReadOnly(app, '/readyz', (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'ok', ...(live && { gateways: live.problems() }) }),
  );
}
