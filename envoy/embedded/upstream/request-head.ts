import type { HeaderMap } from '../header-map.ts';
import { isField, isToken } from '../http1-headers.ts';

/** How the body of a request goes out. */
export interface RequestHead {
  /** Up to the empty line, and with it; latin1. */
  readonly text: string;
  readonly isChunked: boolean;
  /** Whether the connection may be used again. */
  readonly keepsAlive: boolean;
}

const notInPath = /[^\x21-\xff]/;

/**
 * The first line and the headers of a request of HTTP/1.1, with what tells where its body ends.
 * @param method in capitals
 * @returns undefined: a method, path or header that cannot be written as one
 */
export function requestHead(method: string, headers: HeaderMap, endStream: boolean): RequestHead | undefined {
  const path = headers.get(':path') ?? '/';
  if (!isToken(method) || notInPath.test(path)) return undefined;
  const coding = headers.get('transfer-encoding');
  const hasLength = headers.has('content-length');
  const addsChunks = coding === undefined && !endStream && !hasLength;
  const isChunked = addsChunks || (coding !== undefined && /(?:^|\W)chunked(?:$|\W)/i.test(coding));
  let text = `${method} ${path === '' ? '/' : path} HTTP/1.1\r\n`;
  const { flat } = headers;
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = flat[at] ?? '';
    const value = flat[at + 1] ?? '';
    const written = name === ':authority' ? 'host' : name;
    if (name === 'host' || written.startsWith(':')) continue; // `:authority` is Host; other pseudo-headers are not headers
    if (name === 'trailer' && (endStream || hasLength)) continue; // there are no chunks that trailers could follow
    if (!isField(written, value)) return undefined;
    text += `${written}: ${value}\r\n`;
  }
  if (addsChunks) text += 'transfer-encoding: chunked\r\n';
  // A length of nothing for methods that are expected to have content. (RFC 9110 §8.6)
  if (endStream && !hasLength && coding === undefined && hasContent(method)) text += 'content-length: 0\r\n';
  const keepsAlive = !/(?:^|\W)close(?:$|\W)/i.test(headers.get('connection') ?? '');
  return { text: `${text}\r\n`, isChunked, keepsAlive };
}

function hasContent(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

/** What ends a body in chunks. @returns undefined: a trailer that cannot be written as one */
export function lastChunk(trailers: HeaderMap | undefined): string | undefined {
  let text = '0\r\n';
  for (const [name, value] of trailers ?? []) {
    if (!isField(name, value)) return undefined;
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}
