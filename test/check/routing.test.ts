// What is said of routes is held against the routing of the embedded engine, which is held against Envoy's.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Message, Problems } from '../../envoy/embedded/config/message.ts';
import { readRoutes } from '../../envoy/embedded/config/routes.ts';
import { HeaderMap } from '../../envoy/embedded/header-map.ts';
import { findRoute } from '../../envoy/embedded/routing/match.ts';
import type { Document } from '../../envoy/yaml/document.ts';
import { envoyRoute } from '../../envoy/check/envoy-route.ts';
import { type Finding, reportInto } from '../../envoy/check/finding.ts';
import { Node } from '../../envoy/yaml/node.ts';
import { checkRouting, routedBy } from '../../envoy/check/routing.ts';

const servers = [
  { name: 'weather', cluster: 'weather', path: '/mcp' },
  { name: 'notes', cluster: 'notes', path: '/other' },
];

function read(value: unknown): Node {
  const document: Document = {
    file: 'file',
    get root() {
      return new Node(value, [], document);
    },
    locate: () => ({ line: 1, column: 1 }),
  };
  return document.root;
}

const routed = routedBy({ root: read({ servers }), text: '' });

function findings(configuration: object): Finding[] {
  const found: Finding[] = [];
  const tables = read(configuration)
    .get('virtual_hosts')
    .items.map((node) => ({
      node,
      domains: node.get('domains').items.map(({ text = '' }) => text),
      routes: node.get('routes').items.map(envoyRoute),
    }));
  checkRouting(tables, routed, reportInto(found));
  return found;
}

/** The cluster that a request reaches; undefined: it reaches none. */
function reached(configuration: object, headers: readonly (readonly [string, string])[]): string | undefined {
  const routes = readRoutes(new Message(structuredClone(configuration), '', new Problems()));
  const action = findRoute(routes, new HeaderMap(headers))?.route.action;
  return action?.kind === 'route' ? action.cluster.value : undefined;
}

const paths = ['/', '/m', '/mcp', '/mcp/', '/mcp/a', '/mcp/a/', '/mcp/a/b', '/mcp/ab', '/other', '/MCP'];
const pathMatches = [
  ...paths.map((prefix) => ({ prefix })),
  ...paths.map((exact) => ({ path: exact })),
  ...['/mcp', '/mcp/a', '/mcp/a/b', '/other'].map((segments) => ({ path_separated_prefix: segments })),
  ...['/mcp', '/m.*', '/other/.*', '/mcp/[a-z]+', '/mcp/a/.*', '/mcp/a/c.+', '/other|/mcp/a', '.*', '/x*mcp'].map(
    (regex) => ({ safe_regex: { regex } }),
  ),
];
const path = fc.constantFrom(...pathMatches);
const routing = 'x-mcp-servername';
const header = fc.constantFrom(
  { name: routing, string_match: { exact: 'weather' } },
  { name: routing, string_match: { exact: 'notes' } },
  { name: routing, string_match: { exact: 'notes' }, invert_match: true },
  { name: routing, string_match: { prefix: 'w' } },
  { name: routing, present_match: true },
  { name: routing, present_match: false },
  { name: routing, present_match: true, invert_match: true },
  { name: 'x-mcp-method', string_match: { exact: 'tools/call' } },
  { name: 'x-app', string_match: { exact: 'a' } },
  { name: 'x-app', present_match: true, invert_match: true },
);
const action = fc.constantFrom(
  { route: { cluster: 'weather' } },
  { route: { cluster: 'notes' } },
  { direct_response: { status: 500 } },
);
const anyRoute = fc
  .tuple(path, fc.array(header, { maxLength: 2 }), action)
  .map(([match, headers, does]) => ({ match: { ...match, headers }, ...does }));
/** Near enough to what is right that many are. */
const own = (name: string, path: object = { prefix: '/' }): object => ({
  match: { ...path, headers: [{ name: routing, string_match: { exact: name } }] },
  route: { cluster: name },
});
const defaultDeny = { match: { path_separated_prefix: '/mcp' }, direct_response: { status: 500 } };
const route = fc.oneof(anyRoute, anyRoute, fc.constantFrom(own('weather'), own('notes'), defaultDeny));
const withRoutes = (routes: readonly object[]): object => ({
  virtual_hosts: [{ name: 'all', domains: ['*'], routes }],
});
const configuration = fc.array(route, { maxLength: 6 }).map(withRoutes);

/** The endpoint, and what is at, behind and beside every path that a route above is written for. */
const targets = paths
  .flatMap((written) => ['', '/', 'x', '/x', 'c', '/c', '/cc'].map((more) => written + more))
  .filter((target) => target === '/mcp' || target.startsWith('/mcp/'));

/** A target below the endpoint that reaches a server although no module has decided on it. */
function leak(configuration: object, senders: readonly (readonly (readonly [string, string])[])[]): string | undefined {
  const routes = readRoutes(new Message(structuredClone(configuration), '', new Problems()));
  return targets.find((target) =>
    senders.some((headers) => {
      const found = findRoute(routes, new HeaderMap([[':authority', 'mcp'], [':path', target], ...headers]));
      return found?.route.action.kind === 'route';
    }),
  );
}

const isOpen = (configuration: object): boolean => findings(configuration).some(({ rule }) => rule === 'closed-route');

test('where nothing is said of a closed route, no undecided request reaches a server', () => {
  let closed = 0;
  fc.assert(
    fc.property(configuration, (routes) => {
      if (isOpen(routes)) return;
      closed++;
      expect(leak(routes, [[], [['x-app', 'a']], [['x-app', 'b']]])).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
  expect(closed).toBeGreaterThan(50);
});

test('every pair of routes before the closed route, between it and behind it, is told apart as Envoy does', () => {
  const one = pathMatches.flatMap((match) => [
    { match, route: { cluster: 'weather' } },
    { match, direct_response: { status: 500 } },
  ]);
  const defaultDenies = [defaultDeny, { match: { prefix: '/mcp' }, direct_response: { status: 500 } }];
  let closed = 0;
  const hidden: string[] = [];
  const see = (routes: readonly object[]): void => {
    const listed = withRoutes(routes);
    if (isOpen(listed)) return;
    closed++;
    const target = leak(listed, [[]]);
    if (target !== undefined) hidden.push(`${target}: ${JSON.stringify(routes)}`);
  };
  for (const first of one) {
    for (const second of one) {
      see([first, second]);
      for (const last of defaultDenies) see([first, second, last]);
    }
  }
  expect(hidden).toEqual([]);
  expect(closed).toBeGreaterThan(1000);
}, 120_000); // it counts nothing but itself; a machine may be busy

test('what is written in any case is looked for in any case', () => {
  const closedBelow = { match: { path_separated_prefix: '/mcp/a' }, direct_response: { status: 500 } };
  const open = (match: object): object => ({ match, route: { cluster: 'weather' } });
  expect(isOpen(withRoutes([closedBelow, open({ prefix: '/MCP/A', case_sensitive: false }), defaultDeny]))).toBe(true);
  expect(isOpen(withRoutes([closedBelow, open({ path_separated_prefix: '/mcp/a' }), defaultDeny]))).toBe(false);
  expect(isOpen(withRoutes([defaultDeny, open({ prefix: '/MCP/A', case_sensitive: false })]))).toBe(false);
  // Envoy folds ASCII alone: the Kelvin sign is no k.
  const kelvin = { match: { prefix: '/mcp/\u212a', case_sensitive: false }, direct_response: { status: 500 } };
  expect(isOpen(withRoutes([kelvin, open({ prefix: '/mcp/k' }), defaultDeny]))).toBe(true);
});

test('a table with more routes than can be compared is not called closed', () => {
  const many = Array.from({ length: 4000 }, (_, index) => ({
    match: { path: `/mcp/${index}` },
    direct_response: { status: 500 },
  }));
  const found = findings(withRoutes([...many, defaultDeny])).filter(({ rule }) => rule === 'closed-route');
  expect(found.map(({ message }) => message)).toEqual(['has more routes below /mcp than can be checked']);
});

/** Any of these in any order: some are right, and some of those stand at the wrong place. */
const pool = [
  own('weather'),
  own('notes'),
  own('weather', { path_separated_prefix: '/mcp' }),
  own('notes', { path: '/mcp' }),
  own('notes', { safe_regex: { regex: '/oth.*' } }),
  defaultDeny,
  { ...defaultDeny, match: { prefix: '/' } },
  { ...defaultDeny, match: { path: '/other' } },
  { match: { prefix: '/', headers: [{ name: routing, present_match: false }] }, direct_response: { status: 500 } },
  { ...own('weather'), route: undefined, direct_response: { status: 503 } },
];

test('where nothing is said of routes, a decided request reaches its server', () => {
  let open = 0;
  fc.assert(
    fc.property(fc.shuffledSubarray(pool), fc.constantFrom(...servers), (routes, { name, path: target }) => {
      const listed = withRoutes(routes);
      if (findings(listed).some(({ rule }) => ['closed-route', 'server-route'].includes(rule))) return;
      open++;
      expect(
        reached(listed, [
          [':authority', name],
          [':path', target],
          [routing, name],
        ]),
      ).toBe(name);
    }),
    { numRuns: 600 },
  );
  expect(open).toBeGreaterThan(10);
});
