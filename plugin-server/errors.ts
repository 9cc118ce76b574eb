import { format } from 'node:util';
import type { ErrorRows } from './error-rows.ts';
import { catalogErrors } from './catalog/errors.ts';
import { endpointErrors } from './endpoints/errors.ts';
import { envoysErrors } from './envoys/errors.ts';
import { liveErrors } from './live/errors.ts';
import { ociErrors } from './oci/errors.ts';
import { pluginsErrors } from './plugins/errors.ts';
import { publishErrors } from './publish/errors.ts';
import { renderErrors } from './render/errors.ts';

/** What any request, and the start, can fail with. */
const serverErrors = {
  bad_request: { status: 400, message: 'the request could not be read: %s' },
  not_found: { status: 404, message: 'nothing is served at this path; GET /plugins lists what is' },
  method_not_allowed: { status: 405, message: '%s is not possible here; use one of the methods in the allow header' },
  request_timeout: { status: 408, message: 'the request did not arrive in time; send it again' },
  too_large: { status: 413, message: '%s is larger than the limit of %s bytes' },
  path_too_long: { status: 414, message: 'a name or version in the path is too long; GET /plugins lists all' },
  headers_too_large: { status: 431, message: 'the request headers are too large; send fewer of them' },
  internal: { status: 500, message: 'the server failed; its log tells why, under request id %s' },
  secret_unusable: { status: null, message: 'cannot use %s: %s' },
  port_taken: { status: null, message: '%s is taken by another process; stop it or listen on another port' },
  port_forbidden: { status: null, message: '%s may not be used by this user; choose a port above 1023' },
  address_unavailable: { status: null, message: '%s is no address of this machine; 127.0.0.1 and 0.0.0.0 always are' },
} as const satisfies ErrorRows;

/**
 * Everything this server can complain about: the stable code, the HTTP status (`null`: only while loading or starting,
 * before there is a client to answer), and a message that names the next step. `%s` are filled in, in order.
 * docs/plugin-server.md shows the same table; a test keeps the two equal.
 */
export const errorTable = {
  ...serverErrors,
  ...pluginsErrors,
  ...publishErrors,
  ...liveErrors,
  ...catalogErrors,
  ...ociErrors,
  ...envoysErrors,
  ...renderErrors,
  ...endpointErrors,
};

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
