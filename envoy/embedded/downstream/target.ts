// What the first line of an HTTP/1.x request asks for. (RFC 9112 §3.2, envoy: http1/codec_impl.cc handlePath)
import type { HeaderMap } from '../header-map.ts';
import { type Refusal, malformed } from './refusal.ts';

/** An URL: its scheme, its host with a port or without, and its path; who asks is left out. */
const absoluteForm =
  /^(https?):\/\/(?:[^@/?#]*@)?((?:[a-z\d.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?)(?=[/?#]|$)([^?#]*.*)$/i;
const lastPort = 65535;

/**
 * Makes `:authority` and `:path` of a target in absolute form.
 * @returns why the request is refused; undefined where it is not
 */
export function resolveTarget(headers: HeaderMap): Refusal | undefined {
  const target = headers.get(':path') ?? '';
  const asterisk = headers.get(':method') === 'OPTIONS' && target.startsWith('*');
  if (target.startsWith('/') || asterisk) return undefined;
  const [, scheme = '', authority, port = '0', path = ''] = absoluteForm.exec(target) ?? [];
  if (authority === undefined || Number(port) > lastPort) return malformed('http1.invalid_url');
  if (scheme.toLowerCase() === 'https') {
    return { status: 403, body: 'Forbidden', details: 'http1.https_url_on_plaintext_connection', closes: true };
  }
  headers.set(':authority', authority);
  headers.set(':path', path.startsWith('/') ? path : '/');
  return undefined;
}
