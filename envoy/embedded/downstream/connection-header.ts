// What `Connection` says of a request's other headers. (RFC 9110 §7.6.1, envoy: http/utility.cc sanitizeConnectionHeader)
import type { HeaderMap } from '../header-map.ts';

/** Options of a connection, which name no header to take out. */
const options = ['', 'close', 'keep-alive', 'upgrade', 'http2-settings', 'te'];
/** What tells who asks, and where: no client may take it away from those who decide on it. */
const unremovable = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'];
const mostNames = 10;

export function tokens(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(',').map((token) => token.trim().toLowerCase());
}

/** Takes out the headers that `Connection` names. @returns whether it names only what a client may name */
export function removeNominated(headers: HeaderMap): boolean {
  const names = tokens(headers.get('connection'));
  if (names.length >= mostNames) return false;
  if (names.some((name) => unremovable.includes(name) || name.startsWith(':'))) return false;
  for (const name of names) {
    if (!options.includes(name)) headers.remove(name === 'host' ? ':authority' : name);
  }
  return true;
}

/** Whether the client asks for another protocol. HTTP/2 is not one that is asked for: the header is taken out. (RFC 9113 §3.1) */
export function asksForUpgrade(headers: HeaderMap): boolean {
  const protocol = headers.get('upgrade')?.toLowerCase();
  if (protocol === 'h2c') headers.remove('http2-settings');
  return protocol !== undefined && protocol !== 'h2c' && tokens(headers.get('connection')).includes('upgrade');
}
