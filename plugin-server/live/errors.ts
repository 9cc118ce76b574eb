import type { ErrorRows } from '../error-rows.ts';

/** What live delivery can complain about. */
export const liveErrors = {
  poll_invalid: { status: 400, message: 'the poll could not be read: %s' },
  token_required: { status: 401, message: 'a bearer token is needed here, and %s' },
  token_foreign: { status: 403, message: 'the token is not one of the gateway %s; %s' },
  unknown_gateway: { status: 404, message: 'there is no gateway %s; did you mean %s? node.cluster has to be its name' },
  no_gateways: { status: 404, message: 'there is no gateway %s, and no other; put one at <gateways>/NAME/sluice.yaml' },
  live_off: {
    status: 404,
    message: 'this server delivers nothing live: start it with --gateways DIR, which docs/live.md describes',
  },
  unknown_gateway_version: { status: 404, message: 'there is no version %s of the gateway %s; there are: %s' },
  unknown_extension: { status: 404, message: 'the gateway %s has no filter %s; %s' },
  module_gone: {
    status: 409,
    message:
      'version %s of the gateway %s needs %s %s with sha256 %s, which is neither kept nor in the store any more; publish it again, or roll back to another version',
  },
  gateway_unready: {
    status: 503,
    message: 'no version of the gateway %s was accepted yet; GET /gateways says what is wrong with its file',
  },
  not_kept: {
    status: 507,
    message:
      'nothing is changed, as the new version cannot be kept (%s); see that the directory of --state is there and has room, and let this user write to it',
  },
  gateways_unreadable: {
    status: null,
    message: 'cannot read the gateways in %s (%s); name an existing directory that this user may read',
  },
  state_unwritable: {
    status: null,
    message:
      'cannot keep versions of gateways and catalogs in %s (%s); name a directory that this user may write to with --state',
  },
} as const satisfies ErrorRows;
