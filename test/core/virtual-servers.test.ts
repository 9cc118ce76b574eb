import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Refusal, TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const unknownVirtualServer = (what: string): Refusal => ({
  status: 404,
  code: -31004,
  message:
    `Unknown virtual server: ${what}. Name one that is configured, as <namespace>/<name>, ` +
    'in the path behind the endpoint; where the endpoint itself is open, once in x-mcp-virtualserver does as well.',
  data: { reason: 'unknown_virtual_server' },
});
const unknownTool = (name: string): Refusal => ({
  status: 200,
  code: -32602,
  message: `Unknown tool: ${name}. Call tools/list for the names that exist here.`,
  data: { reason: 'unknown_tool' },
});

const servers = [
  { name: 'weather', cluster: 'w', tools: { deny: ['*_delete'] } },
  { name: 'orders', cluster: 'o', tools: { allow: ['get_*', 'list'] } },
];
const virtualServers = [
  { name: 'team-a/reader', tools: ['weather_get_*', 'weather_set', 'orders_list'] },
  { name: 'team-b/orders', tools: ['orders_*'], prompts: ['orders_*'], resources: ['file:///*'] },
  { name: 'team-b/none', tools: [] },
];

function start(more: object = {}): void {
  expect(gateway.configure({ servers, virtualServers, ...more })).toEqual([]);
  gateway.servers = {
    weather: ['get_now', 'get_later', 'set', 'get_delete', 'user_delete'],
    orders: ['get_one', 'list', 'cancel'],
  };
}

const all = ['weather_get_now', 'weather_get_later', 'weather_set', 'orders_get_one', 'orders_list'];
const reader = ['weather_get_now', 'weather_get_later', 'weather_set', 'orders_list'];
const orders = ['orders_get_one', 'orders_list'];
const nothing: string[] = [];

describe('what a request may see is path ∩ header ∩ rules', () => {
  test.each([
    ['open', '/mcp', undefined, all],
    ['open', '/mcp?x=1', undefined, all],
    ['open', '/mcp/', undefined, all],
    ['open', '/mcp/?x=1', 'team-a/reader', reader],
    ['open', '/mcp', 'team-a/reader', reader],
    ['open', '/mcp', ' team-b/orders\t', orders],
    ['open', '/mcp', 'team-b/none', nothing],
    ['open', '/mcp/team-a/reader', undefined, reader],
    ['open', '/mcp/team-a/reader?x=1', undefined, reader],
    ['open', '/mcp/team-a/reader', 'team-a/reader', reader],
    ['open', '/mcp/team-a/reader', 'team-b/orders', ['orders_list']],
    ['open', '/mcp/team-b/orders', 'team-a/reader', ['orders_list']],
    ['open', '/mcp/team-b/none', undefined, nothing],
    ['team-b/orders', '/mcp', undefined, orders],
    ['team-b/orders', '/mcp', 'team-a/reader', ['orders_list']],
    ['team-b/orders', '/mcp/team-a/reader', undefined, reader],
    ['closed', '/mcp/team-a/reader', undefined, reader],
  ])('root %s, %s narrowed by %j', (root, path, narrowed, expected) => {
    start({ root });
    const sent = { path, ...(narrowed === undefined ? {} : { narrowed }) };
    const session = gateway.open({ path });
    expect(gateway.list({ ...sent, session })).toEqual(expected);
    for (const name of [...all, 'weather_get_delete', 'weather_user_delete', 'orders_cancel', 'orders_']) {
      const answer = gateway.call(name, { ...sent, session });
      if (expected.includes(name)) expect(answer).toMatchObject({ server: name.split('_')[0] });
      else expect(answer).toEqual(unknownTool(name));
    }
  });

  test('a hidden tool is refused with the very words for one that nobody has', () => {
    start();
    const sent = { path: '/mcp/team-a/reader', session: gateway.open({ path: '/mcp/team-a/reader' }) };
    const refusals = ['orders_get_one', 'orders_get_two', 'weather_user_delete', 'weather_nothing', 'nobody'].map(
      (name) => ({ name, refusal: gateway.call(name, sent) }),
    );
    for (const { name, refusal } of refusals) expect(refusal).toEqual(unknownTool(name));
  });

  test('the header does not go on to the server, nor does it stay with the session', () => {
    start();
    const session = gateway.open({ narrowed: 'team-b/orders' });
    const narrowed = gateway.call('orders_list', { session, narrowed: 'team-b/orders' });
    expect('removes' in narrowed && narrowed.removes('x-mcp-virtualserver')).toBe(true);
    const wide = gateway.call('weather_set', { session });
    expect('removes' in wide && wide.removes('x-mcp-virtualserver')).toBe(false);
    expect(gateway.list({ session })).toEqual(all);
  });
});

describe('what is not a virtual server is never taken for everything', () => {
  test.each([
    ['/mcp', 'team-a/raeder', 'team-a/raeder'],
    ['/mcp', 'reader', 'reader'],
    ['/mcp', 'team-a', 'team-a'],
    ['/mcp', 'TEAM-A/reader', 'TEAM-A/reader'],
    ['/mcp', 'team-a/reader/', 'team-a/reader/'],
    ['/mcp', '/team-a/reader', '/team-a/reader'],
    ['/mcp', 'team-a//reader', 'team-a//reader'],
    ['/mcp', '*', '*'],
    ['/mcp', '', 'the header names none'],
    ['/mcp', ' \t', 'the header names none'],
    ['/mcp', 'team-a/reader,team-b/orders', 'team-a/reader,team-b/orders'],
    ['/mcp', 'team-a/reader, team-a/reader', 'team-a/reader, team-a/reader'],
    ['/mcp', ['team-a/reader', 'team-b/orders'], 'team-a/reader, team-b/orders'],
    ['/mcp', ['team-a/reader', 'team-a/reader'], 'team-a/reader, team-a/reader'],
    ['/mcp', ['team-a/reader', ''], 'team-a/reader,'],
    ['/mcp', ['', 'team-a/reader'], ', team-a/reader'],
    ['/mcp/team-a/raeder', undefined, 'team-a/raeder'],
    ['/mcp/team-a', undefined, 'team-a'],
    ['/mcp/team-a/', undefined, 'team-a/'],
    ['/mcp/team-a/reader/', undefined, 'team-a/reader/'],
    ['/mcp//team-a/reader', undefined, '/team-a/reader'],
    ['/mcp/team-a%2Freader', undefined, 'team-a%2Freader'],
    ['/mcp/-/status', undefined, '-/status'],
    ['/mcp/team-a/reader', 'team-c/x', 'team-c/x'],
    ['/mcp/team-c/x', 'team-a/reader', 'team-c/x'],
  ])('%s with the header %j', (path, narrowed, named) => {
    start();
    const sent = { path, ...(narrowed === undefined ? {} : { narrowed }) };
    const session = gateway.open();
    expect(gateway.initialize(sent)).toEqual(unknownVirtualServer(named));
    expect(gateway.list({ ...sent, session })).toEqual(unknownVirtualServer(named));
    expect(gateway.call('weather_set', { ...sent, session })).toEqual(unknownVirtualServer(named));
    expect(gateway.end({ ...sent, session })).toBe(404);
    expect(gateway.asked).toEqual([]);
  });

  test('a closed root serves nothing by itself, whatever the header says', () => {
    start({ root: 'closed' });
    for (const narrowed of [[], ['team-a/reader']]) {
      expect(gateway.initialize({ narrowed })).toEqual(unknownVirtualServer('the endpoint itself serves none'));
    }
  });
});

describe('a session belongs to the path that it was begun on', () => {
  const paths = ['/mcp', '/mcp/team-a/reader', '/mcp/team-b/orders'];
  test.each(paths.flatMap((began) => paths.map((used) => [began, used] as const)))(
    'begun on %s, used on %s',
    (began, used) => {
      start();
      const session = gateway.open({ path: began });
      const listed = gateway.list({ path: used, session });
      if (began === used) expect(listed).toBeInstanceOf(Array);
      else expect(listed).toMatchObject({ status: 404, data: { reason: 'session_unknown' } });
      expect(gateway.end({ path: used, session })).toBe(began === used ? 200 : 404);
    },
  );

  test('what root gives to the endpoint may change under it', () => {
    start({ root: 'open' });
    const session = gateway.open();
    start({ root: 'team-b/orders' });
    expect(gateway.list({ session })).toEqual(orders);
  });

  test('no name of a virtual server makes the audience of another path', () => {
    // The length before each part: ("/mcp", "a/b") is not ("/mcp/a", "b").
    start({ endpoint: '/mcp/team-a', virtualServers: [{ name: 'x/y', tools: ['*'] }] });
    const session = gateway.open({ path: '/mcp/team-a/x/y' });
    start({ virtualServers: [{ name: 'team-a/x', tools: ['*'] }] });
    expect(gateway.list({ path: '/mcp/team-a/x', session })).toMatchObject({ status: 404 });
  });
});

describe('a server that has nothing to show', () => {
  test('is asked for nothing by a list', () => {
    start();
    const session = gateway.open();
    gateway.list({ session });
    expect(gateway.asked).toEqual(['weather', 'orders']);
    gateway.list({ session, narrowed: 'team-b/orders' });
    expect(gateway.asked).toEqual(['orders']);
    expect(gateway.list({ session, narrowed: 'team-b/none' })).toEqual([]);
    expect(gateway.asked).toEqual([]);
  });

  test('has no part in a session, nor in its instructions', () => {
    start();
    const opened = gateway.initialize({ path: '/mcp/team-b/orders' });
    expect(gateway.asked).toEqual(['orders', 'orders']);
    expect(JSON.stringify(opened)).toContain('about orders');
    expect(JSON.stringify(opened)).not.toContain('weather');
  });

  test('has no part in a session that only a header hides it from, and joins when a request may see it', () => {
    start();
    const opened = gateway.initialize({ narrowed: 'team-b/orders' });
    expect(gateway.asked).toEqual(['orders', 'orders']);
    expect(JSON.stringify(opened)).toContain('about orders');
    expect(JSON.stringify(opened)).not.toContain('about weather');
    if (!('session' in opened)) throw new Error('no session');
    const listed = gateway.list({ session: opened.session });
    if (!Array.isArray(listed)) throw new Error('no list');
    expect(listed.some((name) => name.startsWith('weather_'))).toBe(true);
    expect(new Set(gateway.asked)).toEqual(new Set(['weather', 'orders']));
  });

  test('is not named by an error either', () => {
    start();
    gateway.servers = { weather: undefined, orders: undefined };
    expect(gateway.initialize({ path: '/mcp/team-b/orders' })).toMatchObject({ data: { server: 'orders' } });
    expect(gateway.initialize({ narrowed: 'team-b/orders' })).toMatchObject({ data: { server: 'orders' } });
    gateway.servers = { weather: ['set'], orders: undefined };
    expect(gateway.initialize({ narrowed: 'team-b/orders' })).toMatchObject({ data: { server: 'orders' } });
  });

  test('leaves a virtual server empty, not broken', () => {
    start();
    expect(gateway.initialize({ path: '/mcp/team-b/none' })).toMatchObject({ result: { capabilities: {} } });
    expect(gateway.asked).toEqual([]);
  });

  test.each([
    ['its rules allow nothing', { allow: [] }, ['a_*']],
    ['its rules deny everything', { deny: ['*'] }, ['a_*']],
    ['its rules deny all that they allow', { allow: ['x', 'y_*'], deny: ['?', 'y*'] }, ['*']],
    ['its rules allow other patterns', { allow: ['get_*'] }, ['a_set_*']],
    ['its rules deny the pattern', { deny: ['admin_*'] }, ['a_admin_*_all']],
    ['its rules deny the name', { deny: ['x'] }, ['a_x']],
    ['nothing begins with its prefix', {}, ['b_*', 'a']],
  ])('is one where %s', (_, tools, patterns) => {
    const other = { name: 'b', cluster: 'b' };
    const virtual = [{ name: 'n/v', tools: [...patterns, 'b_x'] }];
    expect(
      gateway.configure({ servers: [{ name: 'a', cluster: 'a', tools }, other], virtualServers: virtual }),
    ).toEqual([]);
    gateway.servers = { a: ['x', 'y_1', 'get_x', 'set_x', 'admin_x_all'], b: ['x'] };
    const path = '/mcp/n/v';
    const session = gateway.open({ path });
    expect(gateway.asked).toEqual(['b', 'b']);
    expect(gateway.list({ path, session })).toEqual(['b_x']);
    expect(gateway.asked).toEqual(['b']);
  });
});

describe('names that match nothing', () => {
  const listed = (patterns: string[]): string[] => {
    expect(gateway.configure({ servers, virtualServers: [{ name: 'n/v', tools: patterns }] })).toEqual([]);
    const session = gateway.open({ path: '/mcp/n/v' });
    gateway.list({ path: '/mcp/n/v', session });
    return gateway.logged;
  };

  test('are logged with the nearest one that exists', () => {
    start();
    expect(
      listed(['weather_get_nwo', 'weather_set', 'orders_get_*', 'orders_get_x*', 'weather_??', 'orders_list']),
    ).toEqual([
      'virtual server n/v: "weather_get_nwo" matches no tool; did you mean "weather_get_now"?',
      'virtual server n/v: "orders_get_x*" matches no tool; did you mean "orders_get_one"?',
      'virtual server n/v: "weather_??" matches no tool; did you mean "weather_set"?',
    ]);
  });

  test('are logged of the rules of a server too, by its own names and once', () => {
    start();
    const rules = { allow: ['get_now', 'get_nwo', 'x_*'], deny: ['*_delete', 'weather_set'] };
    const orders = { name: 'orders', cluster: 'o', tools: { deny: ['canccel'] } };
    expect(gateway.configure({ servers: [{ name: 'weather', cluster: 'w', tools: rules }, orders] })).toEqual([]);
    const session = gateway.open();
    const before = gateway.servers;
    gateway.servers = { ...before, orders: undefined };
    gateway.list({ session });
    expect(gateway.logged).toEqual([
      'server weather: tools.allow: "get_nwo" matches no tool; did you mean "get_now"?',
      'server weather: tools.allow: "x_*" matches no tool',
      'server weather: tools.deny: "weather_set" matches no tool',
    ]);
    gateway.servers = before;
    gateway.list({ session });
    expect(gateway.logged).toEqual(['server orders: tools.deny: "canccel" matches no tool; did you mean "cancel"?']);
    gateway.list({ session });
    expect(gateway.logged).toEqual([]);
  });

  test('are logged once', () => {
    start();
    expect(listed(['weather_nothing'])).toHaveLength(1);
    gateway.list({ path: '/mcp/n/v', session: gateway.open({ path: '/mcp/n/v' }) });
    expect(gateway.logged).toEqual([]);
  });

  test('are not known before all of their servers have answered', () => {
    start();
    expect(
      gateway.configure({ servers, virtualServers: [{ name: 'n/v', tools: ['weather_nothing', 'orders_list'] }] }),
    ).toEqual([]);
    const session = gateway.open({ path: '/mcp/n/v' });
    const before = gateway.servers;
    gateway.servers = { ...before, orders: undefined };
    gateway.list({ path: '/mcp/n/v', session });
    expect(gateway.logged).toEqual([]);
    gateway.servers = before;
    gateway.list({ path: '/mcp/n/v', session });
    expect(gateway.logged).toEqual(['virtual server n/v: "weather_nothing" matches no tool']);
  });

  test('are not known where another virtual server kept their servers from being asked', () => {
    start();
    const session = gateway.open();
    gateway.list({ session, narrowed: 'team-a/reader' });
    const path = '/mcp/team-b/orders';
    expect(
      gateway.configure({
        servers,
        virtualServers: [...virtualServers, { name: 'n/v', tools: ['weather_nothing', 'orders_x'] }],
      }),
    ).toEqual([]);
    gateway.list({ path, session: gateway.open({ path }), narrowed: 'n/v' });
    expect(gateway.logged).toEqual([]);
  });

  test('are logged as one line each, whatever a server calls its tools, and not without end', () => {
    start();
    gateway.servers['weather'] = ['gett\n"x"'];
    expect(listed(['weather_gett\n"y"'])).toEqual([
      'server weather: tools.deny: "*_delete" matches no tool',
      String.raw`virtual server n/v: "weather_gett\u000a\"y\"" matches no tool; did you mean "weather_gett\u000a\"x\""?`,
    ]);
    const lines = listed(Array.from({ length: 100 }, (_, i) => `weather_nothing_${i}`));
    expect(lines).toHaveLength(22); // one of them is of the server's own rules
    expect(lines.at(-1)).toBe('virtual server n/v: 80 more match no tool');
  });

  test('and cannot match anything are warned about with the configuration', () => {
    start({
      virtualServers: [
        { name: 'n/v', tools: ['wether_set', 'weather_x_delete', 'paris', 'x_*', 'orders_list', 'ordersx_a'] },
      ],
    });
    expect(gateway.warnings).toEqual([
      'virtualServers[0].tools[0]: "wether_set" begins with the prefix of no server; did you mean "weather_set"?',
      'virtualServers[0].tools[1]: "weather_x_delete" is hidden by the rules of server weather',
      'virtualServers[0].tools[2]: "paris" begins with the prefix of no server',
      'virtualServers[0].tools[3]: "x_*" can match no tool of any server',
      'virtualServers[0].tools[5]: "ordersx_a" begins with the prefix of no server; did you mean "orders_a"?',
    ]);
  });
});

/** Names and patterns of few letters, so that policies of all kinds of effect come up. */
const upstreamName = fc.string({ unit: fc.constantFrom('a', 'b', '_', 'é', '"'), minLength: 1, maxLength: 4 });
const upstreamPattern = fc.oneof(
  upstreamName,
  fc.string({ unit: fc.constantFrom('a', 'b', '_', 'é', '*', '?'), minLength: 1, maxLength: 4 }),
);
const prefixes = ['a_', 'b_', 'ab_'];
const gatewayPattern = fc.oneof(
  fc.tuple(fc.constantFrom(...prefixes), upstreamPattern).map((parts) => parts.join('')),
  upstreamPattern,
);
const some = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 4 });
const rules = fc.record({ allow: some(upstreamPattern), deny: some(upstreamPattern) }, { requiredKeys: [] });
const policies = fc.record({
  tools: fc.tuple(...prefixes.map(() => fc.uniqueArray(upstreamName, { maxLength: 6 }))),
  rules: fc.tuple(...prefixes.map(() => rules)),
  path: some(gatewayPattern),
  header: some(gatewayPattern),
});

function expressionOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');
}

const anyMatches = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) => expressionOf(pattern).test(name));

test('what is listed can be called and nothing else, and is the intersection', () => {
  let shown = 0;
  let hidden = 0;
  fc.assert(
    fc.property(policies, ({ tools, rules, path, header }) => {
      const names = ['one', 'two', 'three'];
      const configured = names.map((name, i) => ({ name, cluster: 'c', prefix: prefixes[i], tools: rules[i] }));
      const virtual = [
        { name: 'n/path', tools: path },
        { name: 'n/header', tools: header },
      ];
      expect(gateway.configure({ servers: configured, virtualServers: virtual })).toEqual([]);
      gateway.servers = Object.fromEntries(names.map((name, i) => [name, tools[i]]));

      const everything = tools.flatMap((own, i) =>
        own.map((name) => ({ name: `${prefixes[i] ?? ''}${name}`, own: name, rules: rules[i] })),
      );
      const admitted = everything.filter(
        ({ own, rules: { allow, deny } = {} }) =>
          (allow === undefined || anyMatches(allow, own)) && !anyMatches(deny ?? [], own),
      );
      const byPath = admitted.filter(({ name }) => anyMatches(path, name));
      const ways = [
        { sent: { path: '/mcp' }, expected: admitted },
        { sent: { path: '/mcp/n/path' }, expected: byPath },
        {
          sent: { path: '/mcp', narrowed: 'n/header' },
          expected: admitted.filter(({ name }) => anyMatches(header, name)),
        },
        {
          sent: { path: '/mcp/n/path', narrowed: 'n/header' },
          expected: byPath.filter(({ name }) => anyMatches(header, name)),
        },
      ];
      for (const { sent, expected } of ways) {
        const session = gateway.open({ path: sent.path });
        const listed = gateway.list({ ...sent, session });
        expect(listed).toEqual(expected.map(({ name }) => name));
        const callable = everything.filter(({ name }) => 'server' in gateway.call(name, { ...sent, session }));
        expect(callable.map(({ name }) => name)).toEqual(listed);
        shown += callable.length;
        hidden += everything.length - callable.length;
      }
    }),
    { numRuns: 500 },
  );
  expect(Math.min(shown, hidden)).toBeGreaterThan(1000);
});

test('a name that is too long to be called is not listed', () => {
  start();
  const fits = 'é'.repeat(512);
  gateway.servers = { weather: [fits, `${fits}x`, ''], orders: [] };
  const session = gateway.open();
  expect(gateway.list({ session })).toEqual([`weather_${fits}`]);
  expect(gateway.call(`weather_${fits}`, { session })).toMatchObject({ tool: fits });
  expect(gateway.call(`weather_${fits}x`, { session })).toMatchObject({ data: { reason: 'unknown_tool' } });
  expect(gateway.call('weather_', { session })).toMatchObject({ data: { reason: 'unknown_tool' } });
});

test('names and globs are found among many', () => {
  const many = Array.from({ length: 3000 }, (_, i) => `weather_tool_${i}`);
  start({ virtualServers: [{ name: 'n/v', tools: many.filter((_, i) => i % 3 === 0) }] });
  gateway.servers = { weather: many.map((name) => name.slice('weather_'.length)), orders: [] };
  const path = '/mcp/n/v';
  const listed = gateway.list({ path, session: gateway.open({ path }) });
  expect(listed).toEqual(many.filter((_, i) => i % 3 === 0));
});
