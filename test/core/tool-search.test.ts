import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const servers = [
  { name: 'weather', cluster: 'w', tools: { deny: ['secret'] } },
  { name: 'orders', cluster: 'o' },
];
const own = ['search_tools', 'call_tool'];

function start(toolSearch: object, more: object = {}, tools: Record<string, readonly string[]> = {}): string {
  expect(gateway.configure({ servers, toolSearch: { enabled: true, ...toolSearch }, ...more })).toEqual([]);
  gateway.servers = { weather: ['now', 'later', 'secret'], orders: ['list', 'cancel'], ...tools };
  return gateway.open();
}

interface Found {
  content: [{ type: 'text'; text: string }];
  structuredContent: { tools: { name: string }[]; total: number };
}
const search = (session: string, query: string, limit?: number, path = '/mcp'): Found =>
  gateway.answerTo('search_tools', { query, limit }, { session, path }) as unknown as Found;
const namesFor = (...asked: Parameters<typeof search>): string[] =>
  search(...asked).structuredContent.tools.map(({ name }) => name);

describe('the list', () => {
  test('shows two tools of ours, and what is pinned', () => {
    const session = start({ pinned: ['weather_n*', 'orders_list', 'weather_secret'] });
    expect(gateway.list({ session })).toEqual([...own, 'weather_now', 'orders_list']);
  });

  test('asks servers alone of which something may be pinned', () => {
    const session = start({ pinned: ['weather_*'] });
    gateway.list({ session });
    expect(gateway.asked).toEqual(['weather']);
    const another = start({});
    expect(gateway.list({ session: another })).toEqual(own);
    expect(gateway.asked).toEqual([]);
  });

  test('is whole where it is off, and for virtual servers that turn it off', () => {
    const virtualServers = [
      { name: 'team/all', tools: ['weather_*'], toolSearch: { enabled: false } },
      { name: 'team/few', tools: ['weather_*'] },
    ];
    start({ enabled: false }, { virtualServers });
    expect(gateway.list({ session: gateway.open() })).toHaveLength(4);
    start({}, { virtualServers });
    for (const [path, names] of [
      ['/mcp/team/all', ['weather_now', 'weather_later']],
      ['/mcp/team/few', own],
    ] as const) {
      expect(gateway.list({ path, session: gateway.open({ path }) })).toEqual(names);
    }
  });
});

test('what the path leaves out, no header brings back', () => {
  const virtualServers = [{ name: 'team/all', tools: ['*'], toolSearch: { enabled: false } }];
  const session = start({ exclude: ['orders_cancel'] }, { virtualServers });
  const through = { session, narrowed: 'team/all' };
  expect(gateway.list(through)).toEqual(['weather_now', 'weather_later', 'orders_list']);
  expect(gateway.call('orders_cancel', through)).toMatchObject({ data: { reason: 'unknown_tool' } });
  const path = '/mcp/team/all';
  expect(gateway.call('orders_cancel', { path, session: gateway.open({ path }) })).toMatchObject({ tool: 'cancel' });
});

describe('search_tools', () => {
  const described = {
    now: { title: 'Forecast', description: 'The weather of the next days in a city', inputSchema: schemaOf('city') },
    later: { description: 'Reminds of rain', inputSchema: schemaOf('city', 'waitMinutes') },
    list: { description: 'All orders of a customer', inputSchema: schemaOf('customerId') },
    cancel: { description: 'Cancels one of the orders', inputSchema: schemaOf('orderId', 'reason') },
  };
  function schemaOf(...names: string[]): object {
    return { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) };
  }
  function startDescribed(more: object = {}): string {
    gateway.definitions = described;
    return start(more);
  }

  test.each<[string, string[]]>([
    ['forecast', ['weather_now']],
    ['FORECASTS', ['weather_now']],
    ['cancel order', ['orders_cancel', 'orders_list']],
    ['weather_later', ['weather_later']],
    ['minutes', ['weather_later']],
    ['wait', ['weather_later']],
    ['reason customer', ['orders_list', 'orders_cancel']],
    ['rain city', ['weather_later', 'weather_now']],
    ['nothing that is there', []],
    ['secret', []],
    ['', []],
    ['  ', []],
  ])('%s', (query, names) => {
    expect(namesFor(startDescribed(), query).slice(0, names.length || undefined)).toEqual(names);
  });

  test('answers with texts that a model reads, and with the definitions', () => {
    const session = startDescribed();
    const { content, structuredContent } = search(session, 'forecast');
    expect(content[0].text).toBe(
      '1 of 1 tools that fit, the best first. Call one with call_tool.\n\n' +
        '1. weather_now (Forecast): The weather of the next days in a city\n' +
        'arguments: {"type":"object","properties":{"city":{"type":"string"}}}',
    );
    expect(structuredContent).toEqual({ tools: [{ name: 'weather_now', ...described.now }], total: 1 });
    expect(search(session, 'x').content[0].text).toBe(
      'No tool fits. Search with other words: fewer, or others for the same.',
    );
  });

  test('gives the best of many, no more than are asked for or allowed', () => {
    const session = startDescribed({ results: 3 });
    expect(search(session, 'orders')).toMatchObject({ structuredContent: { total: 2 } });
    expect(namesFor(session, 'city orders')).toHaveLength(3);
    expect(namesFor(session, 'city orders', 2)).toHaveLength(2);
    expect(namesFor(session, 'city orders', 100)).toHaveLength(3);
    expect(search(session, 'city orders', 1).structuredContent.total).toBe(4);
  });

  test('names what would be too long, and shows the rest', () => {
    const session = startDescribed({ bytes: 260 });
    const { content, structuredContent } = search(session, 'orders');
    expect(structuredContent.tools).toEqual([{ name: 'orders_cancel', ...described.cancel }, { name: 'orders_list' }]);
    expect(content[0].text).toContain('2. orders_list: its definition is too long');
  });

  test('says which servers did not answer', () => {
    const session = startDescribed();
    gateway.servers['weather'] = undefined;
    expect(search(session, 'orders').content[0].text).toContain(
      'Tools of servers that did not answer are missing: weather.',
    );
  });

  test('knows tools by the names and texts that clients see', () => {
    gateway.definitions = described;
    const overrides = [{ tool: 'weather_now', name: 'sky', description: 'Tells of clouds' }];
    const session = start({}, { overrides });
    expect(namesFor(session, 'clouds')).toEqual(['sky']);
    expect(namesFor(session, 'sky')).toEqual(['sky']);
    expect(namesFor(session, 'days')).toEqual([]);
  });

  test.each<[string, string, string[]]>([
    ['is folded and split', 'getHTTPStatus', ['http', 'GET', 'status']],
    ['in Han is of single characters', '天気予報', ['天気', '予報', '報']],
    ['with accents', 'météo', ['météo']],
    ['of digits', 'ipv4Address', ['ipv4', 'address']],
    ['in the plural', 'list APIs, classes, gas', ['api', 'classe', 'gas', 'lists']],
  ])('a name %s', (_, description, queries) => {
    gateway.definitions = { now: { description } };
    const session = start({});
    for (const query of queries) {
      expect(namesFor(session, query), query).toContain('weather_now');
    }
  });

  test.each([
    ['no arguments', undefined],
    ['no query', {}],
    ['a query that is no text', { query: 1 }],
    ['a limit of nothing', { query: 'x', limit: 0 }],
    ['a limit that is none', { query: 'x', limit: '3' }],
    ['a limit below nothing', { query: 'x', limit: -1 }],
  ])('refuses %s, so that a model reads it', (_, args) => {
    expect(gateway.answerTo('search_tools', args, { session: startDescribed() })).toMatchObject({ isError: true });
  });
});

describe('call_tool', () => {
  const callOf = (session: string, args: string): object | string => gateway.callWith('call_tool', args, { session });

  test('calls the tool itself', () => {
    const session = start({});
    expect(callOf(session, '{"name":"weather_now","arguments":{"city":"Bern"}}')).toBe('weather');
    expect(gateway.sentHeader('x-mcp-toolname')).toBe('now');
    expect(callOf(session, '{"name":"orders_list"}')).toBe('orders');
    expect(callOf(session, '{"arguments":null,"name":"orders_list"}')).toBe('orders');
  });

  test('is ruled as the call of the tool itself', () => {
    const rules = [
      { name: 'r', effect: 'deny', tools: ['weather_now'], arguments: [{ pointer: '/city', equals: 'X' }] },
    ];
    const session = start({}, { authorization: { default: 'allow', rules } });
    expect(callOf(session, '{"name":"weather_now","arguments":{"city":"X"}}')).toHaveProperty('isError');
    expect(callOf(session, '{"name":"weather_now","arguments":{"city":"Y"}}')).toBe('weather');
    expect(callOf(session, '{"name":"weather_secret"}')).toMatchObject({ data: { reason: 'unknown_tool' } });
  });

  test.each([
    ['a name twice', '{"name":"weather_now","name":"weather_later"}', 'parse_error'],
    ['a name in other letters', '{"name":"weather_now","Name":"weather_later"}', 'parse_error'],
    ['a name in an escape, twice', '{"name":"weather_now","n\\u0061me":"weather_later"}', 'parse_error'],
    ['arguments twice', '{"name":"weather_now","arguments":{},"arguments":{}}', 'parse_error'],
    ['arguments in other letters', '{"name":"weather_now","argumentſ":{}}', 'parse_error'],
    ['itself', '{"name":"call_tool","arguments":{"name":"weather_now"}}', 'unknown_tool'],
    ['the search', '{"name":"search_tools","arguments":{"query":"x"}}', 'unknown_tool'],
    ['what is not there', '{"name":"nobody"}', 'unknown_tool'],
  ])('refuses %s', (_, args, reason) => {
    expect(callOf(start({}), args)).toMatchObject({ data: { reason } });
  });

  test.each([
    ['no name', '{}'],
    ['a name that is no text', '{"name":1}'],
    ['a name that is none', '{"name":"\\ud800"}'],
    ['no object', '["weather_now"]'],
    ['arguments that are no object', '{"name":"weather_now","arguments":"{}"}'],
    ['members that nobody knows', '{"name":"weather_now","city":"Bern"}'],
  ])('tells the model of %s', (_, args) => {
    expect(callOf(start({}), args)).toHaveProperty('isError');
  });
});

describe("a server's own tools of these names", () => {
  test('are hidden, and the log says so', () => {
    const [weather] = servers;
    const more = { servers: [{ ...weather, prefix: '', tools: {} }] };
    const session = start({ pinned: ['*'] }, more, { weather: ['search_tools', 'now'] });
    expect(gateway.list({ session })).toEqual([...own, 'now']);
    expect(gateway.logged).toEqual([expect.stringContaining('server weather: tool "search_tools" is hidden')]);
    expect(namesFor(session, 'search_tools')).toEqual([]);
    expect(gateway.callWith('call_tool', '{"name":"call_tool"}', { session })).toMatchObject({
      data: { reason: 'unknown_tool' },
    });
  });

  test('are there where it is off', () => {
    const session = start({ enabled: false }, { servers: [{ name: 'a', cluster: 'a', prefix: '' }] }, { a: own });
    expect(gateway.list({ session })).toEqual(own);
    expect(gateway.call('call_tool', { session })).toMatchObject({ server: 'a', tool: 'call_tool' });
  });
});

test.each<[string, object, string[]]>([
  [
    'a member that nobody knows',
    { pinnd: [] },
    ['toolSearch.pinnd: is not a member of this section; did you mean "pinned"?'],
  ],
  ['too many results', { results: 101 }, ['toolSearch.results: must be a whole number from 1 to 100, found 101']],
])('%s is refused', (_, toolSearch, problems) => {
  expect(gateway.configure({ servers, toolSearch })).toEqual(problems);
});

test('what is listed, or found by its name, can be called, by itself and by call_tool; nothing else can', () => {
  const tools = ['now', 'later', 'list', 'search_tools'];
  const plain = ['weather', 'orders'].flatMap((server) => tools.map((tool) => `${server}_${tool}`));
  const names = [...plain, ...own, 'sky', 'nobody'];
  const patterns = fc.subarray(['weather_*', 'orders_l*', 'weather_now', '*_later', 'orders_search_tools']);
  const overrides = fc.subarray([
    { tool: 'weather_now', name: 'sky' },
    { tool: 'orders_list', name: 'search_tools' },
  ]);
  const had = fc.subarray(tools);
  fc.assert(
    fc.property(
      patterns,
      patterns,
      patterns,
      overrides,
      had,
      had,
      (pinned, exclude, seen, overrides, weather, orders) => {
        const virtualServers = [{ name: 'team/a', tools: seen }];
        const session = start({ pinned, exclude, results: 2 }, { overrides, virtualServers }, { weather, orders });
        for (const path of ['/mcp', '/mcp/team/a']) {
          const sent = { path, session: path === '/mcp' ? session : gateway.open({ path }) };
          const listed = new Set(gateway.list(sent) as string[]);
          for (const name of names) {
            if (own.includes(name)) continue;
            const isFound = namesFor(sent.session, name, undefined, path).includes(name);
            const direct = gateway.call(name, sent);
            const exists = 'server' in direct && gateway.servers[direct.server]?.includes(direct.tool) === true;
            expect(exists, name).toBe(listed.has(name) || isFound);
            const through = gateway.callWith('call_tool', JSON.stringify({ name }), sent);
            expect(through).toEqual('server' in direct ? direct.server : direct);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});
