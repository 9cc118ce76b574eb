import type { ConnectionManager } from '../config/model.ts';

/** What a path has where any of its rules could change or refuse it. */
const changing = /[%\\.#]|\/\//;

/**
 * The path that routes and filters see. (RFC 3986 §6.2.2.3, envoy: path_normalization)
 * @returns undefined: no path that may be served
 */
export function normalizePath(
  target: string,
  {
    normalizePath: normalize,
    mergeSlashes,
    escapedSlashes,
  }: Pick<ConnectionManager, 'normalizePath' | 'mergeSlashes' | 'escapedSlashes'>,
): string | undefined {
  if (target.startsWith('/') && !changing.test(target)) return target;
  if (target.includes('#') || !target.startsWith('/')) return target.startsWith('*') ? target : undefined;
  const query = target.indexOf('?');
  let path = query < 0 ? target : target.slice(0, query);
  const rest = query < 0 ? '' : target.slice(query);
  if (escapedSlashes === 'REJECT_REQUEST' && /%(?:2f|5c)/i.test(path)) return undefined;
  if (escapedSlashes.startsWith('UNESCAPE')) path = path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
  if (normalize) {
    if (path.includes('%00')) return undefined;
    path = withoutDots(
      path.replaceAll('\\', '/').replace(/%(2d|2e|5f|7e|3[0-9]|[46][1-9a-f]|[57][0-9a])/gi, unreserved),
    );
  }
  if (mergeSlashes) path = path.replace(/\/{2,}/g, '/');
  return path + rest;
}

/** Escapes of letters, digits and `-._~` mean nothing. (RFC 3986 §6.2.2.2) */
function unreserved(_: string, code: string): string {
  return String.fromCharCode(Number.parseInt(code, 16));
}

/** RFC 3986 §5.2.4 */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
    if (last && (segment === '.' || segment === '..')) kept.push('');
  }
  return `/${kept.join('/')}`;
}
