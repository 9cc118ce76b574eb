import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { originIn } from '../../common/origin.ts';
import { EngineError } from '../../common/engine-error.ts';
import { didYouMean } from '../../common/nearest.ts';
import {
  type TargetName,
  isTarget,
  optionNamesOf,
  optionsFor,
  otherTargets,
  rendered,
} from '../../envoy/render/targets/index.ts';
import { type OptionName, optionNames } from '../../envoy/render/targets/options.ts';
import { modulePath } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import { originOf } from '../http/origin.ts';
import { serveReadOnly } from '../http/route.ts';
import { parseGatewayFile } from '../live/gateway-file.ts';
import type { DeliveredGateway } from '../live/gateway.ts';
import type { Live } from '../live/live.ts';
import { forOperators } from '../publish/operators.ts';

/** Options that every target has. */
const ownOptions = ['gateway', 'server'];

const queryShape = z.strictObject({
  gateway: z.string().optional(),
  server: z.string().optional(),
  ...(Object.fromEntries(optionNames.map((name) => [name, z.string().optional()])) as Record<
    OptionName,
    z.ZodOptional<z.ZodString>
  >),
});

/** The version of a gateway that is given out, for those who take no live configuration. For operators alone. */
export function renderRoutes(app: FastifyInstance, live: Live): void {
  forOperators(app, live.operators);
  serveReadOnly(app, '/render/:name', (request, reply) => {
    const target = request.params.name;
    if (!isTarget(target)) throw new PluginServerError('unknown_target', JSON.stringify(target), otherTargets(target));
    const { data, error } = queryShape.safeParse(request.query);
    if (data === undefined) throw new PluginServerError('bad_request', whatIsWrong(error, target));
    const { gateway, server, ...given } = data;
    const origin = server === undefined ? originOf(request) : parsedOrigin(server);
    return reply.type('application/yaml').send(renderedFor(target, gatewayOf(live, gateway), { origin, given }));
  });
}

/** The first option that there is not, with those that the target has; else what zod says. */
function whatIsWrong(error: z.ZodError, target: TargetName): string {
  const [name] = error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (name === undefined) return z.prettifyError(error);
  const known = [...ownOptions, ...optionNamesOf(target)];
  return `there is no option ${JSON.stringify(name)}; ${target} has ${known.join(', ')}${didYouMean(name, known)}`;
}

/** The one that is named, or the only one. @throws PluginServerError */
function gatewayOf(live: Live, name: string | undefined): DeliveredGateway {
  if (name !== undefined) return live.access.gateway(name);
  const [first, ...others] = live.directory.all();
  if (first !== undefined && others.length === 0) return first;
  const names = live.directory.all().map((each) => each.name);
  throw new PluginServerError(
    'bad_request',
    `name a gateway in ?gateway=NAME; there are: ${names.join(', ') || 'none'}`,
  );
}

interface Wishes {
  /** Where gateways reach this server. */
  readonly origin: string;
  readonly given: Partial<Record<OptionName, string | undefined>>;
}

function renderedFor(target: TargetName, { name, active }: DeliveredGateway, { origin, given }: Wishes): string {
  if (active === undefined) throw new PluginServerError('gateway_unready', name);
  const { text, module } = active.kept;
  const file = parseGatewayFile(text).configuration?.file;
  const refused = (why: string): PluginServerError => new PluginServerError('not_rendered', name, target, why);
  if (file === undefined) throw refused('its configuration is not read any more');
  try {
    const { plugin, servers, catalog } = file;
    const served = { ...module, server: origin, path: modulePath(module) };
    return rendered(target, { plugin, servers, module: served, catalog }, optionsOf(target, given));
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw refused([error.message, ...error.details].join('; '));
  }
}

function optionsOf(target: TargetName, given: Wishes['given']): ReturnType<typeof optionsFor> {
  try {
    return optionsFor(target, given, '');
  } catch (error) {
    throw new PluginServerError('bad_request', (error as Error).message);
  }
}

function parsedOrigin(text: string): string {
  const origin = originIn(text);
  if (origin !== undefined) return origin;
  throw new PluginServerError('bad_request', 'server: expected an origin like http://plugin-server.sluice.svc:8801');
}
