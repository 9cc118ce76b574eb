import type { ErrorCode } from '../errors.ts';
import { failures, parameter, read } from '../openapi.ts';

const json = (schema: object): Record<string, object> => ({ 'application/json': { schema } });
const security = [{ token: [] }];

/** What every poll may be answered with. */
const pollErrors: readonly ErrorCode[] = [
  'poll_invalid',
  'token_required',
  'token_foreign',
  'unknown_gateway',
  'no_gateways',
  'too_large',
  'gateway_unready',
];

function poll(summary: string, errors: readonly ErrorCode[] = []): object {
  return {
    post: {
      summary: `${summary}; Envoy's REST xDS: a DiscoveryRequest, answered with a DiscoveryResponse`,
      security,
      requestBody: { required: true, content: json({ type: 'object' }) },
      responses: {
        200: { description: 'Something new', content: json({ type: 'object' }) },
        304: { description: 'The version of the poll is current' },
        ...failures([...pollErrors, ...errors]),
      },
    },
  };
}

const gateway = { type: 'object', required: ['name', 'version', 'rolledBack', 'refused', 'warnings', 'nodes'] };
const unknown: readonly ErrorCode[] = ['token_required', 'unknown_gateway', 'no_gateways'];

export const livePaths = {
  '/v3/discovery:clusters': poll('The clusters of a gateway'),
  '/v3/discovery:extension_configs': poll('The filters of a gateway, the module in them', ['unknown_extension']),
  '/gateways': {
    get: {
      ...read('Every gateway, its nodes, and what was refused', json({ type: 'object' }), ['token_required']),
      security,
    },
  },
  '/gateways/{name}': {
    parameters: [parameter('name')],
    get: { ...read('One gateway, with the versions that are kept', json(gateway), unknown), security },
  },
  '/gateways/{name}/rollback': {
    parameters: [parameter('name')],
    post: {
      ...read('Gives out an earlier version, until the file is edited', json({ type: 'object' }), [
        ...unknown,
        'bad_request',
        'unknown_gateway_version',
        'module_gone',
        'too_large',
        'not_kept',
      ]),
      security,
      requestBody: {
        required: true,
        content: json({ type: 'object', properties: { to: { type: 'string' } }, additionalProperties: false }),
      },
    },
  },
};
