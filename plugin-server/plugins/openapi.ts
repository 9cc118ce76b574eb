import { type Responses, type Schema, failures, object, parameter, read, ref } from '../openapi.ts';
import type { ErrorCode } from '../errors.ts';
import { formTypes } from './forms.ts';

/** What every path with a version may answer. */
const versionErrors: readonly ErrorCode[] = [
  'invalid_name',
  'invalid_version',
  'unknown_plugin',
  'no_plugin',
  'unknown_version',
  'no_match',
  'path_too_long',
  'damaged',
];

const redirect = {
  307: { description: 'To the newest version in the range', headers: { location: { schema: { type: 'string' } } } },
};

const toPage = {
  307: { description: 'To the page, for a browser', headers: { location: { schema: { type: 'string' } } } },
};

export const pluginPaths = {
  '/plugins': {
    get: read(
      'All plugins; leads a browser to the page',
      { 'application/json': { schema: object({ plugins: { type: 'array', items: ref('Plugin') } }) } },
      [],
      toPage,
    ),
  },
  '/plugins/{name}': {
    parameters: [parameter('name')],
    get: read(
      'One plugin, newest version first; leads a browser to the page',
      { 'application/json': { schema: ref('Plugin') } },
      ['invalid_name', 'unknown_plugin', 'no_plugin', 'path_too_long'],
      toPage,
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
        'store_unwritable',
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
        'store_unwritable',
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
};

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

function versioned(): Schema[] {
  return [parameter('name'), parameter('version')];
}

function header(name: string): Schema {
  return { name, in: 'header', schema: { type: 'string' } };
}
