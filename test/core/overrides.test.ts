import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const servers = [
  { name: 'weather', cluster: 'w' },
  { name: 'orders', cluster: 'o' },
];
const now = { tool: 'weather_now', name: 'forecast' };

function start(more: object, tools: Record<string, readonly string[]> = {}): string {
  expect(gateway.configure({ servers, ...more })).toEqual([]);
  gateway.servers = { weather: ['now', 'later'], orders: ['list'], ...tools };
  return gateway.open();
}

describe('a tool with another name', () => {
  test('is listed and called by it, and not by its own', () => {
    const session = start({ overrides: [now, { tool: 'orders_list', name: 'list' }] });
    expect(gateway.list({ session })).toEqual(['forecast', 'weather_later', 'list']);
    expect(gateway.call('forecast', { session })).toMatchObject({ server: 'weather', tool: 'now' });
    expect(gateway.call('list', { session })).toMatchObject({ server: 'orders', tool: 'list' });
    expect(gateway.call('weather_now', { session })).toMatchObject({ data: { reason: 'unknown_tool' } });
    expect(gateway.call('orders_list', { session })).toMatchObject({ data: { reason: 'unknown_tool' } });
    expect(gateway.call('weather_later', { session })).toMatchObject({ server: 'weather', tool: 'later' });
  });

  test('may take the name that another one gives up', () => {
    const session = start({
      overrides: [
        { tool: 'weather_now', name: 'weather_later' },
        { tool: 'weather_later', name: 'weather_now' },
      ],
    });
    expect(gateway.list({ session })).toEqual(['weather_later', 'weather_now', 'orders_list']);
    expect(gateway.call('weather_now', { session })).toMatchObject({ tool: 'later' });
    expect(gateway.call('weather_later', { session })).toMatchObject({ tool: 'now' });
  });

  test('hides the one that has the name by itself, and the log says so once', () => {
    const session = start({ overrides: [{ tool: 'weather_now', name: 'orders_list' }] });
    expect(gateway.list({ session })).toEqual(['orders_list', 'weather_later']);
    expect(gateway.logged).toEqual([
      'server orders: tool "list" is hidden, as a call of the name that clients would see is for another tool; give one ' +
        'of the two another name in overrides',
    ]);
    gateway.list({ session });
    expect(gateway.logged).toEqual([]);
    expect(gateway.call('orders_list', { session })).toMatchObject({ server: 'weather', tool: 'now' });
  });

  test('is as hidden as without one', () => {
    const denying = [{ name: 'weather', cluster: 'w', tools: { deny: ['hidden'] } }, servers[1]];
    const overrides = [{ tool: 'weather_hidden', name: 'shown' }];
    const session = start({ servers: denying, overrides }, { weather: ['hidden', 'now'] });
    expect(gateway.warnings).toEqual(['overrides[0].tool: "weather_hidden" is hidden by the rules of server weather']);
    expect(gateway.list({ session })).toEqual(['weather_now', 'orders_list']);
    expect(gateway.call('shown', { session })).toMatchObject({ data: { reason: 'unknown_tool' } });
  });

  test('is ruled by the name at its server', () => {
    const rules = [
      { name: 'weather alone', effect: 'allow', tools: ['weather_*'] },
      { name: 'not there', effect: 'deny', tools: ['weather_now'], arguments: [{ pointer: '/place', enum: ['moon'] }] },
    ];
    const session = start({ overrides: [now, { tool: 'orders_list', name: 'weather_x' }], authorization: { rules } });
    expect(gateway.list({ session })).toEqual(['forecast', 'weather_later']);
    expect(gateway.call('weather_x', { session })).toMatchObject({ data: { reason: 'unknown_tool' } });
    expect(gateway.callWith('forecast', '{"place":"moon"}', { session })).toHaveProperty('isError');
    expect(gateway.callWith('forecast', '{"place":"Bern"}', { session })).toBe('weather');
  });

  test('is listed and called, with each of its members once, however often its server repeats one', () => {
    const title = 'T'.repeat(100);
    const session = start({
      overrides: [
        { ...now, title },
        { tool: 'orders_list', title },
      ],
    });
    gateway.members = {
      weather: { now: '"title":"","t\\u0069tle":"","title":""' },
      orders: { list: '"title":"",'.repeat(50) + '"x":1' },
    };
    expect(gateway.list({ session })).toEqual(['forecast', 'weather_later', 'orders_list']);
    expect(gateway.call('forecast', { session })).toMatchObject({ server: 'weather', tool: 'now' });
    expect(gateway.call('orders_list', { session })).toMatchObject({ server: 'orders', tool: 'list' });
    gateway.members = {};
  });

  test('that its server does not have is named in the log', () => {
    const session = start({ overrides: [{ tool: 'weather_nwo', name: 'x' }] });
    gateway.list({ session });
    expect(gateway.logged).toEqual(['overrides: "weather_nwo" matches no tool; did you mean "weather_now"?']);
    gateway.list({ session });
    expect(gateway.logged).toEqual([]);
  });
});

describe('a virtual server', () => {
  const virtualServers = [
    { name: 'team/a', tools: ['*'], overrides: [{ tool: 'weather_now', name: 'jetzt' }] },
    { name: 'team/b', tools: ['*'] },
  ];
  const of = (more: object): string[] | object => gateway.list({ session: gateway.open(more), ...more });

  test('has its own, and those of the gateway for all other tools', () => {
    start({ overrides: [now, { tool: 'orders_list', name: 'list' }], virtualServers });
    expect(of({})).toEqual(['forecast', 'weather_later', 'list']);
    expect(of({ path: '/mcp/team/a' })).toEqual(['jetzt', 'weather_later', 'list']);
    expect(of({ path: '/mcp/team/b' })).toEqual(['forecast', 'weather_later', 'list']);
    expect(of({ narrowed: 'team/a' })).toEqual(['jetzt', 'weather_later', 'list']);
    expect(of({ path: '/mcp/team/a', narrowed: 'team/b' })).toEqual(['forecast', 'weather_later', 'list']);
    const path = '/mcp/team/a';
    const session = gateway.open({ path });
    expect(gateway.call('jetzt', { path, session })).toMatchObject({ tool: 'now' });
    expect(gateway.call('forecast', { path, session })).toMatchObject({ data: { reason: 'unknown_tool' } });
  });

  test('takes a name from the gateway', () => {
    start({ overrides: [{ tool: 'orders_list', name: 'jetzt' }], virtualServers });
    expect(of({})).toEqual(['weather_now', 'weather_later', 'jetzt']);
    expect(of({ path: '/mcp/team/a' })).toEqual(['jetzt', 'weather_later']);
  });
});

describe('tools without a prefix', () => {
  const bare = { tool: 'weather_*', name: '*' };

  test('are listed and called so, those with a name of their own by that', () => {
    const session = start({ overrides: [bare, { tool: 'weather_later', name: 'tomorrow' }] });
    expect(gateway.list({ session })).toEqual(['now', 'tomorrow', 'orders_list']);
    expect(gateway.call('now', { session })).toMatchObject({ server: 'weather', tool: 'now' });
    expect(gateway.call('orders_list', { session })).toMatchObject({ server: 'orders', tool: 'list' });
    // The server is asked for what looks like a name of it, as ever.
    expect(gateway.call('weather_now', { session })).toMatchObject({ server: 'weather', tool: 'weather_now' });
    expect(gateway.call('later', { session })).toMatchObject({ data: { reason: 'unknown_tool' } });
  });

  test('are hidden where they would be those of another server', () => {
    const session = start({ overrides: [bare] }, { weather: ['now', 'orders_list', 'orders_x'] });
    expect(gateway.list({ session })).toEqual(['now', 'orders_list']);
    expect(gateway.call('orders_list', { session })).toMatchObject({ server: 'orders' });
    expect(gateway.call('orders_x', { session })).toMatchObject({ server: 'orders', tool: 'x' });
  });
});

test.each<[string, object, string[]]>([
  ['no tool', [{ name: 'x' }], ['overrides[0].tool: is missing']],
  [
    'nothing that differs',
    [{ tool: 'weather_now' }],
    ['overrides[0]: says nothing that would differ: give it a name, title, description or annotations'],
  ],
  [
    'a pattern',
    [{ tool: 'weather_n*', name: 'x' }],
    [
      'overrides[0].tool: must be the name of one tool, with the prefix of its server; or a prefix and "*", where name ' +
        'is "*", found "weather_n*"',
    ],
  ],
  [
    'a prefix and no star',
    [{ tool: 'weather_*', name: 'x', title: 'X' }],
    [
      'overrides[0].name: must be "*": all tools of a server keep their definitions, and lose the prefix, found "x"',
      'overrides[0].title: has no meaning where tool stands for all tools of a server',
    ],
  ],
  [
    'two servers without prefixes',
    [
      { tool: 'weather_*', name: '*' },
      { tool: 'orders_*', name: '*' },
    ],
    ['overrides[1].tool: takes the prefix from a second server: a name without one could belong to both'],
  ],
  [
    'one name for two',
    [now, { tool: 'orders_list', name: 'forecast' }],
    ['overrides[1].name: is the name that this list gives another tool: a call could mean both'],
  ],
  ['one tool twice', [now, { ...now, name: 'x' }], ['overrides[1].tool: has an override already in this list']],
  [
    'a name that is none',
    [{ tool: 'weather_now', name: 'für cast' }],
    ['overrides[0].name: must be made of A-Z, a-z, 0-9, "_", "." and "-", at most 128 characters, found "für cast"'],
  ],
  [
    'members of other types',
    [{ tool: 'weather_now', title: 1, annotations: { readOnlyHint: 'yes', destructive: true } }],
    [
      'overrides[0].title: must be a string that is not empty, found 1',
      'overrides[0].annotations.destructive: is not a member of this section; did you mean "destructiveHint"?',
      'overrides[0].annotations.readOnlyHint: must be true or false, found "yes"',
    ],
  ],
])('%s is refused', (_, overrides, problems) => {
  expect(gateway.configure({ servers, overrides })).toEqual(problems);
});

test('what is listed can be called, and reaches what was listed; nothing else can', () => {
  const tools = ['now', 'later', 'list', 'orders_list', 'weather_now', 'x'];
  const plain = ['weather', 'orders'].flatMap((server) => tools.map((tool) => `${server}_${tool}`));
  const names = [...new Set([...plain, ...tools, 'y', 'z'])];
  const entry = fc.record({ tool: fc.constantFrom(...plain), name: fc.constantFrom(...names) });
  const distinct = { selector: ({ tool }: { tool: string }) => tool };
  const list = fc
    .tuple(fc.uniqueArray(entry, { maxLength: 4, ...distinct }), fc.constantFrom('', 'weather', 'orders'))
    .map(([entries, bare]) => [
      ...entries.filter(({ name }, at) => entries.findIndex((other) => other.name === name) === at),
      ...(bare === '' ? [] : [{ tool: `${bare}_*`, name: '*' }]),
    ]);
  const had = fc.subarray(tools);
  fc.assert(
    fc.property(list, list, had, had, (overrides, own, weather, orders) => {
      const virtualServers = [{ name: 'team/a', tools: ['weather_*', 'orders_list'], overrides: own }];
      start({ overrides, virtualServers }, { weather, orders });
      for (const path of ['/mcp', '/mcp/team/a']) {
        const session = gateway.open({ path });
        const listed = gateway.list({ path, session }) as string[];
        expect(new Set(listed).size).toBe(listed.length);
        const reached = new Set<string>();
        for (const name of names) {
          const answer = gateway.call(name, { path, session });
          const exists = 'server' in answer && gateway.servers[answer.server]?.includes(answer.tool) === true;
          expect(exists, name).toBe(listed.includes(name));
          if (!exists) continue;
          const tool = `${answer.server}_${answer.tool}`;
          expect(reached.has(tool)).toBe(false);
          reached.add(tool);
        }
      }
    }),
    { numRuns: 100 },
  );
});
