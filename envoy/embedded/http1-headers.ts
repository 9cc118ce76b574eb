import { type Header, HeaderMap } from './header-map.ts';

/** Headers that concern one connection only. (RFC 9110 §7.6.1) */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/** From Node's flat list of names and values, behind pseudo-headers. */
export function headersOf(raw: readonly string[], pseudo: readonly Header[] = []): HeaderMap {
  const headers = new HeaderMap(pseudo);
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (!name.startsWith(':')) headers.append(name, raw[at + 1] ?? '');
  }
  return headers;
}

/** Takes out what belongs to the connection that they came on. */
export function removeHopByHop(headers: HeaderMap): void {
  headers.removeAll(hopByHop);
}

const token = /^[\w!#$%&'*+.^`|~-]+$/;
const notInValue = /[^\t\x20-\x7e\x80-\xff]/;

/** A name of a header or a method, as HTTP/1.1 has them. (RFC 9110 §5.6.2) */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** What can stand in a line of HTTP/1.1, and is one line; no space is around the value. (RFC 9110 §5.5) */
export function isField(name: string, value: string): boolean {
  return token.test(name) && !notInValue.test(value);
}

/** To Node's flat list: `:authority` is Host, other pseudo-headers are not headers. */
export function rawHeaders(headers: HeaderMap): string[] {
  const raw: string[] = [];
  headers.forEach((name, value) => {
    if (name === ':authority') raw.push('host', value);
    else if (!name.startsWith(':') && name !== 'host') raw.push(name, value);
  });
  return raw;
}

/** To Node's HTTP/2 object: names with several values have them in a list, but for those that may have one only. */
export function http2Headers(headers: Iterable<Header>): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const there = object[name];
    if (there === undefined || oneOnly.has(name)) object[name] = value;
    else object[name] = [...(Array.isArray(there) ? there : [there]), value];
  }
  return object;
}

/** Names of which Node's HTTP/2 refuses a second value. */
const oneOnly = new Set([
  'age', 'authorization', 'content-encoding', 'content-length', 'content-location', 'content-md5', 'content-range',
  'content-type', 'date', 'dnt', 'etag', 'expires', 'from', 'host', 'if-match', 'if-modified-since', 'if-none-match',
  'if-range', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards', 'proxy-authorization', 'range',
  'referer', 'retry-after', 'tk', 'upgrade-insecure-requests', 'user-agent', 'x-content-type-options',
]); // prettier-ignore
