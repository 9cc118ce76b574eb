// Rules of authorization on the arguments of a call: each test, what cannot be read, and a reference of its own.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const servers = [
  { name: 'weather', cluster: 'w' },
  { name: 'orders', cluster: 'o' },
];
type Rule = Readonly<Record<string, unknown>>;

function configure(authorization: unknown, more: object = {}): string[] {
  return gateway.configure({ servers, identity: { jwt: 'jwt' }, authorization, ...more });
}

interface Setting {
  readonly default?: 'allow' | 'deny';
  readonly rules: readonly Rule[];
}

let session = '';
function open(authorization: Setting, scope = ''): void {
  expect(configure(authorization)).toEqual([]);
  gateway.servers = { weather: ['get', 'set'], orders: ['put'] };
  gateway.token = { sub: 'ada', iss: 'https://id.example.com', scope };
  session = gateway.open();
}

type Outcome = 'allowed' | 'refused' | 'stepUp' | 'hidden' | 'parse_error';

function outcomeOf(name: string, args: string | undefined): Outcome {
  const answer = gateway.callWith(name, args, { session });
  if (typeof answer === 'string') return 'allowed';
  if ('isError' in answer) return 'refused';
  const reason = answer.data['reason'];
  if (reason === 'parse_error') return 'parse_error';
  return reason === 'forbidden' ? 'stepUp' : reason === 'unknown_tool' ? 'hidden' : expect.fail(answer.message);
}

describe('a test on an argument', () => {
  // [what, test, arguments, a rule that allows, one that denies]
  test.each<[string, object, string | undefined, Outcome, Outcome]>([
    ['the text', { equals: 'Bern' }, '{"v":"Bern"}', 'allowed', 'refused'],
    ['the text in escapes', { equals: 'Bern' }, '{"\\u0076":"B\\u0065rn"}', 'allowed', 'refused'],
    ['a text beyond the BMP in escapes', { equals: '😀' }, '{"v":"\\ud83d\\ude00"}', 'allowed', 'refused'],
    ['another text', { equals: 'Bern' }, '{"v":"bern"}', 'refused', 'allowed'],
    ['a text with more', { equals: 'Bern' }, '{"v":"Bern\\u0000"}', 'refused', 'allowed'],
    ['half a character', { equals: 'Bern' }, '{"v":"\\ud83d"}', 'refused', 'refused'],
    ['a number for a text', { equals: '5' }, '{"v":5}', 'refused', 'refused'],
    ['a list for a text', { equals: 'Bern' }, '{"v":["Bern"]}', 'refused', 'refused'],
    ['null for a text', { equals: 'Bern' }, '{"v":null}', 'refused', 'refused'],
    ['nothing', { equals: 'Bern' }, '{}', 'refused', 'allowed'],
    ['no arguments', { equals: 'Bern' }, undefined, 'refused', 'allowed'],
    ['arguments that are null', { equals: 'Bern' }, 'null', 'refused', 'refused'],
    ['arguments that are a list', { equals: 'Bern' }, '["Bern"]', 'refused', 'refused'],
    ['the empty text', { equals: '' }, '{"v":""}', 'allowed', 'refused'],
    ['the number', { equals: 1 }, '{"v":1}', 'allowed', 'refused'],
    ['the number with zeros', { equals: 1 }, '{"v":1.000}', 'allowed', 'refused'],
    ['the number with an exponent', { equals: 1000 }, '{"v":1E+3}', 'allowed', 'refused'],
    ['the number with a long exponent', { equals: 1 }, '{"v":10e-0000000000000001}', 'allowed', 'refused'],
    ['minus zero', { equals: 0 }, '{"v":-0.0e9}', 'allowed', 'refused'],
    ['a number that shares its double', { equals: 9007199254740992 }, '{"v":9007199254740993}', 'refused', 'allowed'],
    ['a number of no size', { equals: 1 }, '{"v":1e99999999999}', 'refused', 'refused'],
    ['a text for a number', { equals: 1 }, '{"v":"1"}', 'refused', 'refused'],
    ['true', { equals: true }, '{"v":true}', 'allowed', 'refused'],
    ['false for true', { equals: true }, '{"v":false}', 'refused', 'allowed'],
    ['1 for true', { equals: true }, '{"v":1}', 'refused', 'refused'],
    ['null', { equals: null }, '{"v":null}', 'allowed', 'refused'],
    ['nothing for null', { equals: null }, '{}', 'refused', 'allowed'],
    ['one of several', { enum: ['Bern', 5, null] }, '{"v":5.0}', 'allowed', 'refused'],
    ['none of several', { enum: ['Bern', 5, null] }, '{"v":"5"}', 'refused', 'allowed'],
    ['none of several, of another kind', { enum: ['Bern', 5, null] }, '{"v":true}', 'refused', 'refused'],
    ['a beginning', { prefix: '/repo/' }, '{"v":"\\/repo/a"}', 'allowed', 'refused'],
    ['another beginning', { prefix: '/repo/' }, '{"v":"/repo"}', 'refused', 'allowed'],
    ['a beginning of no text', { prefix: '1' }, '{"v":10}', 'refused', 'refused'],
    ['the least', { range: { min: -1.5, max: 10 } }, '{"v":-15e-1}', 'allowed', 'refused'],
    ['less', { range: { min: -1.5, max: 10 } }, '{"v":-1.5000000000000000000001}', 'refused', 'allowed'],
    ['the most', { range: { min: -1.5, max: 10 } }, '{"v":1e1}', 'allowed', 'refused'],
    ['more', { range: { max: 10 } }, '{"v":10.00000000000000000001}', 'refused', 'allowed'],
    ['a small number', { range: { min: 0.001 } }, '{"v":0.0009999}', 'refused', 'allowed'],
    ['no limit below', { range: { max: 10 } }, '{"v":-1e400}', 'allowed', 'refused'],
    ['no number', { range: { max: 10 } }, '{"v":"5"}', 'refused', 'refused'],
    ['absent', { absent: true }, '{"w":1}', 'allowed', 'refused'],
    ['null, which is not absent', { absent: true }, '{"v":null}', 'refused', 'allowed'],
    ['present', { absent: false }, '{"v":null}', 'allowed', 'refused'],
    ['not present', { absent: false }, '{"w":1}', 'refused', 'allowed'],
    ['a member twice', { absent: false }, '{"v":1,"v":1}', 'parse_error', 'parse_error'],
    ['a member twice, in escapes', { equals: 1 }, '{"v":1,"\\u0076":1}', 'parse_error', 'parse_error'],
    ['a member in other letters', { equals: 1 }, '{"V":1}', 'parse_error', 'parse_error'],
    ['a member cut by NUL', { absent: true }, '{"v\\u0000x":1}', 'parse_error', 'parse_error'],
    ['a member of half a character', { absent: true }, '{"v\\ud800":1}', 'parse_error', 'parse_error'],
  ])('%s', (_, asked, args, allows, denies) => {
    const rule = { name: 'r', tools: ['weather_get'], arguments: [{ pointer: '/v', ...asked }] };
    open({ rules: [rule] });
    expect(outcomeOf('weather_get', args)).toBe(allows);
    open({ default: 'allow', rules: [{ ...rule, effect: 'deny' }] });
    expect(outcomeOf('weather_get', args)).toBe(denies);
  });

  test.each<[string, string, Outcome, Outcome]>([
    ['/a/b', '{"a":{"b":"x"}}', 'allowed', 'refused'],
    ['/a/b', '{"b":"x"}', 'refused', 'allowed'],
    ['/a/b', '{"a":"x"}', 'refused', 'refused'],
    ['/a/b', '{"a":null}', 'refused', 'refused'],
    ['/a/b', '{"a":[{"b":"x"}]}', 'refused', 'refused'],
    ['/a/b', '{"a":{"b":"x"},"a":{"b":"x"}}', 'parse_error', 'parse_error'],
    ['/a/b', '{"A":{"b":"x"}}', 'parse_error', 'parse_error'],
    ['/a/b', '{"a":{"b":"x","c":1,"c":2},"C":1}', 'allowed', 'refused'],
    ['/a/1', '{"a":["y","x"]}', 'allowed', 'refused'],
    ['/a/1', '{"a":["x"]}', 'refused', 'allowed'],
    ['/a/1', '{"a":{"1":"x"}}', 'allowed', 'refused'],
    ['/a/01', '{"a":["y","x"]}', 'refused', 'refused'],
    ['/a~1b~0', '{"a/b~":"x"}', 'allowed', 'refused'],
    ['/straße', '{"straße":"x"}', 'allowed', 'refused'],
    ['/straße', '{"STRAẞE":"x"}', 'parse_error', 'parse_error'],
    ['/task', '{"taſ\u212a":"x"}', 'parse_error', 'parse_error'],
  ])('at %s in %s', (pointer, args, allows, denies) => {
    const rule = { name: 'r', tools: ['weather_get'], arguments: [{ pointer, equals: 'x' }] };
    open({ rules: [rule] });
    expect(outcomeOf('weather_get', args)).toBe(allows);
    open({ default: 'allow', rules: [{ ...rule, effect: 'deny' }] });
    expect(outcomeOf('weather_get', args)).toBe(denies);
  });
});

describe('a rule on arguments', () => {
  const small = [{ pointer: '/amount', range: { max: 100 } }];

  test('changes nothing of what is listed', () => {
    open({ rules: [{ name: 'r', tools: ['orders_*'], arguments: small }] });
    expect(gateway.list({ session })).toEqual(['orders_put']);
    open({ default: 'allow', rules: [{ name: 'r', effect: 'deny', tools: ['orders_*'], arguments: small }] });
    expect(gateway.list({ session })).toEqual(['weather_get', 'weather_set', 'orders_put']);
    open({ rules: [{ name: 'r', effect: 'stepUp', scopes: ['s'], tools: ['orders_*'], arguments: small }] });
    expect(gateway.list({ session })).toEqual(['orders_put']);
  });

  test('asks for more scopes where the arguments fit', () => {
    const rules = [
      { name: 'all' },
      {
        name: 'large',
        effect: 'stepUp',
        scopes: ['s'],
        tools: ['orders_*'],
        arguments: [{ pointer: '/amount', range: { min: 100 } }],
      },
    ];
    open({ rules });
    expect(
      ['{"amount":99}', '{"amount":100}', '{"amount":"100"}', '{}'].map((args) => outcomeOf('orders_put', args)),
    ).toEqual(['allowed', 'stepUp', 'stepUp', 'allowed']);
    open({ rules }, 's');
    expect(outcomeOf('orders_put', '{"amount":100}')).toBe('allowed');
  });

  test('holds with all of its tests, and for its own tools', () => {
    const rule = { name: 'r', tools: ['orders_*'], arguments: [...small, { pointer: '/to', equals: 'me' }] };
    open({ rules: [rule, { name: 'w', servers: ['weather'] }] });
    expect(outcomeOf('orders_put', '{"amount":1,"to":"me"}')).toBe('allowed');
    expect(outcomeOf('orders_put', '{"amount":1}')).toBe('refused');
    expect(outcomeOf('weather_get', '{"Amount":1,"amount":1,"amount":2}')).toBe('allowed');
  });

  test('says where it looks, and not what it would allow', () => {
    const rule = { name: 'secret-name', tools: ['orders_*'], arguments: [...small, { pointer: '/to', equals: 'me' }] };
    open({ rules: [rule] });
    expect(gateway.callWith('orders_put', '{}', { session })).toEqual({
      isError:
        'The rules of this gateway do not allow this call with these arguments: /amount, /to of orders_put. ' +
        'Call it with other arguments, or ask who runs the gateway.',
    });
  });

  test('tells nobody of a tool that is hidden', () => {
    const deny = { name: 'd', effect: 'deny', tools: ['orders_put'] };
    open({ rules: [deny, { name: 'r', tools: ['orders_*'], arguments: small }] });
    expect(outcomeOf('orders_put', '{"amount":1,"amount":1}')).toBe('hidden');
  });
});

type Value =
  { object: [string, Value][] } | { list: Value[] } | { text: string } | { number: string } | { word: string };

describe('against a reference of its own', () => {
  const names = ['city', 'City', 'c\u0131ty', 'a', 'A\u0000b', '0', '1', 'ſ', 's'];
  const numbers = ['0', '-0', '1', '1.0', '10e-1', '1e0', '2', '-1', '0.5', '5e-1', '1.5', '1e2', '99.999'];
  const texts = ['', 'x', 'xy', 'X', '1', 'é'];
  const { value } = fc.letrec<{ value: Value; object: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(...texts).map((text) => ({ text })),
      fc.constantFrom(...numbers).map((number) => ({ number })),
      fc.constantFrom('true', 'false', 'null').map((word) => ({ word })),
      tie('object'),
      fc.array(tie('value'), { maxLength: 3 }).map((list) => ({ list })),
    ),
    object: fc
      .array(fc.tuple(fc.constantFrom(...names), tie('value')), { maxLength: 3 })
      .map((object): Value => ({ object: object })),
  }));
  const pointers = [['city'], ['a'], ['a', 'city'], ['a', '0'], ['a', '1', 's'], ['s']];
  const scalar = fc.constantFrom<unknown>('x', 'X', '', 1, 0.5, -1, true, null);
  const asked = fc.oneof(
    scalar.map((equals) => ({ equals })),
    fc.array(scalar, { minLength: 1, maxLength: 3 }).map((several) => ({ enum: several })),
    fc.constantFrom('x', 'xy').map((prefix) => ({ prefix })),
    fc.constantFrom({ min: 0 }, { max: 1 }, { min: -1, max: 0.5 }).map((range) => ({ range })),
    fc.boolean().map((absent) => ({ absent })),
  );
  type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;
  const oneTest = fc.tuple(fc.constantFrom(...pointers), asked);
  const rule = fc.record({
    effect: fc.constantFrom('allow', 'deny', 'stepUp'),
    tests: fc.option(fc.array(oneTest, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  });

  const folded = (name: string): string =>
    Array.from(name.split('\0')[0] ?? '')
      .map((one) => (/[ſ\u212a]/.test(one) ? one.toUpperCase().toLowerCase() : one < '\x80' ? one.toLowerCase() : '*'))
      .join('');
  const write = (at: Value, escape: boolean): string => {
    const string = (text: string): string =>
      escape
        ? `"${Array.from(text, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
        : JSON.stringify(text);
    if ('text' in at) return string(at.text);
    if ('number' in at) return at.number;
    if ('word' in at) return at.word;
    if ('list' in at) return `[${at.list.map((one) => write(one, escape)).join(' , ')}]`;
    return `{${at.object.map(([name, one]) => `${string(name)} : ${write(one, escape)}`).join(',')}}`;
  };

  type Fit = 'yes' | 'no' | 'unreadable' | 'ambiguous';
  function fit(args: Value, pointer: readonly string[], asked: Asked): Fit {
    let at: Value | undefined = args;
    for (const step of pointer) {
      if (at === undefined) break;
      if ('object' in at) {
        const like: [string, Value][] = at.object.filter(([name]) => folded(name) === folded(step));
        if (like.length > 1 || (like[0] !== undefined && like[0][0] !== step)) return 'ambiguous';
        at = like[0]?.[1];
      } else if ('list' in at && /^\d$/.test(step)) at = at.list[Number(step)];
      else return 'unreadable';
    }
    if ('absent' in asked) return (at === undefined) === asked.absent ? 'yes' : 'no';
    if (at === undefined) return 'no';
    if ('prefix' in asked) return !('text' in at) ? 'unreadable' : at.text.startsWith(asked.prefix) ? 'yes' : 'no';
    if ('range' in asked) {
      if (!('number' in at)) return 'unreadable';
      const { min = -Infinity, max = Infinity } = asked.range as { min?: number; max?: number };
      return Number(at.number) >= min && Number(at.number) <= max ? 'yes' : 'no';
    }
    const wanted = 'enum' in asked ? asked.enum : [asked.equals];
    if ('object' in at || 'list' in at) return 'unreadable';
    const is: unknown = 'text' in at ? at.text : 'number' in at ? Number(at.number) : JSON.parse(at.word);
    const kindOf = (one: unknown): string => (one === null ? 'null' : typeof one);
    if (!wanted.some((one) => kindOf(one) === kindOf(is))) return 'unreadable';
    return wanted.some((one) => one === is || (one === 0 && is === 0)) ? 'yes' : 'no';
  }

  test('every call comes to what the rules say', () => {
    const counts: Partial<Record<Outcome, number>> = {};
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.oneof(
          {
            arbitrary: fc
              .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 })
              .map((object): Value => ({ object })),
            weight: 9,
          },
          value,
        ),
        (rules, allows, hasScope, escape, args) => {
          const configured = rules.map(({ effect, tests }, index) => ({
            name: `r${index}`,
            effect,
            tools: ['weather_get'],
            ...(effect === 'stepUp' && { scopes: ['s'] }),
            ...(tests && { arguments: tests.map(([steps, one]) => ({ pointer: `/${steps.join('/')}`, ...one })) }),
          }));
          open({ default: allows ? 'allow' : 'deny', rules: configured }, hasScope ? 's' : '');
          const seen = rules.map(({ effect, tests }) => {
            const fits = tests?.map(([steps, one]) => fit(args, steps, one)) ?? ['yes' as const];
            const whole: Fit = fits.includes('ambiguous')
              ? 'ambiguous'
              : fits.includes('no')
                ? 'no'
                : fits.includes('unreadable')
                  ? 'unreadable'
                  : 'yes';
            return { effect: effect === 'stepUp' && hasScope ? 'allow' : effect, whole, isPlain: tests === undefined };
          });
          const some = (effect: string, fits: Fit[], isPlain?: boolean): boolean =>
            seen.some(
              (one) => one.effect === effect && fits.includes(one.whole) && (isPlain ?? one.isPlain) === one.isPlain,
            );
          const isListed = allows || seen.some(({ effect }) => effect !== 'deny');
          const expected: Outcome =
            some('deny', ['yes'], true) || !isListed
              ? 'hidden'
              : some('stepUp', ['yes'], true)
                ? 'stepUp'
                : seen.some(({ whole }) => whole === 'ambiguous')
                  ? 'parse_error'
                  : some('deny', ['yes', 'unreadable'])
                    ? 'refused'
                    : some('stepUp', ['yes', 'unreadable'])
                      ? 'stepUp'
                      : allows || some('allow', ['yes'])
                        ? 'allowed'
                        : 'refused';
          expect(outcomeOf('weather_get', write(args, escape))).toBe(expected);
          const listed = gateway.list({ session });
          expect(Array.isArray(listed) && listed.includes('weather_get')).toBe(expected !== 'hidden');
          counts[expected] = (counts[expected] ?? 0) + 1;
        },
      ),
      { numRuns: 4000 },
    );
    expect(Object.keys(counts).sort()).toEqual(['allowed', 'hidden', 'parse_error', 'refused', 'stepUp']);
  });
});

describe('a configuration that is wrong', () => {
  const at = (rule: object, more: object = {}): string[] =>
    configure({ rules: [{ name: 'a', tools: ['*'], ...rule }] }, more);
  const on = (one: object): string[] => at({ arguments: [{ pointer: '/v', ...one }] });
  const place = 'authorization.rules[0].arguments';

  test.each<[string, () => string[], string]>([
    ['no tests', () => at({ arguments: [] }), `${place}: must have 1 to 32 tests`],
    [
      'no tools',
      () => configure({ rules: [{ name: 'a', arguments: [{ pointer: '/v', equals: 1 }] }] }),
      `${place}: needs tools, and no prompts, resources or events: tools alone have rules on arguments`,
    ],
    [
      'prompts',
      () => at({ prompts: ['*'], arguments: [{ pointer: '/v', equals: 1 }] }),
      `${place}: needs tools, and no prompts, resources or events: tools alone have rules on arguments`,
    ],
    ['no pointer', () => at({ arguments: [{ equals: 1 }] }), `${place}[0].pointer: is missing`],
    ['nothing asked', () => on({}), `${place}[0]: must have one of equals, enum, prefix, range and absent`],
    [
      'two things asked',
      () => on({ equals: 1, prefix: 'x' }),
      `${place}[0]: must have one of equals, enum, prefix, range and absent`,
    ],
    [
      'an object',
      () => on({ equals: {} }),
      `${place}[0].equals: must be a string, a number, true, false or null, found {}`,
    ],
    [
      'a list in a list',
      () => on({ enum: ['a', []] }),
      `${place}[0].enum[1]: must be a string, a number, true, false or null, found []`,
    ],
    [
      'none of several',
      () => on({ enum: [] }),
      `${place}[0].enum: must be a list of strings, numbers, true, false or null that is not empty, found []`,
    ],
    ['no text', () => on({ prefix: 5 }), `${place}[0].prefix: must be a string that is not empty, found 5`],
    ['no limit', () => on({ range: {} }), `${place}[0].range: must have min, max or both`],
    ['a limit that is none', () => on({ range: { max: '5' } }), `${place}[0].range.max: must be a number, found "5"`],
    ['an absence that is none', () => on({ absent: 1 }), `${place}[0].absent: must be true or false, found 1`],
    [
      'an unknown member',
      () => on({ equal: 1 }),
      `${place}[0].equal: is not a member of this section; did you mean "equals"?`,
    ],
    [
      'a name that is like another',
      () =>
        at({
          arguments: [
            { pointer: '/v', equals: 1 },
            { pointer: '/V', equals: 1 },
          ],
        }),
      `${place}[1].pointer: leads to a name that a server may take for the one of another pointer`,
    ],
    [
      'host mode headers',
      () => at({ arguments: [{ pointer: '/v', equals: 1 }] }, { hostMode: 'headers' }),
      `${place}: needs hostMode hold or pair: in host mode headers a call goes on before its arguments have come`,
    ],
  ])('%s', (_, problems, expected) => {
    expect(problems()).toContain(expected);
  });

  test.each(['', 'v', '/', '/a//b', '/a~', '/a~2', '/a\u0000', '/1/2/3/4/5/6/7/8/9'])('the pointer %j', (pointer) => {
    expect(at({ arguments: [{ pointer, equals: 1 }] })[0]).toMatch(
      /arguments\[0\]\.pointer: must be a (?:JSON pointer|string)/,
    );
  });

  test('more places than one walk goes to', () => {
    const rules = Array.from({ length: 257 }, (_, index) => ({
      name: `r${index}`,
      tools: ['*'],
      arguments: [{ pointer: `/v${index}`, equals: 1 }],
    }));
    expect(configure({ rules })).toEqual([
      'authorization.rules[256].arguments[0].pointer: leads to more than 256 places, with the pointers of all rules',
    ]);
  });
});
