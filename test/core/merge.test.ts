import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { json, spelled } from './json-text.ts';

const core = instance();

interface Server {
  prefix: string;
  /** Of each page, what stands in the array of its tools. */
  pages: string[];
  failed?: boolean;
}

function merge(servers: Server[]): string {
  core.call('mergeOpen');
  for (const { prefix, pages, failed = false } of servers) {
    core.call('mergeServer', ...core.span(prefix));
    for (const tools of pages) core.call('mergePage', ...core.span(`{"id":"1","result":{"tools":[${tools}]}}`));
    if (failed) core.call('mergeFail');
  }
  const merged = core.text('mergeTools') ?? '';
  core.clear();
  return merged;
}

/** @param name a string token */
function toolOf(name: string): string {
  return `{"name":${name},"inputSchema":{"type":"object"}}`;
}

const space = fc.constantFrom('', ' ', '\n\t');
const prefix = fc.stringMatching(/^[A-Za-z0-9_.-]{0,8}$/);

/** A tool as a function of the prefix of its name. */
const tool = fc
  .record({
    name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).chain(spelled),
    before: json,
    behind: json,
    space,
  })
  .map(
    ({ name, before, behind, space }) =>
      (prefix: string) =>
        `{${space}"before":${before},"name"${space}:${space}"${prefix}${name}","inputSchema":{"type":"object","behind":${behind}}${space}}`,
  );

test('each tool is the bytes that its server sent, but for the prefix of its name', () => {
  const server = fc.record({ prefix, pages: fc.array(fc.array(tool, { maxLength: 3 }), { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(server, { maxLength: 3 }), space, (servers, space) => {
      const merged = merge(
        servers.map(({ prefix, pages }) => ({
          prefix,
          pages: pages.map((tools) => tools.map((tool) => space + tool('')).join(`${space},`)),
        })),
      );
      const wanted = servers.flatMap(({ prefix, pages }) => pages.flat().map((tool) => tool(prefix)));
      expect(merged).toBe(`{"tools":[${wanted.join(',')}]}`);
    }),
    { numRuns: 300 },
  );
});

test.each([
  '{"name":"a","inputSchema":{"type":"object","properties": {}}}',
  '{"name":"a","inputSchema":{"type" : "object","maximum":18446744073709551615,"minimum":-0.10e+1}}',
  '{"name":"a","title":"\\u00e9é\\/","x":1,"x":2,"inputSchema":{"type":"object"}}',
  '{\r\n\t"name" : "a" ,\r\n\t"_meta" : { "name" : "b" },"inputSchema":{"type":"object"}\r\n}',
])('%j survives', (tool) => {
  expect(merge([{ prefix: '', pages: [tool] }])).toBe(`{"tools":[${tool}]}`);
  expect(merge([{ prefix: 'p_', pages: [tool] }])).toBe(`{"tools":[${tool.replace('"a"', '"p_a"')}]}`);
});

test('tools come in the order of the configuration, then of the pages, then of the server', () => {
  const tools = (...names: string[]): string => names.map((name) => toolOf(`"${name}"`)).join(',');
  const merged = merge([
    { prefix: 'z_', pages: [tools('b', 'a'), tools('c')] },
    { prefix: 'a_', pages: [tools('b')] },
  ]);
  expect(JSON.parse(merged)).toEqual({
    tools: ['z_b', 'z_a', 'z_c', 'a_b'].map((name) => ({ name, inputSchema: { type: 'object' } })),
  });
});

test('a server that failed is left out whole', () => {
  const pages = [toolOf('"a"')];
  const merged = merge([
    { prefix: '1_', pages, failed: true },
    { prefix: '2_', pages },
    { prefix: '3_', pages, failed: true },
  ]);
  expect(merged).toBe(`{"tools":[${toolOf('"2_a"')}]}`);
});

test('without a server there are no tools', () => {
  expect(merge([])).toBe('{"tools":[]}');
});

test.each([
  ['empty', '""'],
  ['no text', '"\\ud83d"'],
  ['longer than fits into a header', `"${'x'.repeat(1025)}"`],
])('a tool whose name is %s cannot be called, and is not listed', (_, name) => {
  const pages = [`${toolOf(name)},${toolOf('"a"')}`, toolOf(name)];
  expect(merge([{ prefix: 'p_', pages }])).toBe(`{"tools":[${toolOf('"p_a"')}]}`);
});

test('a tool for which clients would refuse the whole list is not listed', () => {
  const pages = [`{"name":"bare"},${toolOf('"a"')},{"name":"null","inputSchema":null}`, toolOf('"b"')];
  expect(merge([{ prefix: 'p_', pages }])).toBe(`{"tools":[${toolOf('"p_a"')},${toolOf('"p_b"')}]}`);
});
