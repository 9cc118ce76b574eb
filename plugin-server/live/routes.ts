import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PluginServerError } from '../errors.ts';
import { serveMethods } from '../routes/read-only.ts';
import type { Live } from './live.ts';
import { type PollKind, pollLimit } from './poll.ts';
import { gatewayStatus, versionStatus } from './status.ts';

/** Paths are Envoy's; the colon is doubled for the router, which takes a single one for a parameter. */
const pollPaths: Readonly<Record<PollKind, string>> = {
  clusters: '/v3/discovery::clusters',
  filters: '/v3/discovery::extension_configs',
};

/** How long a poll is kept waiting for something new, in ms. A gateway then costs a poll in 10 s, and has an edit at once. */
const longestHold = 10_000;
/**
 * Of the time that Envoy gives a poll, the part that it may wait. All polls of one Envoy go over one connection, one after
 * the other, and the time of the third begins before the first is answered.
 */
const holdShare = 6;

const operatorHeaders = { 'cache-control': 'no-store' };

/** Live delivery over HTTP: what Envoys poll, and what operators ask and do. */
export function liveRoutes(app: FastifyInstance, live: Live): void {
  app.addHook('preClose', async () => {
    await live.close();
  });
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    // Of any type: what a poll is, is said by its path.
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: pollLimit }, (_request, body, parsed) => {
      parsed(null, body);
    });
    scope.setErrorHandler((error: Error, request) => {
      const known = error instanceof PluginServerError;
      if (known && live.rejections.add(error, request.ip, new Date())) request.log.warn({ err: error }, 'poll rejected');
      throw error; // the server's own handler answers
    });
    for (const kind of ['clusters', 'filters'] as const) {
      serveMethods(scope, ['POST'], pollPaths[kind], {
        onRequest: (request, _reply, next) => {
          live.access.checkToken(request);
          next();
        },
        handler: (request, reply) => answerPoll(live, kind, request, reply),
      });
    }
    done();
  });

  const onRequest = (request: FastifyRequest, _reply: FastifyReply, next: () => void): void => {
    live.access.checkOperator(request);
    next();
  };
  serveMethods(app, ['GET', 'HEAD'], '/gateways', {
    onRequest,
    handler: (_request, reply) =>
      reply.headers(operatorHeaders).send({
        gateways: live.status(),
        problems: live.problems(),
        rejected: live.rejections.all(),
      }),
  });
  serveMethods(app, ['GET', 'HEAD'], '/gateways/:name', {
    onRequest,
    handler: (request, reply) => {
      const gateway = live.access.gateway(request.params.name);
      const nodes = live.delivery.nodesOf(gateway.name).all(Date.now());
      const versions = gateway.history.toReversed().map(versionStatus);
      return reply.headers(operatorHeaders).send({ ...gatewayStatus(gateway, nodes), versions });
    },
  });
  void app.register((scope, _options, done) => {
    scope.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: 1024 }, (_request, body, parsed) => {
      parsed(null, body);
    });
    serveMethods(scope, ['POST'], '/gateways/:name/rollback', {
      onRequest,
      handler: async (request, reply) => {
        const { to } = readRollback(request);
        const version = await live.access.gateway(request.params.name).rollBack(to);
        return reply.headers(operatorHeaders).send({ gateway: request.params.name, version: versionStatus(version) });
      },
    });
    done();
  });
}

const rollbackSchema = z.strictObject({ to: z.string().min(1).max(128).optional() });

/** @throws PluginServerError `bad_request` */
function readRollback({ body, headers }: FastifyRequest): { to?: string | undefined } {
  // A web page can send a POST to localhost, but not of this type.
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) {
    throw new PluginServerError('bad_request', 'content-type: expected application/json');
  }
  let value: unknown;
  try {
    value = JSON.parse(body as string);
  } catch {
    throw new PluginServerError('bad_request', 'the body is no JSON');
  }
  const read = rollbackSchema.safeParse(value);
  if (read.success) return read.data;
  throw new PluginServerError('bad_request', 'expected {} or {"to":"<generation or version>"}');
}

async function answerPoll(live: Live, kind: PollKind, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const poll = live.reader.read(kind, request.body instanceof Buffer ? request.body : Buffer.alloc(0));
  const gateway = live.access.gatewayFor(poll.node.cluster, request);
  const gone = new AbortController();
  reply.raw.once('close', () => {
    gone.abort();
  });
  const answer = await live.delivery.poll(gateway, kind, poll, {
    address: request.ip,
    patience: holdTime(request),
    gone: gone.signal,
  });
  if (answer.close) reply.header('connection', 'close');
  if (answer.body === undefined) return reply.code(304).send();
  return reply.type('application/json').send(answer.body);
}

/** Envoy says how long it waits; what does not say so is answered at once. */
function holdTime({ headers }: FastifyRequest): number {
  const expected = Number(headers['x-envoy-expected-rq-timeout-ms'] ?? 0);
  return Number.isFinite(expected) ? Math.min(longestHold, Math.floor(expected / holdShare)) : 0;
}
