// What the verified header x-mcp-authorized lists is what its caller sees and may call, and nothing else.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from './struct.ts';
import { TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const servers = [
  { name: 'weather', cluster: 'w' },
  { name: 'orders', cluster: 'o' },
];
const tools = { weather: ['get', 'Get', 'set'], orders: ['get', 'delete'] };
const all = Object.entries(tools).flatMap(([server, names]) => names.map((name) => `${server}_${name}`));
const authorized = { servers: { weather: 'mcp-test/weather-server' } };

function configure(allowedCapabilities: object, more: object = {}): string[] {
  return gateway.configure({ servers, allowedCapabilities, ...more });
}

/** What a caller with this payload sees; each of it, and nothing else, can be called. */
function seen(payload: Record<string, Json>, options: object = {}, unverified?: string): string[] {
  expect(configure({ ...authorized, ...options })).toEqual([]);
  gateway.servers = tools;
  gateway.authorized = payload;
  const sent = unverified === undefined ? {} : { unverified };
  const session = gateway.open(sent);
  const listed = gateway.list({ ...sent, session });
  if (!Array.isArray(listed)) throw new Error(listed.message);
  for (const name of all) {
    const answer = gateway.call(name, { ...sent, session });
    if (!listed.includes(name)) expect(answer).toMatchObject({ data: { reason: 'unknown_tool' } });
    else expect(answer).toMatchObject({ tool: name.slice(name.indexOf('_') + 1) });
  }
  return listed;
}

const claim = (value: unknown): Record<string, Json> => ({
  'allowed-capabilities': typeof value === 'string' ? value : JSON.stringify(value),
});

describe('a verified list', () => {
  test.each<[string, unknown, string[]]>([
    ['names tools of a server', { tools: { 'mcp-test/weather-server': ['get'] } }, ['weather_get']],
    [
      'names tools of two',
      { tools: { 'mcp-test/weather-server': ['set', 'get'], orders: ['delete'] } },
      ['weather_get', 'weather_set', 'orders_delete'],
    ],
    ['names nothing', { tools: {} }, []],
    ['has no word about tools', { prompts: { orders: ['get'] } }, []],
    ['is about a server that is not here', { tools: { other: ['get'] } }, []],
    ['has the own name of a server that has another', { tools: { weather: ['get'] } }, []],
    ['has the name in other letters', { tools: { 'mcp-test/Weather-Server': ['get'], orders: ['GET'] } }, []],
    ['has names with the prefix', { tools: { orders: ['orders_get'] } }, []],
    ['has patterns', { tools: { orders: ['*', 'ge?'] } }, []],
    ['has an escape', String.raw`{"tools":{"ord\u0065rs":["g\u0065t"]}}`, ['orders_get']],
    ['has a name that is no text', String.raw`{"tools":{"orders":["\ud800","get"]}}`, ['orders_get']],
    ['has white space around', ' {"tools": {"orders": ["get"]}} ', ['orders_get']],
  ])('that %s', (_, list, names) => {
    expect(seen(claim(list))).toEqual(names);
  });

  test.each<[string, Record<string, Json>]>([
    ['is missing', { sub: 'ada' }],
    ['is no text', { 'allowed-capabilities': { tools: { orders: ['get'] } } }],
    ['is empty', claim('')],
    ['is no JSON', claim('{"tools":{"orders":["get"]}')],
    ['has bytes behind it', claim('{"tools":{"orders":["get"]}}}')],
    ['is a list', claim('["get"]')],
    ['has a list of servers', claim('{"tools":["orders"]}')],
    ['has a text for names', claim('{"tools":{"orders":"get"}}')],
    ['has a name that is a number', claim('{"tools":{"orders":["get",1]}}')],
    ['says tools twice', claim('{"tools":{"orders":["get"]},"tools":{"orders":["get"]}}')],
    ['says tools twice, once in escapes', claim(String.raw`{"tools":{"orders":["get"]},"t\u006fols":{}}`)],
    ['names a server twice', claim('{"tools":{"orders":["get"],"orders":["get"]}}')],
    ['is malformed where prompts are', claim('{"tools":{"orders":["get"]},"prompts":1}')],
  ])('that %s hides everything, whatever is configured for what is absent', (_, payload) => {
    expect(seen(payload)).toEqual([]);
    expect(seen(payload, { absent: 'allow' })).toEqual([]);
  });

  test('has another claim where the configuration names one', () => {
    const payload = { mine: JSON.stringify({ tools: { orders: ['get'] } }) };
    expect(seen(payload, { claim: 'mine' })).toEqual(['orders_get']);
  });
});

describe('without a verified list', () => {
  const nothing = {};
  test('everything is hidden, unless the configuration lets it pass', () => {
    expect(seen(nothing)).toEqual([]);
    expect(seen(nothing, { absent: 'hide' })).toEqual([]);
    expect(seen(nothing, { absent: 'allow' })).toEqual(all);
  });

  test('a header that came and was not verified hides everything', () => {
    expect(seen(nothing, { absent: 'allow' }, 'forged')).toEqual([]);
    expect(seen(nothing, { absent: 'allow' }, '')).toEqual([]);
  });

  test('what a list does not speak of is what the configuration says', () => {
    const prompts = claim({ prompts: { orders: ['get'] } });
    expect(seen(prompts, { absent: 'allow' })).toEqual(all);
    expect(seen(prompts, { absent: 'hide' })).toEqual([]);
  });
});

test('it narrows what the rules of authorization allow, and allows nothing that they hide', () => {
  const authorization = { default: 'allow', rules: [{ name: 'r', effect: 'deny', tools: ['orders_delete'] }] };
  expect(configure(authorized, { authorization })).toEqual([]);
  gateway.servers = tools;
  gateway.authorized = claim({ tools: { orders: ['get', 'delete'] } });
  expect(gateway.list({ session: gateway.open() })).toEqual(['orders_get']);
});

test('a session remembers no rights: each request has its own list', () => {
  expect(configure(authorized)).toEqual([]);
  gateway.servers = tools;
  gateway.authorized = claim({ tools: { orders: ['get', 'delete'] } });
  const session = gateway.open();
  gateway.authorized = claim({ tools: { orders: ['get'] } });
  expect(gateway.list({ session })).toEqual(['orders_get']);
  expect(gateway.call('orders_delete', { session })).toMatchObject({ data: { reason: 'unknown_tool' } });
});

test('a server of which nothing is listed is not asked', () => {
  expect(configure(authorized)).toEqual([]);
  gateway.servers = tools;
  gateway.authorized = claim({ tools: { orders: ['get'] } });
  gateway.open();
  expect(gateway.asked.filter((name) => name !== 'orders')).toEqual([]);
});

test('resources go by the URIs that servers have, templates by those that they stand for', () => {
  expect(configure(authorized)).toEqual([]);
  gateway.servers = tools;
  gateway.resources = { orders: ['file:///a/1', 'file:///b/1'] };
  gateway.templates = { orders: ['file:///a/{id}', 'file:///b/{id}'] };
  gateway.authorized = claim({ resources: { orders: ['file:///a/1'] } });
  const session = gateway.open();
  const [resources, templates] = gateway.listResources({ session });
  expect([resources.length, templates.length]).toEqual([1, 1]);
  expect(gateway.read(resources[0] ?? '', { session })).toMatchObject({ server: 'orders', uri: 'file:///a/1' });
});

test('any list of names shows just these', () => {
  fc.assert(
    fc.property(fc.subarray(all), fc.boolean(), (chosen, escaped) => {
      const list: Record<string, string[]> = { 'mcp-test/weather-server': [], orders: [] };
      for (const name of chosen) {
        const [server = '', own = ''] = name.split('_');
        list[server === 'orders' ? 'orders' : 'mcp-test/weather-server']?.push(own);
      }
      const text = JSON.stringify({ tools: list });
      expect(seen(claim(escaped ? text.replaceAll('t', String.raw`\u0074`) : text))).toEqual(chosen);
    }),
  );
});

describe('a configuration', () => {
  test.each<[object, string]>([
    [{ absent: 'pass' }, 'allowedCapabilities.absent: must be one of hide, allow, found "pass"'],
    [{ jwt: '' }, 'allowedCapabilities.jwt: must be a string that is not empty, found ""'],
    [
      { servers: { wether: 'x' } },
      'allowedCapabilities.servers.wether: is the name of no server; did you mean "weather"?',
    ],
    [{ servers: { weather: 'orders' } }, 'allowedCapabilities.servers.orders: is what the header calls another server'],
    [{ servers: { weather: 1 } }, 'allowedCapabilities.servers.weather: must be a string that is not empty, found 1'],
    [
      { servers: [] },
      'allowedCapabilities.servers: must be an object of names of servers and the names that the header has for them, found []',
    ],
    [
      { require: true },
      'allowedCapabilities.require: is not a member of this section; allowed are jwt, claim, subject, absent, servers, issuers',
    ],
    [{ issuers: [{ issuer: 'a' }] }, 'allowedCapabilities.issuers[0].jwks: is missing'],
    [{ subject: '' }, 'allowedCapabilities.subject: must be a string that is not empty, found ""'],
    [
      { subject: 'user' },
      'allowedCapabilities.subject: needs an identity: without one nobody is known for whom the list could be',
    ],
  ])('%j is refused', (section, says) => {
    expect(configure(section)).toContain(says);
  });

  test('must leave the two payloads in two places', () => {
    const problems = configure({ jwt: 'jwt' }, { identity: { jwt: 'jwt' } });
    expect(problems).toEqual([
      expect.stringMatching(/^allowedCapabilities\.jwt: must differ from the name in identity/),
    ]);
    expect(configure({ jwt: 'jwt' }, { auth: {} })).toHaveLength(1);
    expect(configure({ jwt: 'other' }, { identity: { jwt: 'jwt' } })).toEqual([]);
  });
});
