import type { ErrorCode } from '../errors.ts';
import { failures, parameter, read } from '../openapi.ts';
import { clusterNames } from './module-form.ts';

const json = (schema: object): Record<string, object> => ({ 'application/json': { schema } });
const security = [{ token: [] }];

const catalog = {
  type: 'object',
  required: ['namespace', 'revision', 'servers', 'virtualServers'],
  properties: {
    namespace: { type: 'string' },
    revision: { type: 'string' },
    servers: { type: 'array', items: { type: 'object', required: ['name', 'prefix'] } },
    virtualServers: { type: 'array', items: { type: 'object', required: ['name', 'tools'] } },
  },
};
const unknown: readonly ErrorCode[] = ['token_required', 'unknown_catalog', 'no_catalogs'];

export const catalogPaths = {
  '/catalog/{name}': {
    parameters: [parameter('name')],
    get: {
      ...read(
        'What a catalog adds to a gateway; no secret is in it',
        json(catalog),
        [...unknown, 'bad_request', 'precondition_failed', 'catalog_unready'],
        { 304: { description: 'The revision of If-None-Match is current' } },
      ),
      security,
      parameters: [
        {
          name: 'form',
          in: 'query',
          description: 'module: in the words of the plugin configuration, as gateways ask for it',
          schema: { type: 'string', enum: ['module'] },
        },
        {
          name: 'clusters',
          in: 'query',
          description: 'How clusters are called in that form: as their servers, or as Istio calls them',
          schema: { type: 'string', enum: [...clusterNames], default: 'servers' },
        },
      ],
    },
    put: {
      summary: 'Puts another catalog there: all of it, or nothing where something is wrong',
      security,
      requestBody: {
        required: true,
        content: {
          'application/yaml': { schema: { type: 'string' } },
          'application/json': { schema: { type: 'object' } },
        },
      },
      responses: {
        200: { description: 'It is given out', content: json({ type: 'object' }) },
        201: { description: 'It is given out, and is the first one', content: json({ type: 'object' }) },
        ...failures([
          'bad_request',
          'token_required',
          'publishing_off',
          'catalog_elsewhere',
          'precondition_failed',
          'too_large',
          'catalog_invalid',
          'not_kept',
        ]),
      },
    },
  },
  '/catalogs': {
    get: {
      ...read('Every catalog, where it comes from, and what is wrong', json({ type: 'object' }), ['token_required']),
      security,
    },
  },
  '/catalogs/{name}': {
    parameters: [parameter('name')],
    get: { ...read('One catalog, with the versions that are kept', json({ type: 'object' }), unknown), security },
  },
  '/catalogs/{name}/rollback': {
    parameters: [parameter('name')],
    post: {
      ...read('Gives out an earlier version, until the source has another one', json({ type: 'object' }), [
        ...unknown,
        'bad_request',
        'unknown_catalog_version',
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
