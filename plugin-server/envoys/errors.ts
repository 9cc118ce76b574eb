import type { ErrorRows } from '../error-rows.ts';

export const envoysErrors = {
  no_envoy: {
    status: 404,
    message: 'this server has no Envoy; it has one where it runs in a folder that was loaded of a bundle with --envoy',
  },
  unknown_envoy: { status: 404, message: '%s is not here; GET /envoy/versions.json lists what is' },
} as const satisfies ErrorRows;
