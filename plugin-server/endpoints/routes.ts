import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { PluginServerError } from '../errors.ts';
import { parseJson } from '../http/client.ts';
import { serve, serveReadOnly } from '../http/route.ts';
import type { DeliveredGateway } from '../live/gateway.ts';
import type { Live } from '../live/live.ts';
import { forOperators, operatorName } from '../publish/operators.ts';
import { type Endpoint, readEndpoints } from './file.ts';
import { checkSameOrigin } from './same-origin.ts';
import { statusOf } from './status.ts';
import { Tries, type Try, tryLimit, trySchema } from './try.ts';

/** Gateways, asked themselves: their status, and test calls. For operators alone. */
export function endpointRoutes(app: FastifyInstance, live: Live): void {
  forOperators(app, live.operators, tryLimit);
  const tries = new Tries();
  const endpointsOf = ({ name }: DeliveredGateway): Promise<readonly Endpoint[]> =>
    readEndpoints(name, live.folderOf(name));
  serveReadOnly(app, '/gateways/:name/endpoints', async (request) => {
    const gateway = live.access.gateway(request.params.name);
    return { gateway: gateway.name, endpoints: await Promise.all((await endpointsOf(gateway)).map(statusOf)) };
  });
  serve(
    app,
    '/gateways/:name/try',
    {
      post: async (request) => {
        checkSameOrigin(request);
        const gateway = live.access.gateway(request.params.name);
        const wish = readTry(request.headers['content-type'], request.body);
        const endpoint = chosen(await endpointsOf(gateway), gateway, wish);
        const by = operatorName(live.operators, request);
        const tool = wish.method === 'tools/call' ? wish.tool : undefined;
        live.log.info({ gateway: gateway.name, by, tool }, `gateway ${gateway.name}: a test call of ${wish.method}`);
        return tries.at(endpoint, wish);
      },
    },
    tryLimit,
  );
}

/** @throws PluginServerError `bad_request` */
function readTry(type: string | undefined, body: unknown): Try {
  // A page of another origin may send no such type without being asked first, which nothing here allows.
  if (!/^application\/json\b/.test(type ?? '')) {
    throw new PluginServerError('bad_request', 'content-type: expected application/json');
  }
  const { data, error } = trySchema.safeParse(parseJson(String(body)));
  if (data === undefined) throw new PluginServerError('bad_request', z.prettifyError(error));
  return data;
}

/** @throws PluginServerError `no_endpoints`, `unknown_endpoint` */
function chosen(endpoints: readonly Endpoint[], { name }: DeliveredGateway, { endpoint: wanted }: Try): Endpoint {
  const [first] = endpoints;
  if (first === undefined) throw new PluginServerError('no_endpoints', name);
  if (wanted === undefined) return first;
  const found = endpoints.find(({ url }) => url === wanted);
  if (found === undefined) throw new PluginServerError('unknown_endpoint', JSON.stringify(wanted), name, name);
  return found;
}
