import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { addressLimit } from './address.ts';
import type { Artifact } from './artifact.ts';
import { drainOnClose } from './drain.ts';
import { refuseConnection, replyWithError } from './error-replies.ts';
import { PluginServerError } from './errors.ts';
import type { Live } from './live/live.ts';
import { liveRoutes } from './live/routes.ts';
import { healthRoutes } from './routes/health.ts';
import { pluginRoutes } from './routes/plugins.ts';
import { ArtifactStore } from './store.ts';

export interface PluginServerOptions {
  readonly artifacts: Iterable<Artifact>;
  /** Live delivery, opened; it is closed with the server. */
  readonly live?: Live | undefined;
  /** Fastify's `logger` option; by default nothing is logged. */
  readonly log?: FastifyServerOptions['logger'];
  /** How long `close()` waits for downloads under way, in milliseconds; by default 10 s. */
  readonly drainTimeout?: number;
}

/** Milliseconds and bytes that one client may cost. */
const limits = {
  /** A whole request; sending it byte by byte (slowloris) ends here. */
  requestTimeout: 30_000,
  /** A connection on which nothing moves, such as a download that is not read. */
  connectionTimeout: 60_000,
  /** No route takes a body. */
  bodyLimit: 1024,
};

/**
 * A Fastify server for `artifacts`, not listening yet. It holds no state beyond them, so any number of replicas answer
 * alike. Throws `duplicate_artifact`.
 */
export function createPluginServer({ artifacts, live, log, drainTimeout = 10_000 }: PluginServerOptions): FastifyInstance {
  const store = new ArtifactStore(artifacts);
  const app = fastify({
    ...limits,
    logger: log ?? false,
    routerOptions: { maxParamLength: addressLimit },
    // Our routes serve HEAD themselves.
    exposeHeadRoutes: false,
    // What still arrives while downloads finish is answered as ever, and its connection closed: a client that was quick
    // enough to connect gets its module. When that is over, nothing holds the rest of the connections.
    return503OnClosing: false,
    forceCloseConnections: true,
    frameworkErrors: replyWithError,
    clientErrorHandler: refuseConnection,
  });

  // Bodies of any type are left unread: a PUT is told that PUT is not possible, and not that its type is not.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _body, done) => {
    done(null);
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    done();
  });
  // A line of its own in a terminal, where most of it is read.
  app.setReplySerializer((payload) => `${JSON.stringify(payload)}\n`);
  // Before the drain: polls are responses under way for as long as they are kept waiting.
  if (live !== undefined) liveRoutes(app, live);
  drainOnClose(app, drainTimeout);
  app.setErrorHandler(replyWithError);
  app.setNotFoundHandler(() => {
    throw new PluginServerError('not_found');
  });

  pluginRoutes(app, store);
  healthRoutes(app, live);
  return app;
}
