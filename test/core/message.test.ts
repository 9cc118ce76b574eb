import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance, NONE } from './core.ts';
import { json, member, mutated, objectOf } from './json-text.ts';

const core = instance();

function responseTo(id: string, document: Uint8Array | string): string | undefined {
  const response = core.text('messageResponseTo', ...core.span(id), ...core.span(document));
  core.clear();
  return response;
}

test('a request is the parts that it was made of', () => {
  const id = core.text('messageNewId', 123_456_789_012_345_678n, 2) ?? '';
  expect(id).toBe('"sluice-123456789012345678-2"');
  const parts = [...core.span(id), ...core.span('tools/list')];
  expect(core.text('messageRequest', ...parts, ...core.span('{"cursor":"\\u0061"}'))).toBe(
    `{"jsonrpc":"2.0","id":${id},"method":"tools/list","params":{"cursor":"\\u0061"}}`,
  );
  expect(core.text('messageRequest', ...parts, ...NONE)).toBe(`{"jsonrpc":"2.0","id":${id},"method":"tools/list"}`);
  core.clear();
});

test('a result carries the id and the bytes of both', () => {
  const result = core.text('messageResult', ...core.span('9007199254740993'), ...core.span('{ "a" : 1.0 }'));
  expect(result).toBe('{"jsonrpc":"2.0","id":9007199254740993,"result":{ "a" : 1.0 }}');
  core.clear();
});

const response = objectOf(member('id', fc.constant('"sluice-1-1"')), member('result', json));

test('a response is known by its id', () => {
  fc.assert(
    fc.property(response, (response) => {
      expect(responseTo('"sluice-1-1"', ` ${response}\n`)).toBe(response);
      expect(responseTo('"sluice-1-2"', response)).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

test.each([
  '{"id":1,"result":{}}',
  '{"id":null,"result":{}}',
  '{"result":{"id":"a"}}',
  '{"id":["a"],"result":{}}',
  '{"id":"a","id":"b","result":{}}',
  '[{"id":"a","result":{}}]',
  '"a"',
  '"id"',
  'null',
  '1',
  '',
  '{"id":"a","result":{}',
])('%s does not answer "a"', (document) => {
  expect(responseTo('"a"', document)).toBeUndefined();
});

test.each([
  ['"2"', '123'],
  ['"ru"', 'true'],
  ['""', '[]'],
])('a request with the id %s is not answered by the id %s', (asked, id) => {
  expect(responseTo(asked, `{"id":${id},"result":{}}`)).toBeUndefined();
});

test('what is no response never traps', () => {
  fc.assert(
    fc.property(mutated(response), (bytes) => {
      const text = responseTo('"sluice-1-1"', bytes);
      if (text !== undefined) expect(JSON.parse(text)).toHaveProperty('id', 'sluice-1-1');
    }),
    { numRuns: 500 },
  );
});
