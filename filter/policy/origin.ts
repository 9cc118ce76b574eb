import { List } from '../bytes/list';
import { Span, after, equals, equalsIgnoringCase, length, literal, startsWith } from '../bytes/span';
import { isLoopbackName } from './host';

const HTTP = literal('http://');
const HTTPS = literal('https://');

/**
 * Whether a web page of this origin may use the gateway (MCP 2025-11-25, transports: a bad Origin MUST be 403).
 * @param origin as the browser wrote it (RFC 6454 §6.2: lower case, no default port)
 * @param authority of the request, which `isHostAllowed` let in
 */
export function isOriginAllowed(origins: List, origin: Span, authority: Span): bool {
  for (let i = 0; i < origins.count; i++) if (equals(origins.at(i), origin)) return true;
  return isLoopbackName(authority) && isSameOrigin(origin, authority);
}

/** The page came from this very address, so whoever serves it already answers there. */
function isSameOrigin(origin: Span, authority: Span): bool {
  const scheme = startsWith(origin, HTTPS) ? length(HTTPS) : length(HTTP);
  if (!startsWith(origin, HTTP) && !startsWith(origin, HTTPS)) return false;
  return equalsIgnoringCase(after(origin, scheme as u32), authority);
}
