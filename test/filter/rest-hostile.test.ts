// Arguments and responses as somebody would send them who wants a REST tool to do something else than it is made for: what the
// service is asked, and what the client gets.
import { describe, expect, test } from 'vitest';
import { type Outcome, outcomeOf, type RestCase } from './rest-tool-cases.ts';

type Argument = Readonly<Record<string, unknown>>;

const at = (position: string, name = 'a', more: object = {}): Argument => ({ name, position, ...more });
const toolOf = (args: readonly Argument[], request: object = {}, more: object = {}): object => ({
  name: 't',
  args,
  requestTemplate: { url: 'http://b.example/x', method: 'GET', ...request },
  ...more,
});
const run = (more: Omit<RestCase, 'name'>): Outcome => outcomeOf({ name: 'hostile', ...more });

const sentOf = ({ sent }: Outcome): { path?: string; body?: string; headers: Record<string, string> } => ({
  ...(sent !== undefined && { path: sent.path, body: sent.body }),
  headers: Object.fromEntries(sent?.headers ?? []),
});
const textOf = ({ result }: Outcome): string => (result as { content: { text: string }[] }).content[0]?.text ?? '';

describe('an argument', () => {
  test.each<[string, Argument, string, string]>([
    ['nested values in a query', at('query'), '{"b":["&x=1#"]}', '/x?a=%7B%22b%22%3A%5B%22%26x%3D1%23%22%5D%7D'],
    ['a list in a query', at('query', 'a', { type: 'array' }), '["b&c","d"]', '/x?a=%5B%22b%26c%22%2C%22d%22%5D'],
    ['a number that no double has', at('query', 'a', { type: 'number' }), '1e400', '/x?a=1e400'],
    [
      'a whole number beyond 2^53',
      at('query', 'a', { type: 'integer' }),
      '123456789012345678901234567890',
      '/x?a=123456789012345678901234567890',
    ],
    ['a name with signs of a query', at('query', 'a&b=c'), '"d"', '/x?a%26b%3Dc=d'],
  ])('of %s is sent as it was written, in its place', (_, argument, value, path) => {
    const given = `{${JSON.stringify(argument['name'])}:${value}}`;
    expect(sentOf(run({ tool: toolOf([argument]), arguments: given })).path).toBe(path);
  });

  test.each<[string, Argument, string, string]>([
    ['is beyond a limit, however many digits', at('query', 'a', { maximum: 9 }), `1${'0'.repeat(400)}`, 'at most 9'],
    ['is null where it is to be a text', at('query', 'a', { type: 'string' }), 'null', 'must be string, found null'],
    ['is half a character', at('query'), '"x\\ud800y"', 'half of a surrogate pair'],
    ['has NUL in a header', at('header', 'x-a'), '"b\\u0000c"', 'control character'],
    ['has a line break in a header', at('header', 'x-a'), '"b\\r\\nx-evil: 1"', 'line break'],
    ['has a line break between the members of what goes into a header', at('header', 'x-a'), '{\n"b":1}', 'line break'],
    ['is longer than a header can be', at('header', 'x-a'), `"${'x'.repeat(9000)}"`, '8 KiB'],
    ['is longer than cookies can be', at('cookie'), `"${'x'.repeat(9000)}"`, '8 KiB'],
  ])('that %s is told, and nobody is asked', (_, argument, value, told) => {
    const given = `{${JSON.stringify(argument['name'])}:${value}}`;
    const outcome = run({ tool: toolOf([argument]), arguments: given });
    expect(outcome).toMatchObject({ result: { isError: true } });
    expect(outcome).not.toHaveProperty('sent');
    expect(textOf(outcome)).toContain(told);
  });

  test.each(['[1]', '"a"', '7', 'true'])('list that is %s is told', (given) => {
    expect(textOf(run({ tool: toolOf([at('query')]), arguments: given }))).toContain('arguments: must be an object');
  });

  test('that stands there twice is the last one, to the schema and to the service', () => {
    const tool = toolOf([at('query', 'a', { type: 'string' })]);
    expect(sentOf(run({ tool, arguments: '{"a":7,"\\u0061":"b"}' })).path).toBe('/x?a=b');
    expect(textOf(run({ tool, arguments: '{"a":"b","a":7}' }))).toContain('a: must be string, found 7');
  });

  test('that stands twice in an object has to be right each time', () => {
    const inner = { type: 'object', properties: { b: { type: 'integer', maximum: 5 } } };
    const tool = toolOf([at('body', 'o', inner)], { method: 'POST' });
    for (const given of ['{"o":{"b":1,"b":99}}', '{"o":{"b":99,"b":1}}']) {
      expect(textOf(run({ tool, arguments: given }))).toContain('o.b: must be at most 5');
    }
  });

  test('in a header may have letters of all alphabets', () => {
    const outcome = run({ tool: toolOf([at('header', 'x-a')]), arguments: '{"x-a":"Zoë 😀"}' });
    expect(sentOf(outcome).headers['x-a']).toBe('Zoë 😀');
  });

  test('that is named like a member of every object is one like others', () => {
    const names = ['__proto__', 'constructor'].map((name) => ({ name }));
    const given = '{"__proto__":{"a":1},"constructor":1,"other":2}';
    const outcome = run({ tool: toolOf(names, { method: 'POST', argsToJsonBody: true }), arguments: given });
    expect(sentOf(outcome).body).toBe('{"__proto__":{"a":1},"constructor":1}');
  });
});

describe('a cookie', () => {
  const cookieOf = (more: Omit<RestCase, 'name'>): string | undefined => sentOf(run(more)).headers['cookie'];

  test('of an argument is percent-encoded, its name too, and several stand beside each other', () => {
    const tool = toolOf([at('cookie', 'who'), at('cookie', 'b=;c')]);
    expect(cookieOf({ tool, arguments: '{"who":"a;b=c, d\\"é","b=;c":["x"]}' })).toBe(
      'who=a%3Bb%3Dc%2C%20d%22%C3%A9; b%3D%3Bc=%5B%22x%22%5D',
    );
    expect(cookieOf({ tool, arguments: '{"who":""}' })).toBe('who=');
    expect(cookieOf({ tool, arguments: '{}' })).toBeUndefined();
  });

  test('of an argument stands behind that of the template, and the client’s own goes nowhere', () => {
    const tool = toolOf([at('cookie', 'who')], { headers: [{ key: 'Cookie', value: 'a=1' }] });
    expect(cookieOf({ tool, arguments: '{"who":"x"}', client: [['cookie', 'who=evil']] })).toBe('a=1; who=x');
  });

  test('of the template keeps an argument within it', () => {
    const value = 'a={{.config.a}}; who={{.args.who}}; b={{default "x;y" .args.b}}';
    const tool = toolOf([{ name: 'who' }, { name: 'b' }], { headers: [{ key: 'Cookie', value }] });
    const rest = { config: { a: '1|2' } };
    expect(cookieOf({ tool, rest, arguments: '{"who":"me; admin=1"}' })).toBe('a=1|2; who=me%3B%20admin%3D1; b=x%3By');
  });

  test('is no place of a credential: that is said where the configuration is read', () => {
    const scheme = { id: 's', type: 'apiKey', in: 'cookie', name: 'sid', defaultCredential: 'x' };
    const { refused } = run({ tool: toolOf([]), rest: { securitySchemes: [scheme] }, arguments: '{}' });
    expect(refused).toBe('securitySchemes[0].in: must be one of header, query, found "cookie"');
  });
});

describe('a response', () => {
  const answered = (status: number, headers: [string, string][], body = ''): unknown =>
    run({ tool: toolOf([]), arguments: '{}', response: { status, headers, body } }).result;
  const text = (said: string, isError: boolean): object => ({ content: [{ type: 'text', text: said }], isError });

  test.each<[string, number, [string, string][], string, object]>([
    ['204', 204, [], '', text('success', false)],
    ['204 with a type', 204, [['content-type', 'application/json']], '', text('success', false)],
    ['304', 304, [], '', text('call failed, status: 304, response: ', true)],
    [
      'a redirect',
      302,
      [['location', 'http://evil.example/']],
      '<a>',
      text('call failed, status: 302, response: <a>', true),
    ],
    ['a redirect without a body', 307, [['location', '/']], '', text('call failed, status: 307, response: ', true)],
    [
      'one that is compressed all the same',
      200,
      [['content-encoding', 'gzip']],
      'xyz',
      text('the answer of the service is compressed, though it was asked for one that is not: gzip', true),
    ],
    ['one in the coding that was asked for', 200, [['content-encoding', 'identity']], '{}', text('{}', false)],
    [
      'an image whose type has parameters',
      200,
      [['content-type', 'IMAGE/PNG; x="a\\"b;c"; q=1']],
      'abc',
      { content: [{ type: 'image', data: 'YWJj', mimeType: 'IMAGE/PNG' }], isError: false },
    ],
    [
      'a type that is none',
      200,
      [['content-type', 'image/<svg "onload>']],
      'abc',
      { content: [{ type: 'image', data: 'YWJj', mimeType: 'image/<svg "onload>' }], isError: false },
    ],
    [
      'JSON with a byte order mark',
      200,
      [['content-type', 'application/json']],
      '\ufeff{"a":1}',
      text('{"a":1}', false),
    ],
  ])('that is %s is a result that says so', (_, status, headers, body, result) => {
    expect(answered(status, headers, body)).toEqual(result);
  });
});
