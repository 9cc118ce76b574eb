import type { Node } from '../yaml/node.ts';

/** What a route asks of a header. */
export interface HeaderCondition {
  /** Lower case. */
  readonly name: string;
  /** The only value that it takes; undefined: another condition. */
  readonly exact: string | undefined;
  /** Requests that do not have it fit. */
  readonly fitsWithout: boolean;
  readonly node: Node;
}

/** A route as Envoy and as Istio have it: what requests it takes, and where they go. */
export interface Route {
  readonly node: Node;
  /** `direct` is answered on the spot, `redirect` sends the client elsewhere; what is `other` may lead anywhere. */
  readonly action: 'forward' | 'direct' | 'redirect' | 'other';
  readonly headers: readonly HeaderCondition[];
  /** Further conditions, on which nothing is known here. */
  readonly conditional: boolean;
  /** The path that it is written for, or what such paths begin with; empty where it has none. */
  readonly literal: string;
  /** Takes a path in capitals and in small letters alike. */
  readonly ignoresCase: boolean;
  /** Whether it takes a path; where that cannot be told, `maybe`. */
  takes(path: string): 'yes' | 'no' | 'maybe';
  /** Clusters by name. */
  readonly clusters: readonly Node[];
}

/** The header that the module decides by. */
export const routingHeader = 'x-mcp-servername';

/**
 * What the module removes from every request, and what routes may go by; a test holds this against filter/flow/request.ts.
 */
export const trustedHeaders = [
  routingHeader,
  'x-mcp-method',
  'x-mcp-toolname',
  'x-mcp-promptname',
  'x-mcp-resourceuri',
  'x-mcp-eventname',
  'x-mcp-cluster',
] as const;

/** What a route asks of the routing header; its `exact` is the name of a server. */
export function routingCondition({ headers }: Route): HeaderCondition | undefined {
  return headers.find(({ name, fitsWithout }) => name === routingHeader && !fitsWithout);
}

/** Whether only requests take it that the module has decided on. */
export function isDecided({ headers }: Route): boolean {
  return headers.some((condition) => isTrusted(condition) && !condition.fitsWithout);
}

/** Whether every request takes it that no module has decided on. */
export function isForUndecided({ headers, conditional }: Route): boolean {
  return !conditional && headers.every((condition) => isTrusted(condition) && condition.fitsWithout);
}

function isTrusted({ name }: HeaderCondition): boolean {
  return (trustedHeaders as readonly string[]).includes(name);
}

export interface Expected {
  /** What is compared of a path: all of it, or a beginning, at any sign or at a slash. */
  readonly exact?: string;
  readonly prefix?: string;
  readonly segments?: string;
  readonly regex?: string;
  readonly ignoreCase?: boolean;
}

/** What paths begin with that are taken. */
export function literalOf({ exact, prefix, segments, regex }: Expected): string {
  return exact ?? prefix ?? segments ?? (regex === undefined ? '' : beginningOf(regex).text);
}

/** Matches as Envoy does. A regular expression is not run: a hostile one could take for ever. */
export function takesPath(expected: Expected, path: string): 'yes' | 'no' | 'maybe' {
  const fold = (text: string): string => (expected.ignoreCase === true ? lowerCase(text) : text);
  const own = fold(path);
  if (expected.exact !== undefined) return yesNo(own === fold(expected.exact));
  if (expected.prefix !== undefined) return yesNo(own.startsWith(fold(expected.prefix)));
  if (expected.segments !== undefined) {
    const segments = fold(expected.segments);
    return yesNo(own === segments || own.startsWith(`${segments}/`));
  }
  if (expected.regex === undefined) return 'maybe';
  const { text, isWhole } = beginningOf(expected.regex);
  if (!own.startsWith(fold(text))) return 'no';
  return isWhole ? yesNo(own === fold(text)) : 'maybe';
}

/** Envoy folds ASCII alone. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** What a path that a regular expression takes begins with, and whether that is all of it. */
function beginningOf(regex: string): { text: string; isWhole: boolean } {
  if (regex.includes('|')) return { text: '', isWhole: false }; // each alternative has its own
  const [literal = ''] = /^\^?(?:[\w/-]|\\[./-])*/.exec(regex) ?? [];
  const text = literal.replace(/^\^|\\/g, '');
  const isWhole = literal.length === regex.length;
  // What follows may repeat the last letter, or do without it.
  return { text: isWhole ? text : text.slice(0, -1), isWhole };
}

function yesNo(value: boolean): 'yes' | 'no' {
  return value ? 'yes' : 'no';
}
