import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { blockOf, casesIn, type Case } from './cases.ts';
import { instance } from './core.ts';
import { configured, times } from './gateway.ts';
import { mutated } from './json-text.ts';
import { structOf, type Json } from './struct.ts';

const core = instance();

function environmentOf({ blocks }: Case): string[] {
  return blocks.get('env')?.split('\n') ?? [];
}

function check({ title, blocks }: Case, lines: string[]): void {
  const problems = blocks.get('problems');
  if (problems !== undefined) expect(lines.join('\n')).toBe(problems);
  else expect(lines, title).toEqual(expect.arrayContaining(blockOf({ title, blocks }, 'gateway').split('\n')));
}

const cases = casesIn('config');
const inYaml = cases.filter(({ blocks }) => blocks.has('yaml'));

describe('as JSON', () => {
  test.each(cases)('$title', (example) => {
    const yaml = example.blocks.get('yaml');
    const text = yaml === undefined ? blockOf(example, 'json') : JSON.stringify(parse(yaml));
    check(example, configured(core, text, environmentOf(example)));
  });
});

describe('as a Struct', () => {
  test.each(inYaml)('$title', (example) => {
    const wire = structOf(parse(blockOf(example, 'yaml')) as Record<string, Json>);
    check(example, configured(core, wire, environmentOf(example)));
  });
});

test.each(['', '\n', '\r\n', '\n\n'])('a secret out of the environment may end with %j', (end) => {
  const key = Buffer.alloc(32, 7).toString('base64url');
  const configuration = {
    sessions: { keys: [{ id: 1, env: 'KEY' }] },
    servers: [{ name: 'a', cluster: 'a', credentials: { type: 'header', header: 'x-token', env: 'TOKEN' } }],
  };
  const lines = configured(core, JSON.stringify(configuration), [`KEY=${key}${end}`, `TOKEN=secret${end}`]);
  expect(lines).toContainEqual(expect.stringContaining(`key 1 ${key}`));
  expect(lines).toContainEqual(expect.stringMatching(/secret(?![\r\n])/));
});

test('a line end alone is no secret, and one in the middle is refused', () => {
  const credentials = (env: string): object => ({ type: 'header', header: 'x-token', env });
  const servers = [
    { name: 'a', cluster: 'a', credentials: credentials('EMPTY') },
    { name: 'b', cluster: 'b', credentials: credentials('TWO') },
  ];
  const lines = configured(core, JSON.stringify({ servers }), ['EMPTY=\n', 'TWO=one\ntwo']);
  expect(lines.filter((line) => line.includes('cannot stand in a header'))).toHaveLength(2);
});

describe('a server whose callers’ tokens are exchanged', () => {
  const credentials = {
    type: 'exchange',
    tokenEndpoint: 'https://id.example/token',
    cluster: 'id',
    client: { id: 'gateway', env: 'SECRET' },
    audience: 'orders',
    scopes: ['read'],
  };
  /** What a session, a list and a token of the server are found by. */
  const fingerprint = (changed: object, secret = 'one'): string => {
    const servers = [{ name: 'a', cluster: 'a', credentials: { ...credentials, ...changed } }];
    const text = JSON.stringify({ servers, identity: { jwt: 'verified' } });
    core.call('configParse', ...core.span(text), ...core.span(`SECRET=${secret}\0`));
    expect(times(core.call('configProblems'), (i) => core.text('configProblem', i))).toEqual([]);
    const print = String(core.call('configServerFingerprint', 0));
    core.clear();
    return print;
  };

  test.each<[string, object]>([
    ['cluster', { cluster: 'id-2' }],
    ['host', { tokenEndpoint: 'https://id-2.example/token' }],
    ['path', { tokenEndpoint: 'https://id.example/token-2' }],
    ['client', { client: { id: 'gateway-2', env: 'SECRET' } }],
    ['audience', { audience: 'orders-2' }],
    ['scopes', { scopes: ['write'] }],
  ])('is another one with another %s of the token endpoint', (_, changed) => {
    expect(fingerprint(changed)).not.toBe(fingerprint({}));
    expect(fingerprint(changed)).toBe(fingerprint(changed));
  });

  test('is another one with another secret', () => {
    expect(fingerprint({}, 'two')).not.toBe(fingerprint({}));
  });
});

test.each(['', ' ', '{', '{"servers":[]', '\xff', 'servers: []'])('%j is not JSON', (text) => {
  const problem = text === '' ? 'servers: must list at least one server' : 'the configuration: is not JSON';
  expect(configured(core, text)).toEqual([problem]);
});

test.each(['[]', 'null', '1', ' "a" '])('%s is not an object', (text) => {
  expect(configured(core, text)).toContain(`the configuration: must be an object, found ${text.trim()}`);
});

const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.integer({ min: -4000, max: 4000 }).map((eighths) => eighths / 8),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const struct = fc.dictionary(fc.string(), value, { maxKeys: 6, noNullPrototype: true });

function jsonOf(wire: Uint8Array): string | undefined {
  const json = core.text('configStruct', ...core.span(wire));
  core.clear();
  return json;
}

test('a Struct is the JSON that it was made of', () => {
  fc.assert(
    fc.property(struct, (struct) => {
      const json = jsonOf(structOf(struct)) ?? '';
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(struct)));
    }),
    { numRuns: 500 },
  );
});

test.each([
  [0.125, '0.125'],
  [-0.5, '-0.5'],
  [0.0001, '0.0001'],
  [0.1, '0.1'],
  [0.3, '0.3'],
  [1e-9, '1e-09'],
  [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  [-Number.MAX_SAFE_INTEGER, '-9007199254740991'],
  [432541223982353728, '432541223982353728'],
  [1e20, '100000000000000000000'],
  [1e21, '1e+21'],
  [-0, '0'],
  [-Infinity, 'null'],
  [NaN, 'null'],
])('the number %d is %s', (number, json) => {
  expect(jsonOf(structOf({ n: number }))).toBe(`{"n":${json}}`);
});

test('a number of a Struct keeps all of its digits', () => {
  const decimal = fc
    .tuple(fc.maxSafeInteger(), fc.integer({ min: -15, max: 3 }))
    .map(([digits, power]) => Number(`${digits}e${power}`));
  fc.assert(
    fc.property(decimal, (number) => {
      expect(JSON.parse(jsonOf(structOf({ n: number })) ?? '')).toEqual({ n: number === 0 ? 0 : number });
    }),
    { numRuns: 5000 },
  );
});

test('lists in each other end at a depth, not at the end of the stack', () => {
  const nested = (depth: number): Json => (depth === 0 ? [] : [nested(depth - 1)]);
  expect(jsonOf(structOf({ a: nested(60) }))).toBeDefined();
  expect(jsonOf(structOf({ a: nested(1000) }))).toBeUndefined();
});

test('a value of no kind is null', () => {
  expect(jsonOf(Uint8Array.of(0x0a, 5, 0x0a, 1, 0x61, 0x12, 0))).toBe('{"a":null}');
});

test('a Struct that is cut short is refused', () => {
  const wire = structOf({ servers: [{ name: 'a', ok: true, n: 1 }] });
  for (let length = 1; length < wire.length; length++) expect(jsonOf(wire.subarray(0, length))).toBeUndefined();
});

test('what is no configuration is refused, and nothing traps', () => {
  const example = parse(blockOf(inYaml[1] ?? { title: 'none', blocks: new Map() }, 'yaml')) as Record<string, Json>;
  const damaged = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    mutated(fc.constant(JSON.stringify(example))),
    mutated(fc.constant(structOf(example).toString('latin1'))).map((bytes) =>
      Buffer.from(Buffer.from(bytes).toString(), 'latin1'),
    ),
  );
  fc.assert(
    fc.property(damaged, fc.uint8Array({ maxLength: 50 }), (text, environment) => {
      core.call('configParse', ...core.span(text), ...core.span(environment));
      expect(core.call('configProblems')).toBeGreaterThan(0);
      core.clear();
    }),
    { numRuns: 2000 },
  );
});
