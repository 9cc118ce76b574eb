// The arguments of a call as the record of calls shows them, and how the record is configured.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const configure = (audit: unknown): string[] => gateway.configure({ servers: [{ name: 'one', cluster: 'o' }], audit });

function shown(args: string | undefined, audit: object = {}): string | undefined {
  expect(configure({ arguments: true, ...audit })).toEqual([]);
  gateway.servers = { one: ['get'] };
  const session = gateway.open();
  expect(gateway.callWith('one_get', args, { session })).toBe('one');
  return gateway.auditedArguments;
}

describe('arguments', () => {
  test('are not there unless they are asked for', () => {
    expect(shown('{"a":1}', { arguments: false })).toBeUndefined();
    expect(shown(undefined)).toBeUndefined();
  });

  test('stand there as they came, without the space between', () => {
    expect(shown('{ "a" : 1.0 , "b" : [ "x", {} , null ] }')).toBe('{"a":1.0,"b":["x",{},null]}');
  });

  test.each([
    ['a password', '{"password":"x"}', '{"password":"***"}'],
    ['in other letters', '{"dbPassWord":{"x":1}}', '{"dbPassWord":"***"}'],
    ['in escapes', '{"pass\\u0077ord":"x"}', '{"pass\\u0077ord":"***"}'],
    ['at any depth', '{"a":[{"b":{"api_key":5}}]}', '{"a":[{"b":{"api_key":"***"}}]}'],
    ['behind a NUL', '{"token\\u0000x":"x"}', '{"token\\u0000x":"***"}'],
    ['in letters that fold', '{"to\\u212aen":"x"}', '{"to\\u212aen":"***"}'],
    ['under a name that is no text', '{"\\ud800":"x"}', '{"\\ud800":"***"}'],
  ])('without what is secret: %s', (_, args, expected) => {
    expect(shown(args)).toBe(expected);
  });

  test('without what the configuration masks, and nothing else', () => {
    expect(shown('{"Iban":"x","password":"y","ibans":1}', { mask: ['iban'] })).toBe(
      '{"Iban":"***","password":"y","ibans":1}',
    );
    expect(shown('{"password":"y"}', { mask: [] })).toBe('{"password":"y"}');
  });

  test('are cut at a character', () => {
    expect(shown('{"a":"äöü"}', { argumentBytes: 9 })).toBe('{"a":"ä...');
    expect(shown('{"a":"äöü"}', { argumentBytes: 14 })).toBe('{"a":"äöü"}');
    expect(shown(`{"a":"${'x'.repeat(9999)}"}`, { argumentBytes: 16 })).toBe('{"a":"xxxxxxxxxx...');
  });

  test('hold no secret, and no more than is allowed, whatever they are', () => {
    const secret = 'S3CR3T';
    fc.assert(
      fc.property(
        fc.jsonValue({ depthSize: 'medium' }),
        fc.array(fc.constantFrom('password', 'a', 'accessToken', 'list'), { maxLength: 5 }),
        fc.integer({ min: 1, max: 400 }),
        (value, path, argumentBytes) => {
          const hidden = path.reduceRight<unknown>((inner, name) => (name === 'list' ? [inner] : { [name]: inner }), {
            Secret: [secret],
          });
          const text = shown(JSON.stringify({ value, hidden }), { argumentBytes }) ?? '';
          expect(text).not.toContain(secret);
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(argumentBytes + 3);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a configuration that is wrong', () => {
  test.each([
    [{ arguments: 'yes' }, 'audit.arguments: must be true or false, found "yes"'],
    [{ level: 'loud' }, 'audit.level: must be one of trace, debug, info, warn, error, critical, found "loud"'],
    [{ subject: 'name' }, 'audit.subject: must be one of hash, plain, none, found "name"'],
    [{ argumentBytes: '1Mi' }, 'audit.argumentBytes: must be a size of at most 16Ki, found "1Mi"'],
    [
      { mask: [5] },
      'audit.mask[0]: must be a name, or a pattern with "*" for any run of characters and "?" for one, at most 256 bytes, found 5',
    ],
    [
      { lines: 5 },
      'audit.lines: is not a member of this section; allowed are log, level, subject, arguments, argumentBytes, mask, linesPerMinute',
    ],
    [{ linesPerMinute: 0 }, 'audit.linesPerMinute: must be a whole number from 1 to 65536, found 0'],
  ])('%j', (audit, problem) => {
    expect(configure(audit)).toContain(problem);
  });
});
