import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from './struct.ts';
import { TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const servers = [
  { name: 'weather', cluster: 'w' },
  { name: 'orders', cluster: 'o' },
];
const tools = { weather: ['get', 'set'], orders: ['get', 'delete'] };
const all = ['weather_get', 'weather_set', 'orders_get', 'orders_delete'];
const virtualServers = [
  { name: 'team-a/reader', tools: ['*_get'] },
  { name: 'team-b/all', tools: ['*'] },
];

type Rule = Readonly<Record<string, unknown>>;
interface Authorization {
  default?: 'allow' | 'deny';
  rules: readonly Rule[];
}

function configure(authorization: unknown, identity: unknown = { jwt: 'jwt' }): string[] {
  return gateway.configure({ servers, virtualServers, identity, authorization });
}

/** What a caller with this token sees; each of it, and nothing else, can be called. */
function seen(authorization: Authorization, claims: Record<string, Json>, path = '/mcp'): string[] {
  expect(configure(authorization)).toEqual([]);
  gateway.servers = tools;
  gateway.token = claims;
  const session = gateway.open({ path });
  const listed = gateway.list({ path, session });
  if (!Array.isArray(listed)) throw new Error(listed.message);
  for (const name of all) {
    const answer = gateway.call(name, { path, session });
    if (!listed.includes(name)) expect(answer).toMatchObject({ data: { reason: 'unknown_tool' } });
    else if ('code' in answer) expect(answer).toMatchObject({ status: 403, data: { reason: 'forbidden' } });
  }
  return listed;
}

describe('a test on a claim', () => {
  const allowed = (claim: object, claims: Record<string, Json>): boolean =>
    seen({ rules: [{ name: 'r', claims: [claim] }] }, claims).length === all.length;

  test.each<[string, object, Record<string, Json>, boolean]>([
    ['text', { path: 'sub', equals: 'ada' }, { sub: 'ada' }, true],
    ['another text', { path: 'sub', equals: 'ada' }, { sub: 'eve' }, false],
    ['text in other letters', { path: 'sub', equals: 'ada' }, { sub: 'Ada' }, false],
    ['text, not a list of it', { path: 'sub', equals: 'ada' }, { sub: ['ada'] }, false],
    ['absent', { path: 'sub', equals: 'ada' }, { name: 'ada' }, false],
    ['null', { path: 'sub', equals: 'ada' }, { sub: null }, false],
    ['text that looks like a number', { path: 'n', equals: '5' }, { n: 5 }, false],
    ['number', { path: 'n', equals: 5 }, { n: 5 }, true],
    ['negative number', { path: 'n', equals: -5 }, { n: -5 }, true],
    ['another number', { path: 'n', equals: 5 }, { n: 5.5 }, false],
    ['number that looks like text', { path: 'n', equals: 5 }, { n: '5' }, false],
    ['number of eight bytes that are a text', { path: 'n', equals: 'AAAAAAAA' }, { n: 2261634.5098039214 }, false],
    ['1, which is not true', { path: 'n', equals: 1 }, { n: true }, false],
    ['true', { path: 'b', equals: true }, { b: true }, true],
    ['true, which is not 1', { path: 'b', equals: true }, { b: 1 }, false],
    ['false', { path: 'b', equals: false }, { b: false }, true],
    ['false, which is not absent', { path: 'b', equals: false }, {}, false],
    ['list with it', { path: 'groups', contains: 'dev' }, { groups: ['ops', 'dev'] }, true],
    ['list without it', { path: 'groups', contains: 'dev' }, { groups: ['ops', 'devs', 'de'] }, false],
    ['empty list', { path: 'groups', contains: 'dev' }, { groups: [] }, false],
    [
      'list of other things',
      { path: 'groups', contains: 'dev' },
      { groups: [1, null, ['dev'], { dev: 'dev' }] },
      false,
    ],
    ['text in place of a list of one', { path: 'groups', contains: 'dev' }, { groups: 'dev' }, true],
    ['text that has it', { path: 'groups', contains: 'dev' }, { groups: 'dev ops' }, false],
    ['text, where a list is asked for', { path: 'groups', type: 'list', contains: 'dev' }, { groups: 'dev' }, false],
    ['list, where one is asked for', { path: 'groups', type: 'list', contains: 'dev' }, { groups: ['dev'] }, true],
    ['pattern', { path: 'mail', matches: '*@example.com' }, { mail: 'ada@example.com' }, true],
    ['pattern, not met', { path: 'mail', matches: '*@example.com' }, { mail: 'ada@example.com.evil.org' }, false],
    ['pattern on a list', { path: 'groups', matches: 'team-?' }, { groups: ['x', 'team-a'] }, true],
    ['pattern on text only', { path: 'groups', type: 'text', matches: 'team-?' }, { groups: ['team-a'] }, false],
    ['claim within a claim', { path: 'realm.roles', contains: 'dev' }, { realm: { roles: ['dev'] } }, true],
    [
      'claim with a dot',
      { path: ['https://example.com/role'], equals: 'dev' },
      { 'https://example.com/role': 'dev' },
      true,
    ],
    ['dotted path, which is no name with a dot', { path: 'a.b', equals: 'x' }, { 'a.b': 'x' }, false],
    ['text where an object was', { path: 'a.b', equals: 'x' }, { a: 'x' }, false],
    ['text beyond ASCII', { path: 'ort', equals: 'Zürich' }, { ort: 'Zürich' }, true],
  ])('%s', (_, claim, claims, expected) => {
    expect(allowed(claim, claims)).toBe(expected);
  });

  test.each<[Record<string, Json>, boolean]>([
    [{ scope: 'tools:call read' }, true],
    [{ scope: 'read tools:call' }, true],
    [{ scope: ['read', 'tools:call'] }, true],
    [{ scp: ['tools:call', 'read'] }, true],
    [{ scp: 'read tools:call' }, true],
    [{ scope: 'tools:call', scp: ['read'] }, true],
    [{ scope: 'tools:call' }, false],
    [{ scope: 'tools:call,read' }, false],
    [{ scope: 'tools:callread' }, false],
    [{ scope: { 'tools:call': 'read' } }, false],
    [{ inner: { scope: 'tools:call read' } }, false],
    [{}, false],
  ])('scopes in %j', (claims, expected) => {
    const rules = [{ name: 'r', scopes: ['tools:call', 'read'] }];
    expect(seen({ rules }, claims)).toHaveLength(expected ? all.length : 0);
  });

  test('all of them must hold', () => {
    const claims = [
      { path: 'groups', contains: 'dev' },
      { path: 'groups', contains: 'ops' },
      { path: 'admin', equals: true },
    ];
    const rules = [{ name: 'r', claims }];
    expect(seen({ rules }, { groups: ['dev', 'ops'], admin: true })).toEqual(all);
    expect(seen({ rules }, { groups: ['dev', 'ops'], admin: false })).toEqual([]);
    expect(seen({ rules }, { groups: ['dev'], admin: true })).toEqual([]);
  });
});

describe('a rule', () => {
  const dev = { groups: ['dev'] };
  const isDev = [{ path: 'groups', contains: 'dev' }];

  test('without any, nothing is allowed', () => {
    expect(seen({ rules: [] }, dev)).toEqual([]);
    expect(seen({ default: 'allow', rules: [] }, dev)).toEqual(all);
  });

  test('is about its servers, and about the tools that it names', () => {
    expect(seen({ rules: [{ name: 'r', servers: ['weather'] }] }, dev)).toEqual(['weather_get', 'weather_set']);
    expect(seen({ rules: [{ name: 'r', tools: ['*_get'] }] }, dev)).toEqual(['weather_get', 'orders_get']);
    expect(seen({ rules: [{ name: 'r', servers: ['orders'], tools: ['*_get'] }] }, dev)).toEqual(['orders_get']);
    expect(seen({ rules: [{ name: 'r', prompts: ['*'] }] }, dev)).toEqual([]);
    expect(seen({ rules: [{ name: 'r', tools: [] }] }, dev)).toEqual([]);
  });

  test('holds in the virtual servers that it names', () => {
    const rules = [{ name: 'r', virtualServers: ['team-b/all'] }];
    expect(seen({ rules }, dev, '/mcp/team-b/all')).toEqual(all);
    expect(seen({ rules }, dev, '/mcp/team-a/reader')).toEqual([]);
    expect(seen({ rules }, dev)).toEqual([]);
  });

  test('that denies wins, wherever it stands', () => {
    const allow = { name: 'all', claims: isDev };
    const deny = { name: 'no-deletes', effect: 'deny', tools: ['*_delete'] };
    const rest = ['weather_get', 'weather_set', 'orders_get'];
    expect(seen({ rules: [allow, deny] }, dev)).toEqual(rest);
    expect(seen({ rules: [deny, allow] }, dev)).toEqual(rest);
    expect(seen({ default: 'allow', rules: [deny] }, dev)).toEqual(rest);
    expect(seen({ rules: [allow, { ...deny, claims: [{ path: 'x', equals: 'y' }] }] }, dev)).toEqual(all);
  });

  test('that steps up lists, and refuses the call until the token has the scopes', () => {
    const rules = [
      { name: 'all', claims: isDev },
      { name: 'deletes', effect: 'stepUp', tools: ['*_delete'], scopes: ['tools:delete', 'tools:call'] },
    ];
    expect(seen({ rules }, dev)).toEqual(all);
    const session = gateway.open({});
    expect(gateway.call('orders_delete', { session })).toEqual({
      status: 403,
      code: -31005,
      message:
        'The token may see this, and needs more scopes to use it: orders_delete needs tools:delete tools:call. ' +
        'Get a token that has them, and send the request again.',
      data: { reason: 'forbidden', server: 'orders' },
    });
    expect(gateway.call('orders_get', { session })).toMatchObject({ server: 'orders', tool: 'get' });
    gateway.token = { ...dev, scope: 'tools:call tools:delete' };
    expect(gateway.call('orders_delete', { session })).toMatchObject({ server: 'orders', tool: 'delete' });
  });

  test('that steps up shows nothing that another one hides', () => {
    const stepUp = { name: 'deletes', effect: 'stepUp', tools: ['*_delete'], scopes: ['x'] };
    expect(seen({ rules: [stepUp] }, dev)).toEqual(['orders_delete']);
    expect(seen({ rules: [stepUp, { name: 'no', effect: 'deny', servers: ['orders'] }] }, dev)).toEqual([]);
  });

  test('that hides all of a server keeps it from being asked', () => {
    seen({ rules: [{ name: 'r', servers: ['weather'] }] }, dev);
    const session = gateway.open({});
    expect(gateway.asked.every((server) => server === 'weather')).toBe(true);
    gateway.list({ session });
    expect(gateway.asked).toEqual(['weather']);
  });

  test('without a token no claim holds', () => {
    expect(seen({ rules: [{ name: 'r', claims: isDev }] }, {})).toEqual([]);
  });
});

/** The decision, written down a second time. */
function expected({ default: byDefault = 'deny', rules }: Authorization, claims: Record<string, Json>): string[] {
  const groups = claims['groups'] as string[];
  const scopes = (claims['scope'] as string).split(' ');
  return all.filter((name) => {
    const holding = rules.filter((rule) => {
      const {
        servers: of,
        tools: named,
        claims: tests = [],
      } = rule as {
        servers?: string[];
        tools?: string[];
        claims?: { contains: string }[];
      };
      const [server = ''] = name.split('_');
      if (of !== undefined && !of.includes(server)) return false;
      if (named !== undefined && !named.includes(name)) return false;
      return tests.every(({ contains }) => groups.includes(contains));
    });
    const hasScopes = (rule: Rule): boolean =>
      ((rule['scopes'] ?? []) as string[]).every((scope) => scopes.includes(scope));
    if (holding.some((rule) => rule['effect'] === 'deny' && hasScopes(rule))) return false;
    if (holding.some((rule) => rule['effect'] === 'stepUp')) return true;
    return byDefault === 'allow' || holding.some((rule) => rule['effect'] === 'allow' && hasScopes(rule));
  });
}

test('what is listed is what may be called, whatever the rules and the token', () => {
  const some = <T>(of: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...of]);
  const optional = <T>(name: string, of: fc.Arbitrary<T>): fc.Arbitrary<object> =>
    fc.option(of, { nil: undefined }).map((value) => (value === undefined ? {} : { [name]: value }));
  const rule = fc
    .tuple(
      fc.constantFrom('allow', 'deny', 'stepUp'),
      some(['read', 'call']),
      optional('servers', some(['weather', 'orders'])),
      optional('tools', some(all)),
      some(['dev', 'ops']).map((groups) => groups.map((group) => ({ path: 'groups', contains: group }))),
    )
    .map(([effect, scopes, of, named, claims]) => ({
      ...{ effect, claims, ...of, ...named },
      scopes: effect === 'stepUp' && scopes.length === 0 ? ['read'] : scopes,
    }));
  const token = fc.record({
    groups: some(['dev', 'ops']),
    scope: some(['read', 'call']).map((list) => list.join(' ')),
  });
  fc.assert(
    fc.property(
      fc.constantFrom('allow' as const, 'deny' as const),
      // What the rules say is remembered from four on that hold.
      fc.array(rule, { maxLength: 12 }),
      token,
      (byDefault, drawn, claims) => {
        const rules = drawn.map((one, index) => ({ name: `r${index}`, ...one }));
        const authorization = { default: byDefault, rules };
        expect(seen(authorization, claims)).toEqual(expected(authorization, claims));
      },
    ),
    { numRuns: 200 },
  );
});

describe('what the rules have said is remembered', () => {
  const hints = { annotations: { readOnlyHint: true } };
  const names = ['get', 'set', 'get_all', 'delete', 'a'.repeat(104), 'a'.repeat(105), `${'a'.repeat(104)}b`];
  const claim = (group: string): object => ({ path: 'groups', contains: group });
  const groups = ['dev', 'ops', 'qa'];

  /** Rules of every kind that changes what is listed. */
  const drawnRule = fc.record(
    {
      effect: fc.constantFrom('allow', 'deny', 'stepUp'),
      scopes: fc.subarray(['read', 'call'], { minLength: 1 }),
      claims: fc.subarray(groups, { maxLength: 1 }).map((some) => some.map(claim)),
      servers: fc.subarray(['weather', 'orders'], { minLength: 1 }),
      tools: fc.subarray(['*_get', 'orders_*', '*_s?t', '*all', 'weather_delete', `*_${'a'.repeat(104)}`, '*b'], {
        minLength: 1,
      }),
      annotations: fc.constantFrom({ readOnlyHint: true }, { destructiveHint: false }),
    },
    { requiredKeys: ['effect', 'scopes'] },
  );
  const rulesOf = (drawn: readonly object[]): object[] => drawn.map((one, index) => ({ name: `r${index}`, ...one }));
  const drawnToken = fc.record({
    groups: fc.subarray(groups),
    scope: fc.subarray(['read', 'call']).map((list) => list.join(' ')),
  });
  const question = fc.record({ server: fc.constantFrom(0, 1), facts: fc.integer({ min: 0, max: 511 }) });

  test('and is what they say when they are asked again, whoever asks, and after the configuration has changed', () => {
    const kept = new TestGateway(); // it remembers from one run to the next
    let remembered = 0;
    fc.assert(
      fc.property(
        fc.array(fc.array(drawnRule, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 3 }),
        fc.array(drawnToken, { minLength: 1, maxLength: 3 }),
        fc.array(question, { minLength: 1, maxLength: 4 }),
        (configurations, tokens, questions) => {
          for (const rules of [...configurations, ...configurations]) {
            const authorization = { rules: rulesOf(rules) };
            expect(kept.configure({ servers, identity: { jwt: 'jwt' }, authorization })).toEqual([]);
            for (const token of [...tokens, ...tokens]) {
              kept.token = token;
              for (const { server, facts } of [...questions, ...questions]) {
                const said = kept.accesses(server, names, facts, false);
                expect(said).toBe(kept.accesses(server, names, facts, true));
                remembered += new Set(said).size > 1 ? 1 : 0;
              }
            }
          }
        },
      ),
      { numRuns: 200 },
    );
    expect(remembered).toBeGreaterThan(100); // not everything is alike
  });

  test('for these rules, these scopes, this server, this definition and this name alone', () => {
    const own = new TestGateway();
    const four = (rule: object): object[] => rulesOf([rule, rule, rule, rule]);
    const asked = (server: number, facts = 0): string => own.accesses(server, ['get', 'set'], facts, false);
    const take = (rule: object): void => {
      const authorization = { rules: four(rule) };
      expect(own.configure({ servers, identity: { jwt: 'jwt' }, authorization })).toEqual([]);
      own.token = { groups: ['dev'] };
    };
    take({ tools: ['weather_get'] });
    expect([asked(0), asked(1), asked(0)]).toEqual(['31', '11', '31']);
    take({ tools: ['*_set'] });
    expect([asked(0), asked(1), asked(0)]).toEqual(['13', '13', '13']);
    take({ claims: [claim('dev')] });
    expect(asked(0)).toBe('33');
    own.token = { groups: ['ops'] };
    expect(asked(0)).toBe('11');
    take({ effect: 'stepUp', scopes: ['read'] });
    expect(asked(0)).toBe('22');
    own.token = { scope: 'read' };
    expect(asked(0)).toBe('33');
    take(hints);
    const trusted = 32;
    expect([asked(0, 16 + trusted), asked(0, 16 + trusted + 1)]).toEqual(['11', '33']);
  });

  test('by more names than are remembered, each of the same length', () => {
    const own = new TestGateway();
    const allowed = Array.from({ length: 5 }, (_, digit) => `*-${digit * 2}`); // those that end in an even digit
    const rules = rulesOf(allowed.map((pattern) => ({ tools: [pattern] })));
    expect(own.configure({ servers, identity: { jwt: 'jwt' }, authorization: { rules } })).toEqual([]);
    own.token = {};
    const numbers = Array.from({ length: 20_000 }, (_, index) => index);
    const tools = numbers.map((number) => `${String(number).padStart(5, '0')}-${number % 10}`);
    const expected = numbers.map((number) => (number % 2 === 0 ? '3' : '1')).join('');
    for (let round = 0; round < 2; round++) expect(own.accesses(0, tools, 0, false)).toBe(expected);
  });

  test('within a memory that neither names nor callers can make larger', () => {
    const own = new TestGateway();
    const callers = Array.from({ length: 300 }, (_, index) => `group-${index}`);
    const rules = [
      ...Array.from({ length: 5 }, (_, index) => ({ name: `deny-${index}`, effect: 'deny', tools: [`*_${index}`] })),
      ...callers.map((group) => ({ name: group, claims: [claim(group)], tools: [`*-${group.slice(6)}`] })),
      { name: 'not-trusted', effect: 'deny', ...hints },
    ];
    expect(own.configure({ servers, identity: { jwt: 'jwt' }, authorization: { rules } })).toEqual([]);
    const tools = Array.from(
      { length: 500 },
      (_, index) => `tool-${index % 300}${'x'.repeat(index % 7)}_${index % 11}`,
    );
    const ask = (round: number): void => {
      for (const [index, group] of callers.entries()) {
        own.token = { groups: [group, callers[(index + round) % 300] ?? ''] };
        const named = tools.map((name) => `${name}-${(index * round) % 300}`);
        expect(own.accesses(0, named, 16, false)).toBe(own.accesses(0, named, 16, true));
      }
    };
    ask(1);
    const before = own.memory;
    ask(2);
    ask(3);
    expect(own.memory - before).toBeLessThanOrEqual(4 << 20); // the tokens, which the test keeps, among them
  });
});

describe('a mistake in what OAuth is told', () => {
  const [good] = [{ issuer: 'https://id.example.com', jwks: { file: 'keys.json' } }];
  test.each<[string, unknown, object, string]>([
    [
      'a path in the public URL',
      {},
      { publicUrl: 'https://a.example.com/mcp' },
      'publicUrl: must be the scheme and host under which clients reach the gateway, such as "https://mcp.example.com", found "https://a.example.com/mcp"',
    ],
    [
      'a server that is no URL',
      { authorizationServers: ['id.example.com'] },
      {},
      'auth.authorizationServers[0]: must be an http or https URL without a fragment, found "id.example.com"',
    ],
    [
      'a scope with a quote',
      { scopes: ['a"b'] },
      {},
      'auth.scopes[0]: must be a scope: visible characters without spaces, quotes and backslashes, found "a\\"b"',
    ],
    ['an issuer without keys', { issuers: [{ issuer: 'x' }] }, {}, 'auth.issuers[0].jwks: is missing'],
    [
      'keys from nowhere',
      { issuers: [{ issuer: 'x', jwks: { url: 'https://x' } }] },
      {},
      'auth.issuers[0].jwks: must have file, or url and cluster',
    ],
    [
      'another identity',
      { issuers: [good] },
      { identity: { trustedHeader: 'x-user' } },
      'identity: must be { jwt: ... } where auth says how tokens are verified',
    ],
  ])('%s', (_, auth, more, problem) => {
    expect(gateway.configure({ servers, auth, ...more })).toContain(problem);
  });

  test('without an identity it implies one by token, so that rules may ask for claims', () => {
    const rules = [{ name: 'r', claims: [{ path: 'x', equals: 'y' }] }];
    expect(gateway.configure({ servers, auth: { issuers: [good] }, authorization: { rules } })).toEqual([]);
  });
});

describe('a mistake in the configuration', () => {
  test.each<[string, unknown, string]>([
    ['no object', [], 'authorization: must be an object, found []'],
    ['another default', { default: 'maybe' }, 'authorization.default: must be one of deny, allow, found "maybe"'],
    ['no name', { rules: [{}] }, 'authorization.rules[0].name: is missing'],
    [
      'a name twice',
      { rules: [{ name: 'a' }, { name: 'a' }] },
      'authorization.rules[1].name: is the name of another rule',
    ],
    [
      'an unknown member',
      { rules: [{ name: 'a', tool: [] }] },
      'authorization.rules[0].tool: is not a member of this section; did you mean "tools"?',
    ],
    [
      'an unknown effect',
      { rules: [{ name: 'a', effect: 'stepup' }] },
      'authorization.rules[0].effect: must be one of allow, deny, stepUp, found "stepup"',
    ],
    [
      'an unknown server',
      { rules: [{ name: 'a', servers: ['order'] }] },
      'authorization.rules[0].servers[0]: must be the name of a server, found "order"; did you mean "orders"?',
    ],
    [
      'an unknown virtual server',
      { rules: [{ name: 'a', virtualServers: [1] }] },
      'authorization.rules[0].virtualServers[0]: must be the name of a virtual server, found 1',
    ],
    [
      'no test',
      { rules: [{ name: 'a', claims: [{ path: 'x' }] }] },
      'authorization.rules[0].claims[0]: must have one of equals, contains and matches',
    ],
    [
      'two tests',
      { rules: [{ name: 'a', claims: [{ path: 'x', equals: 'a', contains: 'b' }] }] },
      'authorization.rules[0].claims[0]: must have one of equals, contains and matches',
    ],
    [
      'a large number',
      { rules: [{ name: 'a', claims: [{ path: 'x', equals: 9007199254740992 }] }] },
      'authorization.rules[0].claims[0].equals: must be a string, true, false, or a whole number up to 2^53 - 1, found 9007199254740992',
    ],
    [
      'a fraction',
      { rules: [{ name: 'a', claims: [{ path: 'x', equals: 1.5 }] }] },
      'authorization.rules[0].claims[0].equals: must be a string, true, false, or a whole number up to 2^53 - 1, found 1.5',
    ],
    [
      'another type',
      { rules: [{ name: 'a', claims: [{ path: 'x', type: 'text', contains: 'b' }] }] },
      'authorization.rules[0].claims[0].type: contains does not go with this type',
    ],
    [
      'a step up without scopes',
      { rules: [{ name: 'a', effect: 'stepUp' }] },
      'authorization.rules[0].scopes: must list the scopes that a call needs, where effect is stepUp',
    ],
    [
      'a scope with a space',
      { rules: [{ name: 'a', scopes: ['a b'] }] },
      'authorization.rules[0].scopes[0]: must be a scope: visible characters without spaces, quotes and backslashes, found "a b"',
    ],
  ])('%s', (_, authorization, problem) => {
    expect(configure(authorization)).toContain(problem);
  });

  test.each([[[]], [''], ['a..b'], [['a', '']], [[1]], ['a.b.c.d.e.f.g.h.i']])('the path %j', (path) => {
    const rules = [{ name: 'a', claims: [{ path, equals: 'x' }] }];
    expect(configure({ rules })[0]).toMatch(/^authorization\.rules\[0\]\.claims\[0\]\.path: must be a claim: a name, /);
  });

  test('claims where nobody verifies a token', () => {
    const rules = [{ name: 'a', claims: [{ path: 'x', equals: 'y' }] }];
    expect(configure({ rules }, 'none')).toEqual([
      'authorization.rules[0].claims: needs identity: { jwt: ... }: nobody else has verified what a token says',
    ]);
  });

  test('a pattern that matches nothing is a warning', () => {
    expect(configure({ rules: [{ name: 'a', tools: ['order_get'] }] })).toEqual([]);
    expect(gateway.warnings).toEqual([
      'authorization.rules[0].tools[0]: "order_get" begins with the prefix of no server; did you mean "orders_get"?',
    ]);
  });
});
