import { read, ref } from '../openapi.ts';

export const healthPaths = {
  '/healthz': { get: read('Whether the process answers', { 'application/json': {} }) },
  '/readyz': {
    get: {
      summary: 'Whether it can do its work, and what is wrong',
      responses: {
        200: { description: 'ready', content: { 'application/json': { schema: ref('Readiness') } } },
        503: { description: 'not ready, or draining', content: { 'application/json': { schema: ref('Readiness') } } },
      },
    },
  },
  '/metrics': { get: read('Metrics for Prometheus', { 'text/plain': {} }) },
  '/openapi.json': { get: read('This document', { 'application/json': {} }) },
};
