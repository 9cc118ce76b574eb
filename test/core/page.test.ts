import fc from 'fast-check';
import { ToolSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { json, member, mutated, objectOf, spelled } from './json-text.ts';

const core = instance();

/** Numbers of Revision in filter/mcp/revisions.ts. */
const OLDEST = 1;
const LATEST = 4;
const STATELESS = 5;

interface Page {
  /** Objects of the items, as they were written. */
  items: string[];
  names: string[];
  skipped: number;
  nextCursor: string | undefined;
}

/** undefined: not one JSON document. */
function read(document: Uint8Array | string): Page | undefined {
  core.call('pageRead', ...core.span(document), LATEST);
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
  core.call('pageRead', ...core.span(`{"result":{"id":"a","tools":[]},"id":${id}}`), LATEST);
  expect(core.call('pageAnswers', ...core.span(asked)) === 1).toBe(answers);
  core.clear();
});

test('a response without an id answers nothing', () => {
  core.call('pageRead', ...core.span('{"result":{"id":"a","tools":[]}}'), LATEST);
  expect(core.call('pageAnswers', ...core.span('"a"'))).toBe(0);
  core.clear();
});

test('an error is found whole', () => {
  core.call('pageRead', ...core.span('{"id":"1","error": {"code":-32601,"data":{"error":{}}} }'), LATEST);
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

/** The rule that a tool breaks, for a client of that revision; undefined: none. */
function ruleOf(tool: string, revision = LATEST): string | undefined {
  core.call('pageRead', ...core.span(listOf(tool)), revision);
  expect(core.call('pageCount')).toBe(1);
  const rule = core.text('pageRule', 0);
  core.clear();
  return rule;
}

const scalar = fc.constantFrom<unknown>(null, true, false, 0, -1.5, '', 'object', 'dark', 'x'.repeat(400), 'Object');
const any = fc.oneof(scalar, fc.constantFrom<unknown>([], {}, [1], ['a'], { a: 1 }, [[]], [{}], { type: 'object' }));
const maybe = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: value }, { weight: 1, arbitrary: any });
const some = (members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  maybe(fc.record(members, { requiredKeys: [] }));
const schema = maybe(
  fc.record(
    {
      type: maybe(fc.constant('object')),
      properties: maybe(fc.dictionary(fc.constantFrom('type', 'required', 'x'), maybe(some({ type: any })))),
      required: maybe(fc.array(maybe(fc.string()))),
      anyOf: any,
      $defs: any,
    },
    { requiredKeys: ['type'] },
  ),
);
const anyTool = fc.record(
  {
    name: fc.constant('t'),
    title: maybe(fc.string()),
    description: maybe(fc.string()),
    inputSchema: schema,
    outputSchema: schema,
    annotations: some({
      title: maybe(fc.string()),
      readOnlyHint: maybe(fc.boolean()),
      destructiveHint: maybe(fc.boolean()),
      idempotentHint: maybe(fc.boolean()),
      openWorldHint: maybe(fc.boolean()),
      other: any,
    }),
    execution: some({
      taskSupport: maybe(fc.constantFrom('required', 'optional', 'optional', 'forbidden', 'forbidden')),
      other: any,
    }),
    icons: maybe(
      fc.array(
        maybe(
          fc.record(
            {
              src: maybe(fc.string()),
              mimeType: maybe(fc.string()),
              sizes: maybe(fc.array(maybe(fc.string()))),
              theme: maybe(fc.constantFrom('light', 'dark')),
              other: any,
            },
            { requiredKeys: ['src'] },
          ),
        ),
        { maxLength: 3 },
      ),
    ),
    _meta: some({ 'example.com/x': any }),
    other: any,
  },
  { requiredKeys: ['name', 'inputSchema'] },
);

test('a tool is broken where the TypeScript SDK would refuse the list that it is in, or where it needs tasks, and nowhere else', () => {
  let broken = 0;
  fc.assert(
    fc.property(anyTool, (tool) => {
      const rule = ruleOf(JSON.stringify(tool));
      if (rule !== undefined) broken++;
      const needsTasks = (tool.execution as { taskSupport?: unknown } | undefined)?.taskSupport === 'required';
      expect(rule === undefined, rule).toBe(ToolSchema.safeParse(tool).success && !needsTasks);
    }),
    { numRuns: 2000 },
  );
  expect(broken).toBeGreaterThan(200);
  expect(broken).toBeLessThan(1850);
});

test.each<[string, string, string | undefined]>([
  ['no inputSchema', '', 'inputSchema must be an object'],
  ['null', '"inputSchema":null', 'inputSchema must be an object'],
  ['a schema without a type', '"inputSchema":{}', 'inputSchema.type must be "object"'],
  ['a schema of another type', '"inputSchema":{"type":"string"}', 'inputSchema.type must be "object"'],
  ['two types', '"inputSchema":{"type":["object","null"]}', 'inputSchema.type must be "object"'],
  ['an escaped spelling', '"inputSchema":{"t\\u0079pe":"\\u006fbject"}', undefined],
  [
    'a property that is true',
    '"inputSchema":{"type":"object","properties":{"a":true}}',
    'properties of a schema must be objects',
  ],
  ['a type deeper down', '"inputSchema":{"type":"object","properties":{"type":{"type":7}}}', undefined],
  ['a null description', '"inputSchema":{"type":"object"},"description":null', 'description must be a string'],
  [
    'a hint in quotes',
    '"inputSchema":{"type":"object"},"annotations":{"readOnlyHint":"true"}',
    'annotations.readOnlyHint must be true or false',
  ],
])('a tool with %s', (_, members, rule) => {
  expect(ruleOf(members === '' ? '{"name":"t"}' : `{"name":"t",${members}}`)).toBe(rule);
});

test('what follows a broken tool is not broken', () => {
  const good = '{"name":"good","inputSchema":{"type":"object"}}';
  core.call('pageRead', ...core.span(listOf('{"icons":[{"sizes":[1', good)), LATEST);
  expect(core.call('pageMalformed')).toBe(1);
  core.call('pageRead', ...core.span(listOf('{"name":"a","icons":[{"sizes":[1]}]}', good)), LATEST);
  expect([core.text('pageRule', 0), core.text('pageRule', 1)]).toEqual([
    'required of a schema and sizes of an icon must hold strings',
    undefined,
  ]);
  core.clear();
});

test.each([
  ['{"type":"array"}', 'outputSchema.type must be "object"', undefined],
  ['{"anyOf":[{"type":"string"}]}', 'outputSchema.type must be "object"', undefined],
  ['{"type":"object","required":"a"}', 'outputSchema.required must be an array', undefined],
  ['true', 'outputSchema must be an object', 'outputSchema must be an object'],
])('an outputSchema of %s: with a handshake %s, stateless %s', (schema, handshake, stateless) => {
  const tool = `{"name":"t","inputSchema":{"type":"object"},"outputSchema":${schema}}`;
  expect([OLDEST, LATEST, STATELESS].map((revision) => ruleOf(tool, revision))).toEqual([
    handshake,
    handshake,
    stateless,
  ]);
});
