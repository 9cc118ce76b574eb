import type { IncomingHttpHeaders } from 'node:http';

// RFC 9110 §8.8.3: entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE. It may hold a comma: a list cannot be split at them.
const entityTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/**
 * Evaluates the preconditions of a request for a representation that exists and has the strong tag `etag`, in the order
 * of RFC 9110 §13.2.2. There is no Last-Modified here, so the conditions on dates are ignored (§13.1.3, §13.1.4).
 */
export function evaluatePreconditions(
  headers: IncomingHttpHeaders,
  etag: string,
): 'proceed' | 'not_modified' | 'failed' {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !lists(ifMatch, (tag) => tag === etag)) return 'failed'; // §13.1.1: strong comparison
  const ifNoneMatch = headers['if-none-match'];
  const weaklyEqual = (tag: string): boolean => tag.replace(/^W\//, '') === etag; // §13.1.2: weak comparison
  return ifNoneMatch !== undefined && lists(ifNoneMatch, weaklyEqual) ? 'not_modified' : 'proceed';
}

/**
 * Whether a `Range` is to be honoured: RFC 9110 §13.1.5 wants the strong comparison, and a date, which we never gave
 * out, cannot match.
 */
export function ifRangeHolds(header: string | undefined, etag: string): boolean {
  return header === undefined || header.trim() === etag;
}

function lists(header: string, matches: (tag: string) => boolean): boolean {
  return header.trim() === '*' || (header.match(entityTag) ?? []).some(matches);
}
