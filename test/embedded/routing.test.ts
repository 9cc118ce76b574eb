import { describe, expect, test } from 'vitest';
import type { RouteConfiguration } from '../../envoy/embedded/config/model.ts';
import type { Route, RouteMatch } from '../../envoy/embedded/config/route.ts';
import { HeaderMap } from '../../envoy/embedded/header-map.ts';
import { findRoute } from '../../envoy/embedded/routing/match.ts';
import { addHeaders } from '../../envoy/embedded/routing/response-headers.ts';
import { normalizePath } from '../../envoy/embedded/downstream/path.ts';

const action = { kind: 'direct_response', status: 200, body: '' } as const;

function route(name: string, match: Partial<RouteMatch>): Route {
  return {
    name,
    match: { path: { kind: 'prefix', value: '/' }, headers: [], ...match },
    action,
    responseHeadersToAdd: [],
  };
}

function routeOf(
  hosts: Readonly<Record<string, Route[]>>,
  headers: readonly (readonly [string, string])[],
): string | undefined {
  const virtualHosts = Object.entries(hosts).map(([domain, routes]) => ({ name: domain, domains: [domain], routes }));
  const configuration: RouteConfiguration = { name: '', validateClusters: false, virtualHosts };
  return findRoute(configuration, new HeaderMap(headers))?.route.name;
}

describe('the virtual host', () => {
  const hosts = Object.fromEntries(
    ['*', 'a.example', '*.example', '*.b.example', 'x.*', 'a.example:80'].map((domain) => [
      domain,
      [route(domain, {})],
    ]),
  );
  test.each([
    ['a.example', 'a.example'],
    ['A.Example', 'a.example'],
    ['a.example:80', 'a.example:80'],
    ['a.example:81', '*'],
    ['c.example', '*.example'],
    ['c.b.example', '*.b.example'],
    ['.example', '*'],
    ['x.y', 'x.*'],
    ['other', '*'],
  ])('of %s is %s', (authority, domain) => {
    expect(
      routeOf(hosts, [
        [':authority', authority],
        [':path', '/'],
      ]),
    ).toBe(domain);
  });
});

describe('a path', () => {
  test.each<[RouteMatch['path'], string, boolean]>([
    [{ kind: 'prefix', value: '/mcp' }, '/mcpx', true],
    [{ kind: 'prefix', value: '/mcp?a' }, '/mcp?a', false], // the query is not looked at
    [{ kind: 'path', value: '/mcp' }, '/mcp?a=1', true],
    [{ kind: 'path', value: '/mcp' }, '/mcp/', false],
    [{ kind: 'path_separated_prefix', value: '/mcp' }, '/mcp', true],
    [{ kind: 'path_separated_prefix', value: '/mcp' }, '/mcp/a/b', true],
    [{ kind: 'path_separated_prefix', value: '/mcp' }, '/mcp?a', true],
    [{ kind: 'path_separated_prefix', value: '/mcp' }, '/mcpx', false],
    [{ kind: 'safe_regex', value: /^(?:\/[a-z]+)$/ }, '/mcp', true],
    [{ kind: 'safe_regex', value: /^(?:\/[a-z]+)$/ }, '/mcp/', false],
  ])('%o and %s: %s', (path, target, fits) => {
    expect(routeOf({ '*': [route('r', { path })] }, [[':path', target]])).toBe(fits ? 'r' : undefined);
  });
});

describe('a header', () => {
  const match = (
    kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'present',
    value: string,
    invert = false,
  ): Partial<RouteMatch> => ({
    headers: [{ name: 'x-a', kind, value, invert }],
  });
  test.each<[Partial<RouteMatch>, string[], boolean]>([
    [match('exact', 'one'), ['one'], true],
    [match('exact', 'one'), ['One'], false],
    [match('exact', 'one'), ['two', 'one'], true], // one by one, not as "two,one"
    [match('exact', 'two,one'), ['two', 'one'], false],
    [match('exact', 'one', true), ['two', 'one'], false],
    [match('exact', 'one', true), [], true],
    [match('prefix', 'on'), ['one'], true],
    [match('suffix', 'ne'), ['one'], true],
    [match('contains', 'n'), ['one'], true],
    [match('present', ''), [''], true],
    [match('present', '', true), [''], false],
    [match('present', ''), [], false],
  ])('%j with %j: %s', (conditions, values, fits) => {
    const headers = values.map((value) => ['x-a', value] as const);
    expect(routeOf({ '*': [route('r', conditions)] }, [[':path', '/'], ...headers])).toBe(fits ? 'r' : undefined);
  });
});

test.each([
  ['APPEND_IF_EXISTS_OR_ADD', ['old', 'new'], ['new']],
  ['ADD_IF_ABSENT', ['old'], ['new']],
  ['OVERWRITE_IF_EXISTS_OR_ADD', ['new'], ['new']],
  ['OVERWRITE_IF_EXISTS', ['new'], []],
] as const)('a response header with %s', (append, there, absent) => {
  const headers = new HeaderMap([['x-there', 'old']]);
  addHeaders(headers, [
    { name: 'x-there', value: 'new', append },
    { name: 'x-absent', value: 'new', append },
  ]);
  expect([headers.getAll('x-there'), headers.getAll('x-absent')]).toEqual([there, absent]);
});

test.each([
  ['/mcp', '/mcp'],
  ['/a/../mcp', '/mcp'],
  ['/../../mcp', '/mcp'],
  ['/./mcp/.', '/mcp/'],
  ['/a/..', '/'],
  ['//mcp///x', '/mcp/x'],
  ['/%6dcp', '/mcp'],
  ['/mcp%2F..%2f', undefined],
  ['/mcp%5c', undefined],
  ['\\mcp', undefined],
  ['/a\\..\\mcp', '/mcp'],
  ['/mcp?q=/../%2f//', '/mcp?q=/../%2f//'],
  ['/mcp#x', undefined],
  ['mcp', undefined],
  ['*', '*'],
  ['*/mcp', '*/mcp'],
  ['/a%00', undefined],
  ['/a?%00', '/a?%00'],
])('the path %s is served as %s', (target, served) => {
  const options = { normalizePath: true, mergeSlashes: true, escapedSlashes: 'REJECT_REQUEST' } as const;
  expect(normalizePath(target, options)).toBe(served);
});
