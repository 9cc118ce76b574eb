import type { ErrorRows } from '../error-rows.ts';

/** What a publication can be refused for. */
export const publishErrors = {
  digest_mismatch: {
    status: 400,
    message: 'the bytes that came have not the digest that %s promises; send them again',
  },
  unauthorized: {
    status: 401,
    message: 'publishing needs "authorization: Bearer <token>" with a token of this server',
  },
  publishing_off: { status: 403, message: 'nothing can be published here: %s' },
  conflict: {
    status: 409,
    message: '%s is there with other bytes (sha256 %s); a version is immutable, publish a new one',
  },
  signature_conflict: {
    status: 409,
    message:
      '%s has another signature, which stays: a server replaces only one that none of its keys (--key) made; publish a ' +
      'new version',
  },
  unsupported_type: { status: 415, message: '%s is not taken; send the file itself, as it is' },
  not_for_envoy: { status: 422, message: '%s would not be loaded by a stock Envoy: %s; without strict it is taken' },
  busy: { status: 503, message: 'too much is being published at this moment; try again' },
  signature_required: {
    status: 422,
    message:
      '%s comes without a signature, and one by %s is needed here; sign the module, and send it with sluice publish ' +
      '--signature FILE, or in base64 in the header sluice-signature',
  },
  signature_invalid: {
    status: 422,
    message:
      'the signature of %s was not made by %s, or is one of other bytes; sign the module itself, not its archive',
  },
  store_full: { status: 507, message: '%s does not fit in any more: %s; remove old versions, or use a larger store' },
  store_unwritable: {
    status: 507,
    message:
      '%s cannot be kept (%s); see that the directory of --data is there, and let the user of this server write to it',
  },
} as const satisfies ErrorRows;
