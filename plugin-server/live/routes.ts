import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { serve, serveReadOnly } from '../http/route.ts';
import { challenge, forOperators, operatorLimit, readRollback } from '../publish/operators.ts';
import type { Live } from './live.ts';
import { contentsOf } from './contents.ts';
import { type PollKind, pollLimit } from './poll.ts';
import { versionStatus } from './status.ts';

/** Paths are Envoy's; the colon is doubled for the router, which takes a single one for a parameter. */
const pollPaths: Readonly<Record<PollKind, string>> = {
  clusters: '/v3/discovery::clusters',
  filters: '/v3/discovery::extension_configs',
};

/** How long a poll is kept waiting for something new, in ms. A gateway then costs a poll in 15 s, and has an edit at once. */
const longestHold = 15_000;
/**
 * How long a poll may wait, within the time that Envoy gives it. All polls of one Envoy go over one connection, one after
 * the other, and the time of the third begins before the first is answered.
 */
const holdShare = 4;

/** How long a poll that is rejected waits for its answer, in ms. */
const rejectionPause = 2_000;

/** Live delivery over HTTP: what Envoys poll, and what operators ask and do. */
export function liveRoutes(app: FastifyInstance, live: Live): void {
  void app.register((scope, _options, done) => {
    pollRoutes(scope, live);
    done();
  });
  void app.register((scope, _options, done) => {
    operatorRoutes(scope, live);
    done();
  });
}

function pollRoutes(app: FastifyInstance, live: Live): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request, payload, parsed) => {
    const length = Number(request.headers['content-length'] ?? 0);
    parsed(length > pollLimit ? new PluginServerError('too_large', 'the poll', pollLimit) : null, payload);
  });
  app.addHook('onRequest', (request, _reply, next) => {
    live.access.checkToken(request);
    next();
  });
  app.setErrorHandler(async (error: Error, request, reply) => {
    const known = error instanceof PluginServerError;
    if (known && live.rejections.add(error, request.ip, new Date())) {
      live.log.warn({ address: request.ip, code: error.code }, `a poll is rejected: ${error.message}`);
    }
    challenge(error, reply);
    // A fleet with an old token is to come again slowly.
    await sleep(Math.min(holdTime(request), rejectionPause));
    throw error; // the server's own handler answers
  });
  for (const kind of ['clusters', 'filters'] as const) {
    serve(app, pollPaths[kind], { post: (request, reply) => answerPoll(live, kind, request, reply) });
  }
}

function operatorRoutes(app: FastifyInstance, live: Live): void {
  forOperators(app, live.operators);
  serveReadOnly(app, '/gateways', () => ({
    gateways: live.directory.all().map((gateway) => live.statusOf(gateway)),
    problems: live.problems(),
    rejected: live.rejections.all(),
  }));
  serveReadOnly(app, '/gateways/:name', (request) => {
    const gateway = live.access.gateway(request.params.name);
    return {
      ...live.statusOf(gateway),
      contents: contentsOf(gateway),
      versions: gateway.history.toReversed().map(versionStatus),
    };
  });
  serve(
    app,
    '/gateways/:name/rollback',
    {
      post: async (request) => {
        const gateway = live.access.gateway(request.params.name);
        const version = await gateway.rollBack(readRollback(request).to);
        return { gateway: gateway.name, version: versionStatus(version) };
      },
    },
    operatorLimit,
  );
}

async function answerPoll(live: Live, kind: PollKind, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const body = request.body as AsyncIterable<Buffer> | undefined;
  const poll = await live.reader.read(kind, body ?? request.raw);
  const gateway = live.access.gatewayFor(poll.node.cluster, request);
  const options = {
    address: request.ip,
    patience: holdTime(request),
    onGone: (gone: () => void) => void reply.raw.once('close', gone),
  };
  const answer = await live.delivery.poll(gateway, kind, poll, options);
  if (answer === undefined) return reply.hijack(); // nobody is there any more
  if (answer.close) reply.header('connection', 'close');
  if (answer.body === undefined) return reply.code(304).send();
  return reply.type('application/json').send(answer.body);
}

/** Envoy says how long it waits; what does not say so is answered at once. */
function holdTime({ headers }: FastifyRequest): number {
  const expected = Number(headers['x-envoy-expected-rq-timeout-ms'] ?? 0);
  return Number.isFinite(expected) ? Math.min(longestHold, Math.floor(expected / holdShare)) : 0;
}
