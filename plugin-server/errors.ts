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
    message: '%s is not a version: versions are exact, like 1.2.3, as GET /plugins lists them',
  },
  poll_invalid: { status: 400, message: 'the poll could not be read: %s' },
  token_required: { status: 401, message: 'a bearer token is needed here, and %s' },
  token_foreign: { status: 403, message: 'the token is not one of the gateway %s; %s' },
  not_found: { status: 404, message: 'nothing is served at this path; GET /plugins lists what is' },
  unknown_plugin: { status: 404, message: 'there is no plugin %s; did you mean %s? GET /plugins lists all' },
  unknown_version: { status: 404, message: 'there is no version %s of %s; did you mean %s? GET /plugins/%s lists all' },
  unknown_gateway: { status: 404, message: 'there is no gateway %s; did you mean %s? node.cluster has to be its name' },
  no_gateways: { status: 404, message: 'there is no gateway %s, and no other; put one at <gateways>/%s/sluice.yaml' },
  unknown_gateway_version: { status: 404, message: 'there is no version %s of the gateway %s; there are %s' },
  unknown_extension: { status: 404, message: 'the gateway %s has no filter %s; %s' },
  method_not_allowed: { status: 405, message: '%s is not possible here; use one of the methods in the allow header' },
  request_timeout: { status: 408, message: 'the request did not arrive in time; send it again' },
  precondition_failed: { status: 412, message: 'the module is not the one that if-match asks for; its etag is %s' },
  body_too_large: { status: 413, message: 'the body is larger than what is taken here; send a smaller one' },
  path_too_long: { status: 414, message: 'a name or version in the path is too long; GET /plugins lists all' },
  range_not_satisfiable: { status: 416, message: 'the range lies outside the module, which has %s bytes' },
  headers_too_large: { status: 431, message: 'the request headers are too large; send fewer of them' },
  internal: { status: 500, message: 'the server failed; its log tells why, under request id %s' },
  gateway_unready: {
    status: 503,
    message: 'the gateway %s has no version that was accepted yet; GET /gateways says what is wrong with it',
  },
  not_wasm: { status: null, message: '%s is no WebAssembly module that can be served: %s' },
  duplicate_artifact: { status: null, message: '%s is there twice; a version is immutable, publish a new one' },
  data_unreadable: { status: null, message: 'cannot read %s (%s); name an existing directory that this user may read' },
  data_invalid: { status: null, message: '%s cannot be served as it is; correct or remove:\n%s' },
  data_empty: { status: null, message: 'no plugin in %s; put one at <name>/<version>/plugin.wasm' },
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
