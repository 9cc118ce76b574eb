export const envoysPaths = {
  '/envoy/versions.json': {
    get: {
      summary: 'The Envoys that this server has, in the form that func-e reads (ENVOY_VERSIONS_URL)',
      responses: {
        200: { description: 'OK', content: { 'application/json': { schema: { type: 'object' } } } },
        404: { description: 'no_envoy' },
      },
    },
  },
  '/envoy/{name}': {
    parameters: [
      {
        name: 'name',
        in: 'path',
        required: true,
        description: 'envoy-v1.40.0-linux-amd64.tar.gz, as the versions name it',
        schema: { type: 'string' },
      },
    ],
    get: {
      summary: 'An Envoy, as the archive that func-e unpacks',
      responses: {
        200: { description: 'OK', content: { 'application/gzip': {} } },
        404: { description: 'no_envoy, unknown_envoy' },
      },
    },
  },
};
