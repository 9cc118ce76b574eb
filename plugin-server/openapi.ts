import { addressLimit } from './address.ts';
import { type ErrorCode, errorTable } from './errors.ts';
import type { Feature } from './feature.ts';

/** The API in OpenAPI 3.1, but for the paths. */
const api = {
  openapi: '3.1.0',
  info: {
    title: 'Sluice plugin server',
    version: '1',
    description:
      'Versioned WebAssembly modules for Envoy and Istio. A version never changes. Every path that has a version also ' +
      'takes a range (^0.1, 1.x) or latest, and answers 307 to the newest version in it.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  components: {
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    schemas: {
      Listing: object(listingProperties(), ['signature']),
      Plugin: object({ name: { type: 'string' }, versions: { type: 'array', items: ref('Listing') } }),
      Metadata: object(
        {
          name: { type: 'string' },
          ...listingProperties(),
          md5: { type: 'string' },
          abi: { enum: ['0.1.0', '0.2.0', '0.2.1'] },
          imports: { type: 'array', items: ref('Import') },
          exports: { type: 'array', items: { type: 'string' } },
          published: object(
            { at: { type: 'string', format: 'date-time' }, by: { type: 'string' }, source: { type: 'string' } },
            ['by'],
          ),
        },
        ['signature'],
      ),
      Import: object(
        {
          module: { type: 'string' },
          name: { type: 'string' },
          kind: { enum: ['function', 'table', 'memory', 'global', 'tag'] },
          type: { type: 'string' },
          host: { enum: ['envoy', 'other type', 'missing'], description: 'what a stock Envoy has for it' },
        },
        ['type'],
      ),
      Readiness: {
        type: 'object',
        required: ['status'],
        properties: { status: { enum: ['ready', 'not ready', 'draining'] } },
      },
      Error: object({
        error: object({ code: { enum: Object.keys(errorTable) }, message: { type: 'string' } }),
      }),
    },
  },
};

export type Schema = Readonly<Record<string, unknown>>;
export type Responses = Readonly<Record<string, unknown>>;

export function read(
  summary: string,
  content: Responses,
  errors: readonly ErrorCode[] = [],
  more: Responses = {},
): { summary: string; responses: Responses } {
  return { summary, responses: { 200: { description: 'OK', content }, ...more, ...failures(errors) } };
}

/** The rows of the error table, those of one status together. */
export function failures(codes: readonly ErrorCode[]): Responses {
  const content = { 'application/json': { schema: ref('Error') } };
  const statuses = [...new Set(codes.map((code) => errorTable[code].status))];
  return Object.fromEntries(
    statuses.map((status) => {
      const description = codes.filter((code) => errorTable[code].status === status).join(', ');
      return [String(status), { description, content }];
    }),
  );
}

export function parameter(name: string): Schema {
  return { name, in: 'path', required: true, schema: { type: 'string', maxLength: addressLimit } };
}

export function ref(schema: string): Schema {
  return { $ref: `#/components/schemas/${schema}` };
}

/** Nothing but `properties`, all of them there but the `optional` ones. */
export function object(properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required };
}

function listingProperties(): Readonly<Record<string, Schema>> {
  return {
    version: { type: 'string' },
    size: { type: 'integer' },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    url: { type: 'string' },
    signature: { type: 'string' },
  };
}

/** The API in OpenAPI 3.1, as `GET /openapi.json` shows it. A test compares its paths with the routes. */
export function apiOf(features: readonly Feature[]): object {
  return { ...api, paths: Object.assign({}, ...features.map(({ openapi }) => openapi ?? {})) as object };
}
