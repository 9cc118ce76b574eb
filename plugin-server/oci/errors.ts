import type { ErrorRows } from '../error-rows.ts';

/** What a client of the registry can be told. */
export const ociErrors = {
  unknown_digest: { status: 404, message: 'nothing with the digest %s is in %s; pull by a tag, which is a version' },
  not_in_registry: {
    status: 404,
    message: 'this registry has manifests, blobs and tags to pull, and nothing else; GET /plugins lists what is there',
  },
} as const satisfies ErrorRows;
