import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { json, member, mutated, objectOf, spelled } from './json-text.ts';

const core = instance();

interface Page {
  /** Objects of the items, as they were written. */
  items: string[];
  names: string[];
  skipped: number;
  nextCursor: string | undefined;
}

/** undefined: not one JSON document. */
function read(document: Uint8Array | string): Page | undefined {
  core.call('pageRead', ...core.span(document));
  const indices = Array.from({ length: core.call('pageCount') }, (_, i) => i);
  const page = {
    items: indices.map((i) => core.text('pageObject', i) ?? ''),
    names: indices.map((i) => core.text('pageName', i) ?? ''),
    skipped: core.call('pageSkipped'),
    nextCursor: core.text('pageNextCursor'),
  };
  const malformed = core.call('pageMalformed') === 1;
  core.clear();
  return malformed ? undefined : page;
}

function listOf(...tools: string[]): string {
  return `{"jsonrpc":"2.0","id":"1","result":{"tools":[${tools.join(',')}]}}`;
}

const tool = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .chain(spelled)
  .chain((name) =>
    objectOf(member('name', fc.constant(`"${name}"`)), member('inputSchema', json)).map((text) => ({ name, text })),
  );

const page = fc
  .tuple(fc.array(tool, { maxLength: 5 }), fc.option(fc.string().chain(spelled), { nil: undefined }))
  .chain(([tools, cursor]) =>
    objectOf(
      member('tools', fc.constant(`[ ${tools.map(({ text }) => text).join(' , ')} ]`)),
      ...(cursor === undefined ? [] : [member('nextCursor', fc.constant(`"${cursor}"`))]),
    )
      .chain((result) => objectOf(member('result', fc.constant(result)), member('id', fc.constant('"1"'))))
      .map((text) => ({ text, tools, cursor })),
  );

test('the items are found whatever stands around them and in them', () => {
  fc.assert(
    fc.property(page, ({ text, tools, cursor }) => {
      expect(read(text)).toEqual({
        items: tools.map(({ text }) => text),
        names: tools.map(({ name }) => `"${name}"`),
        skipped: 0,
        nextCursor: cursor === undefined ? undefined : `"${cursor}"`,
      });
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['without a name', '{"title":"a"}'],
  ['with an empty object', '{}'],
  ['with two names', '{"name":"a","name":"b"}'],
  ['with the same name twice', '{"name":"a","n\\u0061me":"a"}'],
  ['with a name that is a number', '{"name":1}'],
  ['with a name that is an object', '{"name":{"name":"a"}}'],
  ['with a name that is an array', '{"name":["a"]}'],
  ['with a name deeper down only', '{"annotations":{"name":"a"}}'],
  ['that is an array', '["name","a"]'],
])('an item %s is left out, and no other', (_, item) => {
  const before = '{"name":"before"}';
  const behind = '{"x":{"name":1},"name":"behind"}';
  expect(read(listOf(before, item, behind))).toMatchObject({ items: [before, behind], skipped: 1 });
});

test('what is no object is no item', () => {
  expect(read(listOf('"name"', '1', 'null'))).toMatchObject({ items: [], skipped: 0 });
});

test.each([
  '{"id":"1","tools":[{"name":"a"}]}',
  '{"id":"1","result":[{"tools":[{"name":"a"}]}]}',
  '{"id":"1","result":{"list":{"tools":[{"name":"a"}]}}}',
  '{"id":"1","result":{"resources":[{"name":"a"}]}}',
  '{"id":"1","error":{"tools":[{"name":"a"}]}}',
  '{"id":"1","result":{"tools":{"0":{"name":"a"}}}}',
  '[{"id":"1","result":{"tools":[{"name":"a"}]}}]',
])('%s lists nothing', (document) => {
  expect(read(document)).toMatchObject({ items: [], skipped: 0 });
});

test.each([
  ['"next"', '"next"'],
  ['""', '""'],
  ['null', undefined],
  ['1', undefined],
  ['["next"]', undefined],
])('a nextCursor of %s is %s', (cursor, told) => {
  expect(read(`{"id":"1","result":{"nextCursor":${cursor},"tools":[]}}`)?.nextCursor).toBe(told);
  expect(read(`{"id":"1","result":{"tools":[{"nextCursor":${cursor}}],"nextCursor":${cursor}}}`)?.nextCursor).toBe(
    told,
  );
});

test('a nextCursor elsewhere is none', () => {
  expect(
    read('{"nextCursor":"a","id":"1","result":{"_meta":{"nextCursor":"b"},"tools":[]}}')?.nextCursor,
  ).toBeUndefined();
});

test.each([
  ['"a"', '"a"', true],
  ['"\\u0061"', '"a"', true],
  ['"b"', '"a"', false],
  ['1', '"1"', false],
  ['123', '"2"', false],
  ['null', '"a"', false],
  ['["a"]', '"a"', false],
])('a response with the id %s to the request %s: %s', (id, asked, answers) => {
  core.call('pageRead', ...core.span(`{"result":{"id":"a","tools":[]},"id":${id}}`));
  expect(core.call('pageAnswers', ...core.span(asked)) === 1).toBe(answers);
  core.clear();
});

test('a response without an id answers nothing', () => {
  core.call('pageRead', ...core.span('{"result":{"id":"a","tools":[]}}'));
  expect(core.call('pageAnswers', ...core.span('"a"'))).toBe(0);
  core.clear();
});

test('an error is found whole', () => {
  core.call('pageRead', ...core.span('{"id":"1","error": {"code":-32601,"data":{"error":{}}} }'));
  expect(core.call('pageHasResult')).toBe(0);
  expect(core.text('pageError')).toBe('{"code":-32601,"data":{"error":{}}}');
  core.clear();
});

test('what is not one JSON document is malformed, and nothing traps', () => {
  let malformed = 0;
  fc.assert(
    fc.property(mutated(page.map(({ text }) => text)), (bytes) => {
      const isJson = core.call('readerIsJson', ...core.span(bytes)) === 1;
      if (!isJson) malformed++;
      expect(read(bytes) !== undefined).toBe(isJson);
    }),
    { numRuns: 500 },
  );
  expect(malformed).toBeGreaterThan(50);
});
