import type { ErrorCode } from '../errors.ts';
import { parameter, read } from '../openapi.ts';

const json = (schema: object): Record<string, object> => ({ 'application/json': { schema } });
const security = [{ token: [] }];
const unknown: readonly ErrorCode[] = ['token_required', 'unknown_gateway', 'no_gateways', 'endpoints_invalid'];
const string = { type: 'string' };

export const endpointPaths = {
  '/gateways/{name}/endpoints': {
    parameters: [parameter('name')],
    get: { ...read('The status of each Envoy of a gateway, asked now', json({ type: 'object' }), unknown), security },
  },
  '/gateways/{name}/try': {
    parameters: [parameter('name')],
    post: {
      ...read('One call of a tool at the gateway, or its list of tools', json({ type: 'object' }), [
        ...unknown,
        'bad_request',
        'foreign_page',
        'no_endpoints',
        'unknown_endpoint',
        'too_large',
        'try_unanswered',
        'tries_under_way',
      ]),
      security,
      requestBody: {
        required: true,
        content: json({
          type: 'object',
          required: ['method'],
          properties: {
            method: { enum: ['tools/list', 'tools/call'] },
            endpoint: string,
            authorization: { ...string, description: 'for the gateway' },
            cursor: string,
            tool: string,
            arguments: { type: 'object' },
          },
          additionalProperties: false,
        }),
      },
    },
  },
};
