import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';
import type { Readiness } from '../readiness.ts';
import { serveReadOnly } from '../http/route.ts';
import { volatile } from '../http/send.ts';

/** What is asked by those who run the server: is it alive, is it ready, what does it do, what can it do. */
export function healthRoutes(app: FastifyInstance, readiness: Readiness, metrics: Metrics, api: object): void {
  serveReadOnly(app, '/healthz', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }));
  serveReadOnly(app, '/readyz', (_request, reply) => {
    const report = readiness.report();
    return reply
      .code(report.status === 'ready' ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(report);
  });
  serveReadOnly(app, '/metrics', async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.header('cache-control', 'no-store').type(metrics.registry.contentType).send(text);
  });
  serveReadOnly(app, '/openapi.json', (_request, reply) => reply.header('cache-control', volatile).send(api));
}
