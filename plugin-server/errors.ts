import { format } from 'node:util';

/**
 * Everything this server can complain about: the stable code, the HTTP status (`null`: only while loading or starting,
 * before there is a client to answer), and a message that names the next step. `%s` are filled in, in order.
 * docs/plugin-server.md shows the same table; a test keeps the two equal.
 */
export const errorTable = {
  bad_request: { status: 400, message: 'the request could not be read: %s' },
  invalid_name: {
    status: 400,
    message: '%s is not a plugin name: use lower-case letters, digits, ".", "_" and "-"',
  },
  invalid_version: {
    status: 400,
    message: '%s is not a version: versions are exact, like 1.2.3; to read, a range like ^1.2 or latest will do too',
  },
  digest_mismatch: {
    status: 400,
    message: 'the bytes that came have not the digest that %s promises; send them again',
  },
  poll_invalid: { status: 400, message: 'the poll could not be read: %s' },
  unauthorized: {
    status: 401,
    message: 'publishing needs "authorization: Bearer <token>" with a token of this server',
  },
  token_required: { status: 401, message: 'a bearer token is needed here, and %s' },
  token_foreign: { status: 403, message: 'the token is not one of the gateway %s; %s' },
  publishing_off: { status: 403, message: 'nothing can be published here: %s' },
  not_found: { status: 404, message: 'nothing is served at this path; GET /plugins lists what is' },
  unknown_plugin: { status: 404, message: 'there is no plugin %s; did you mean %s? GET /plugins lists all' },
  unknown_version: { status: 404, message: 'there is no version %s of %s; did you mean %s? GET /plugins/%s lists all' },
  no_match: { status: 404, message: 'no version of %s is in the range %s; GET /plugins/%s lists all' },
  unsigned: { status: 404, message: '%s has no signature; one is published with PUT on this path' },
  unknown_gateway: { status: 404, message: 'there is no gateway %s; did you mean %s? node.cluster has to be its name' },
  no_gateways: { status: 404, message: 'there is no gateway %s, and no other; put one at <gateways>/NAME/sluice.yaml' },
  live_off: {
    status: 404,
    message: 'this server delivers nothing live: start it with --gateways DIR, which docs/live.md describes',
  },
  unknown_gateway_version: { status: 404, message: 'there is no version %s of the gateway %s; there are: %s' },
  unknown_extension: { status: 404, message: 'the gateway %s has no filter %s; %s' },
  method_not_allowed: { status: 405, message: '%s is not possible here; use one of the methods in the allow header' },
  request_timeout: { status: 408, message: 'the request did not arrive in time; send it again' },
  conflict: {
    status: 409,
    message: '%s is there with other bytes (sha256 %s); a version is immutable, publish a new one',
  },
  signature_conflict: { status: 409, message: '%s has another signature; it is immutable, publish a new version' },
  module_gone: {
    status: 409,
    message:
      'version %s of the gateway %s needs %s %s with sha256 %s, which is neither kept nor in the store any more; publish it again, or roll back to another version',
  },
  precondition_failed: { status: 412, message: 'the module is not the one that if-match asks for; its etag is %s' },
  too_large: { status: 413, message: '%s is larger than the limit of %s bytes' },
  path_too_long: { status: 414, message: 'a name or version in the path is too long; GET /plugins lists all' },
  unsupported_type: { status: 415, message: '%s is not taken; send the file itself, as it is' },
  range_not_satisfiable: { status: 416, message: 'the range lies outside the module, which has %s bytes' },
  not_wasm: { status: 422, message: '%s is no WebAssembly module that can be served: %s' },
  not_for_envoy: { status: 422, message: '%s would not be loaded by a stock Envoy: %s; without strict it is taken' },
  headers_too_large: { status: 431, message: 'the request headers are too large; send fewer of them' },
  internal: { status: 500, message: 'the server failed; its log tells why, under request id %s' },
  damaged: {
    status: 503,
    message: '%s is damaged on disk (%s) and not served; publish the same bytes again, or restore the file',
  },
  busy: { status: 503, message: 'too much is being published at this moment; try again' },
  gateway_unready: {
    status: 503,
    message: 'no version of the gateway %s was accepted yet; GET /gateways says what is wrong with its file',
  },
  store_full: { status: 507, message: '%s does not fit in any more: %s; remove old versions, or use a larger store' },
  duplicate_artifact: { status: null, message: '%s is there twice; a version is immutable, publish a new one' },
  data_unreadable: { status: null, message: 'cannot read %s (%s); name an existing directory that this user may read' },
  data_invalid: { status: null, message: '%s cannot be served as it is; correct or remove:\n%s' },
  data_empty: {
    status: null,
    message: 'no plugin in %s; put one at <name>/<version>/plugin.wasm, or allow publishing with --token-file',
  },
  secret_unusable: { status: null, message: 'cannot use %s: %s' },
  gateways_unreadable: {
    status: null,
    message: 'cannot read the gateways in %s (%s); name an existing directory that this user may read',
  },
  state_unwritable: {
    status: null,
    message: 'cannot keep versions of gateways in %s (%s); name a directory that this user may write to with --state',
  },
  port_taken: { status: null, message: '%s is taken by another process; stop it or listen on another port' },
  port_forbidden: { status: null, message: '%s may not be used by this user; choose a port above 1023' },
  address_unavailable: { status: null, message: '%s is no address of this machine; 127.0.0.1 and 0.0.0.0 always are' },
} as const satisfies Record<string, { status: number | null; message: string }>;

export type ErrorCode = keyof typeof errorTable;

/** An error of the table. `status` is 500 where the table has none. */
export class PluginServerError extends Error {
  override readonly name = 'PluginServerError';
  readonly code: ErrorCode;
  readonly status: number;

  constructor(code: ErrorCode, ...details: (string | number)[]) {
    super(format(errorTable[code].message, ...details));
    this.code = code;
    this.status = errorTable[code].status ?? 500;
  }
}
