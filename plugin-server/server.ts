import type { Server } from 'node:http';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import { logAccess } from './access-log.ts';
import { addressLimit } from './address.ts';
import type { Artifact } from './artifact.ts';
import type { Catalogs } from './catalog/catalogs.ts';
import { catalogFeature } from './catalog/feature.ts';
import { drainOnClose } from './drain.ts';
import { refuseConnection, replyWithError } from './error-replies.ts';
import { PluginServerError } from './errors.ts';
import { endpointsFeature } from './endpoints/feature.ts';
import type { HeldEnvoy } from './envoys/archive.ts';
import { envoysFeature } from './envoys/feature.ts';
import { type Feature, addFeatures } from './feature.ts';
import { healthFeature } from './health/feature.ts';
import { liveFeature } from './live/feature.ts';
import type { Live } from './live/live.ts';
import { Metrics } from './metrics.ts';
import { ociFeature } from './oci/feature.ts';
import { apiOf } from './openapi.ts';
import { pageFeature } from './page/feature.ts';
import { peersFeature } from './peers/feature.ts';
import type { PeerSync } from './peers/peer-sync.ts';
import { pluginsFeature } from './plugins/feature.ts';
import type { OperatorAccess } from './publish/operators.ts';
import type { Publishing } from './publish/routes.ts';
import { Trust } from './publish/trust.ts';
import type { UploadLimits } from './publish/upload.ts';
import { Readiness } from './readiness.ts';
import { renderFeature } from './render/feature.ts';
import { ArtifactStore } from './store/artifact-store.ts';

export interface PluginServerOptions {
  /** What is served; a store may grow, by publication and otherwise. */
  readonly artifacts: Iterable<Artifact> | ArtifactStore;
  /** Who may publish; by default nobody. */
  readonly publishing?: Publishing;
  /** What keeps the store in step with other servers; it is only watched here. */
  readonly peers?: PeerSync;
  /** What gives gateways their configuration; it is closed with the server. */
  readonly live?: Live;
  /** What adds servers to gateways, and who may read and change it. */
  readonly catalogs?: { readonly catalogs: Catalogs; readonly access: OperatorAccess };
  /** What else is wrong with the store, a line each, for `/readyz`. */
  readonly problems?: () => readonly string[];
  /** Certificate chain and key, PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Fastify's `logger` option, or a logger of pino's form; by default nothing is logged. */
  readonly log?: FastifyServerOptions['logger'] | FastifyBaseLogger;
  /** Takes a JSON object for each request. */
  readonly accessLog?: (line: string) => void;
  /** How long `close()` waits for downloads under way, in milliseconds; by default 10 s. */
  readonly drainTimeout?: number;
  /** For func-e; by default none. */
  readonly envoys?: readonly HeldEnvoy[];
  /** Whose signatures a module needs; by default none. */
  readonly trust?: Trust;
  /** Bytes of a module that is published; by default 256 MiB. */
  readonly uploadLimit?: number;
  /** Limits of uploads under way; for tests. */
  readonly uploads?: Partial<UploadLimits>;
}

/** Milliseconds and bytes that one client may cost. */
const limits = {
  /** A whole request: an upload of 256 MiB needs 7 Mbit/s. */
  requestTimeout: 300_000,
  /** A connection on which nothing moves, such as a download that is not read, or an upload that stopped. */
  connectionTimeout: 60_000,
  /** The limit of bodies that are parsed, which none is: uploads have limits of their own. */
  bodyLimit: 1024,
  /** Headers that come byte by byte (slowloris) end here. */
  http: { headersTimeout: 30_000 },
};

/** What only a server with `live` has. */
const livePath = /^\/(?:(?:gateways|render)(?:[/?]|$)|v3\/discovery:)/;
/** What only a server with `catalogs` has. */
const catalogPath = /^\/catalogs?(?:[/?]|$)/;

/**
 * A Fastify server for `artifacts`, not listening yet. It holds no state beyond them, so any number of replicas answer
 * alike. Throws `duplicate_artifact`.
 */
export function createPluginServer(options: PluginServerOptions): FastifyInstance {
  const { artifacts, publishing = { off: 'it was started without --data or without a token' } } = options;
  const store = artifacts instanceof ArtifactStore ? artifacts : new ArtifactStore(artifacts);
  const metrics = new Metrics();
  const readiness = new Readiness();
  const { peers, live, catalogs, problems, trust = new Trust(), uploadLimit: limit, uploads } = options;
  const publishes = {
    store,
    publishing,
    metrics,
    trust,
    ...(limit !== undefined && { limit }),
    ...(uploads && { uploads }),
  };
  const isReader = (digest: Buffer, namespace: string): boolean => live?.isCatalogReader(digest, namespace) ?? false;
  const features: readonly Feature[] = [
    pluginsFeature({ ...publishes, problems }),
    pageFeature(),
    ociFeature(store),
    envoysFeature(options.envoys ?? []),
    ...(peers === undefined ? [] : [peersFeature(peers)]),
    ...(live === undefined ? [] : [liveFeature(live), endpointsFeature(live), renderFeature(live)]),
    ...(catalogs === undefined ? [] : [catalogFeature(catalogs.catalogs, { ...catalogs.access, isReader })]),
    healthFeature(readiness, metrics, () => apiOf(features)),
  ];

  const app = fastifyFor(options);
  // Bodies of any type are left to the route: a PUT where PUT is not possible is told so, and not that its type is not.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _body, done) => {
    done(null);
  });
  // A client that asks first is answered by the route: refused before it sends a large body, or told to go on.
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    done();
  });
  // A line of its own in a terminal, where most of it is read.
  app.setReplySerializer((payload) => `${JSON.stringify(payload)}\n`);
  app.addHook('preClose', (done) => {
    readiness.drain();
    done();
  });
  addFeatures(app, features, { readiness, metrics });
  drainOnClose(app, options.drainTimeout ?? 10_000);
  metrics.watch(app);
  if (options.accessLog !== undefined) logAccess(app, options.accessLog);
  app.setErrorHandler(replyWithError);
  app.setNotFoundHandler((request) => {
    const isLive = live === undefined && livePath.test(request.url);
    const isCatalog = catalogs === undefined && catalogPath.test(request.url);
    throw new PluginServerError(isLive ? 'live_off' : isCatalog ? 'catalogs_off' : 'not_found');
  });
  return app;
}

/** Routes here have no schemas: Fastify need not run the code of Ajv and fast-json-stringify. */
const withoutSchemas = {
  compilersFactory: {
    buildValidator: () => noSchema,
    buildSerializer: () => noSchema,
  },
};

function noSchema(): never {
  throw new Error('no route of the plugin server has a schema: check what comes in its handler');
}

function fastifyFor({ log = false, tls }: PluginServerOptions): FastifyInstance {
  const isLogger = typeof log === 'object' && 'child' in log;
  const settings = {
    ...limits,
    ...(isLogger ? { loggerInstance: log } : { logger: log }),
    // The access log has a line for each request, in a form of its own.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: addressLimit },
    schemaController: withoutSchemas,
    // Our routes serve HEAD themselves.
    exposeHeadRoutes: false,
    // What still arrives while downloads finish is answered as ever, and its connection closed: a client that was quick
    // enough to connect gets its module. When that is over, nothing holds the rest of the connections.
    return503OnClosing: false,
    forceCloseConnections: true,
    frameworkErrors: replyWithError,
    clientErrorHandler: refuseConnection,
  } as const;
  if (tls === undefined) return fastify<Server>(settings);
  // Fastify's types tell the two apart by the raw server, which nothing here looks at.
  return fastify({ ...settings, https: { ...tls, ...limits.http } });
}
