import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { nearest } from '../../common/nearest.ts';
import type { Problem } from '../../envoy/check/problem.ts';
import { PluginServerError } from '../errors.ts';
import { evaluatePreconditions } from '../http/preconditions.ts';
import { type PathRequest, serve, serveReadOnly } from '../http/route.ts';
import { volatile } from '../http/send.ts';
import {
  type OperatorAccess,
  challenge,
  checkOperator,
  forOperators,
  operatorLimit,
  readRollback,
} from '../publish/operators.ts';
import { presentedToken } from '../publish/tokens.ts';
import type { Catalogs } from './catalogs.ts';
import { aNamespace, isNamespace, readCatalog } from './check.ts';
import type { KeptCatalog } from './kept.ts';
import { type ClusterNames, clusterNames, moduleForm } from './module-form.ts';
import type { CatalogNamespace } from './namespace.ts';
import { placed } from './tell.ts';

export interface CatalogAccess extends OperatorAccess {
  /** Whether a token that is not an operator's is one of a gateway which has this catalog. @param digest SHA-256 */
  readonly isReader: (digest: Buffer, namespace: string) => boolean;
}

/** Bytes of a catalog that is put here. */
const catalogLimit = 2 << 20;
/** Problems that an answer tells. */
const mostTold = 20;

/** Catalogs over HTTP: what gateways and people read, and what operators put there and roll back. */
export function catalogRoutes(app: FastifyInstance, catalogs: Catalogs, access: CatalogAccess): void {
  void app.register((scope, _options, done) => {
    documentRoutes(scope, catalogs, access);
    done();
  });
  void app.register((scope, _options, done) => {
    operatorRoutes(scope, catalogs, access);
    done();
  });
}

function documentRoutes(app: FastifyInstance, catalogs: Catalogs, access: CatalogAccess): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: catalogLimit }, (_request, body, parsed) => {
    parsed(null, body);
  });
  // Before a body is read.
  app.addHook('onRequest', (request, _reply, next) => {
    if (request.method === 'PUT') publisherOf(access, request);
    else checkReader(access, request as PathRequest);
    next();
  });
  app.setErrorHandler((error: Error, _request, reply) => {
    challenge(error, reply);
    throw error;
  });
  serve(
    app,
    '/catalog/:name',
    {
      read: (request, reply) => sendCatalog(catalogs, request, reply),
      put: (request, reply) => putCatalog(catalogs, access, request, reply),
    },
    catalogLimit,
  );
}

function operatorRoutes(app: FastifyInstance, catalogs: Catalogs, access: CatalogAccess): void {
  forOperators(app, access);
  serveReadOnly(app, '/catalogs', () => ({
    catalogs: catalogs.all().map(statusOf),
    sources: catalogs.sources.map((source) => source.state()),
    problems: catalogs.problems(),
  }));
  serveReadOnly(app, '/catalogs/:name', (request) => {
    const namespace = knownNamespace(catalogs, request.params.name);
    return { ...statusOf(namespace), versions: namespace.versions.toReversed().map(versionOf) };
  });
  serve(
    app,
    '/catalogs/:name/rollback',
    {
      post: async (request) => {
        const namespace = knownNamespace(catalogs, request.params.name);
        const version = await namespace.rollBack(readRollback(request).to);
        return { catalog: namespace.name, version: versionOf(version) };
      },
    },
    operatorLimit,
  );
}

async function sendCatalog(catalogs: Catalogs, request: PathRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { name } = request.params;
  const { given, problems } = knownNamespace(catalogs, name);
  if (given === undefined) {
    const reason = problems[0] ?? catalogs.sourceOf(name)?.problems()[0] ?? 'its source was not read yet';
    throw new PluginServerError('catalog_unready', name, typeof reason === 'string' ? reason : placed(reason));
  }
  const names = formIn(request);
  // Each form is a representation of its own (RFC 9110 §8.8.3).
  const etag = names === undefined ? etagOf(given) : `"${given.version}-${names}"`;
  reply.headers({ etag, 'cache-control': volatile });
  const outcome = evaluatePreconditions(request.headers, etag);
  if (outcome === 'failed') throw new PluginServerError('precondition_failed', etag);
  if (outcome === 'not_modified') return reply.code(304).send();
  const content = names === undefined ? given.catalog : moduleForm(given.catalog, names);
  return reply.send({ namespace: name, revision: given.version, ...content });
}

/**
 * How clusters are to be called, where the form for modules is asked for (`?form=module&clusters=istio`).
 * @throws PluginServerError `bad_request`
 */
function formIn({ query }: PathRequest): ClusterNames | undefined {
  const { form, clusters = 'servers' } = query as Readonly<Record<string, unknown>>;
  if (form === undefined) return undefined;
  const names = clusterNames.find((each) => each === clusters);
  if (form === 'module' && names !== undefined) return names;
  throw new PluginServerError(
    'bad_request',
    `form can be module alone, and clusters ${clusterNames.join(' or ')}; without form, the catalog comes as it is edited`,
  );
}

async function putCatalog(
  catalogs: Catalogs,
  access: CatalogAccess,
  request: PathRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const by = publisherOf(access, request);
  const { name } = request.params;
  if (!isNamespace(name)) throw new PluginServerError('bad_request', `the name of a catalog has ${aNamespace}`);
  const source = catalogs.sourceOf(name);
  if (source !== undefined) throw new PluginServerError('catalog_elsewhere', name, source.name);
  const before = catalogs.get(name)?.given;
  const etag = before === undefined ? undefined : etagOf(before);
  if (
    'if-match' in request.headers &&
    (etag === undefined || evaluatePreconditions(request.headers, etag) === 'failed')
  ) {
    throw new PluginServerError('precondition_failed', etag ?? 'none');
  }
  const { body } = request;
  const read = readCatalog(name, 'body', Buffer.isBuffer(body) ? body : Buffer.alloc(0));
  if (read.catalog === undefined) throw invalid(name, read.problems);
  const namespace = catalogs.of(name);
  const problems = await namespace.takeWhole({ catalog: read.catalog, problems: [], cause: 'put', by });
  if (problems.some(({ severity }) => severity === 'error')) throw invalid(name, problems);
  const { given } = namespace;
  if (given === undefined) throw new PluginServerError('internal', request.id);
  reply.code(before === undefined ? 201 : 200).headers({ etag: etagOf(given), 'cache-control': 'no-store' });
  return reply.send({ catalog: name, version: versionOf(given), warnings: problems });
}

function invalid(
  name: string,
  problems: readonly (Problem & { readonly line?: number; readonly column?: number })[],
): PluginServerError {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const told = errors.slice(0, mostTold).map((problem) => {
    const at = problem.line === undefined ? '' : `${problem.line}:${problem.column ?? 1} `;
    return at + placed(problem);
  });
  const more = errors.length - told.length;
  return new PluginServerError(
    'catalog_invalid',
    name,
    [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; '),
  );
}

function knownNamespace(catalogs: Catalogs, name: string): CatalogNamespace {
  const namespace = catalogs.get(name);
  if (namespace !== undefined) return namespace;
  const shown = JSON.stringify(name.slice(0, 128));
  const similar = nearest(
    name,
    catalogs.all().map((each) => each.name),
  );
  throw similar === undefined
    ? new PluginServerError('no_catalogs', shown)
    : new PluginServerError('unknown_catalog', shown, similar);
}

/** The name of who puts a catalog there: always somebody with a token. @throws PluginServerError */
function publisherOf({ publishers }: CatalogAccess, { headers }: FastifyRequest): string {
  if (publishers === undefined) {
    throw new PluginServerError('publishing_off', 'this server has no token: start it with --token-file FILE');
  }
  const publisher = publishers().nameOf(headers.authorization);
  if (publisher === undefined) throw new PluginServerError('token_required', 'it has to be one that allows publishing');
  return publisher;
}

/** A gateway may read what it is configured with. @throws PluginServerError `token_required` */
function checkReader(access: CatalogAccess, request: PathRequest): void {
  const presented = presentedToken(request.headers.authorization);
  if (presented !== undefined && access.isReader(presented, request.params.name)) return;
  checkOperator(access, request);
}

function etagOf({ version }: KeptCatalog): string {
  return `"${version}"`;
}

/** What is told of a version. */
function versionOf({ generation, version, created, cause, by }: KeptCatalog): object {
  return { generation, revision: version, created, cause, ...(by !== undefined && { by }) };
}

function statusOf({ name, given, rolledBack, problems }: CatalogNamespace): object {
  return {
    name,
    version: given === undefined ? null : versionOf(given),
    servers: given?.catalog.servers.length ?? 0,
    rolledBack,
    problems,
  };
}
