import { addressLimit } from './address.ts';
import { type ErrorCode, errorTable } from './errors.ts';
import { formTypes } from './forms.ts';

/** What every path with a version may answer. */
const versionErrors: readonly ErrorCode[] = [
  'invalid_name',
  'invalid_version',
  'unknown_plugin',
  'unknown_version',
  'no_match',
  'path_too_long',
  'damaged',
];

const redirect = {
  307: { description: 'To the newest version in the range', headers: { location: { schema: { type: 'string' } } } },
};

/** The API in OpenAPI 3.1, as `GET /openapi.json` shows it. A test compares its paths with the routes. */
export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Sluice plugin server',
    version: '1',
    description:
      'Versioned WebAssembly modules for Envoy and Istio. A version never changes. Every path that has a version also ' +
      'takes a range (^0.1, 1.x) or latest, and answers 307 to the newest version in it.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  paths: {
    '/': {
      get: {
        summary: 'Leads a browser to /plugins',
        responses: {
          307: { description: 'To /plugins', headers: { location: { schema: { type: 'string' } } } },
          ...failures(['not_found']),
        },
      },
    },
    '/plugins': {
      get: read('All plugins; a page for a browser', {
        'application/json': {
          schema: object({ plugins: { type: 'array', items: ref('Plugin') } }),
        },
        'text/html': { schema: { type: 'string' } },
      }),
    },
    '/plugins/{name}': {
      parameters: [parameter('name')],
      get: read(
        'One plugin, newest version first; a page for a browser',
        { 'application/json': { schema: ref('Plugin') }, 'text/html': { schema: { type: 'string' } } },
        ['invalid_name', 'unknown_plugin', 'path_too_long'],
      ),
    },
    '/plugins/{name}/{version}/plugin.wasm': {
      parameters: versioned(),
      get: {
        ...file('The module. Strong ETag, ranges, conditional requests', 'application/wasm'),
        parameters: [header('range'), header('if-none-match'), header('if-match'), header('if-range')],
      },
      put: {
        summary: 'Publishes the module; gzip, tar and tar.gz are unwrapped',
        security: [{ token: [] }],
        parameters: [
          {
            name: 'strict',
            in: 'query',
            description: 'refuse what a stock Envoy would not load',
            schema: { type: 'boolean' },
          },
          header('content-digest'),
          header('repr-digest'),
        ],
        requestBody: { required: true, content: { '*/*': {} } },
        responses: published([
          'bad_request',
          'invalid_name',
          'invalid_version',
          'digest_mismatch',
          'unauthorized',
          'publishing_off',
          'conflict',
          'too_large',
          'unsupported_type',
          'not_wasm',
          'not_for_envoy',
          'busy',
          'store_full',
        ]),
      },
    },
    '/plugins/{name}/{version}/plugin.wasm.sha256': {
      parameters: versioned(),
      get: file('The line that sha256sum prints', 'text/plain'),
    },
    '/plugins/{name}/{version}/plugin.wasm.sig': {
      parameters: versioned(),
      get: file('The detached signature', 'application/octet-stream', ['unsigned']),
      put: {
        summary: 'Publishes the signature of a version that is there',
        security: [{ token: [] }],
        requestBody: { required: true, content: { '*/*': {} } },
        responses: published([
          'bad_request',
          'unauthorized',
          'publishing_off',
          'unknown_version',
          'signature_conflict',
          'too_large',
          'busy',
          'store_full',
        ]),
      },
    },
    '/plugins/{name}/{version}/metadata.txt': {
      parameters: versioned(),
      get: file("The lines of Higress' plugin-server, and the SHA-256", 'text/plain'),
    },
    '/plugins/{name}/{version}/metadata.json': {
      parameters: versioned(),
      get: read('All that is known', { 'application/json': { schema: ref('Metadata') } }, versionErrors, redirect),
    },
    ...Object.fromEntries(
      Object.entries(formTypes).map(([name, type]) => [
        `/plugins/{name}/{version}/${name}`,
        { parameters: versioned(), get: file('The module, wrapped', type) },
      ]),
    ),
    '/healthz': { get: read('Whether the process answers', { 'application/json': {} }) },
    '/readyz': {
      get: {
        summary: 'Whether it can do its work, and what is wrong',
        responses: {
          200: { description: 'ready', content: { 'application/json': { schema: ref('Readiness') } } },
          503: { description: 'not ready, or draining', content: { 'application/json': { schema: ref('Readiness') } } },
        },
      },
    },
    '/metrics': { get: read('Metrics for Prometheus', { 'text/plain': {} }) },
    '/openapi.json': { get: read('This document', { 'application/json': {} }) },
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

type Schema = Readonly<Record<string, unknown>>;
type Responses = Readonly<Record<string, unknown>>;

export function read(
  summary: string,
  content: Responses,
  errors: readonly ErrorCode[] = [],
  more: Responses = {},
): { summary: string; responses: Responses } {
  return { summary, responses: { 200: { description: 'OK', content }, ...more, ...failures(errors) } };
}

/** A file of a version, or the way to it from a range. */
function file(
  summary: string,
  type: string,
  errors: readonly ErrorCode[] = [],
): { summary: string; responses: Responses } {
  return read(summary, { [type]: {} }, [...versionErrors, ...errors], redirect);
}

function published(errors: readonly ErrorCode[]): Responses {
  const content = { 'application/json': { schema: ref('Metadata') } };
  return {
    200: { description: 'It was there, with these bytes', content },
    201: { description: 'Published', content },
    ...failures(errors),
  };
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

function versioned(): Schema[] {
  return [parameter('name'), parameter('version')];
}

export function parameter(name: string): Schema {
  return { name, in: 'path', required: true, schema: { type: 'string', maxLength: addressLimit } };
}

function header(name: string): Schema {
  return { name, in: 'header', schema: { type: 'string' } };
}

function ref(schema: string): Schema {
  return { $ref: `#/components/schemas/${schema}` };
}

/** Nothing but `properties`, all of them there but the `optional` ones. */
function object(properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []): Schema {
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
