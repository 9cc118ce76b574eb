import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

/**
 * Makes `app.close()` wait until the responses under way are with their clients, for at most `deadline` milliseconds.
 * Node's own closing does not: `closeIdleConnections()` counts a response as done once `end()` was called, and so cuts
 * off a module that a slow client is still reading. After this the server may close all connections at once.
 */
export function drainOnClose(app: FastifyInstance, deadline: number): void {
  const underWay = new Set<ServerResponse>();
  let drained: (() => void) | undefined;

  app.addHook('onRequest', (_request, reply, done) => {
    const response = reply.raw;
    underWay.add(response);
    // `close` comes after the last byte went to the operating system, and also where the client went away.
    response.once('close', () => {
      underWay.delete(response);
      if (underWay.size === 0) drained?.();
    });
    done();
  });

  app.addHook('preClose', (done) => {
    if (underWay.size === 0) {
      done();
      return;
    }
    const timer = setTimeout(done, deadline);
    drained = () => {
      clearTimeout(timer);
      done();
    };
  });
}
