import { mediaType } from './media-types.ts';

const error = { 'application/json': { schema: { type: 'object', required: ['errors'] } } };
const missing = { 404: { description: 'NAME_UNKNOWN, MANIFEST_UNKNOWN, BLOB_UNKNOWN, NOT_FOUND', content: error } };
const api = { get: { summary: 'Says that this is a registry', responses: { 200: { description: 'It is' } } } };

export const ociPaths = {
  '/v2': api,
  '/v2/': api,
  '/v2/{path}': {
    parameters: [
      {
        name: 'path',
        in: 'path',
        required: true,
        description:
          'REPOSITORY/manifests/REFERENCE, REPOSITORY/blobs/DIGEST or REPOSITORY/tags/list, as the OCI distribution ' +
          'specification 1.1 has them. The last component of a repository is the name of a plugin, a tag is a version.',
        schema: { type: 'string' },
      },
    ],
    get: {
      summary: 'What clients of OCI registries pull: manifests, blobs, lists of tags',
      responses: {
        200: {
          description: 'OK',
          content: { [mediaType.manifest]: {}, 'application/octet-stream': {}, 'application/json': {} },
        },
        ...missing,
      },
    },
  },
};
