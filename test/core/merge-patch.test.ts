import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { jsonObject } from './json-text.ts';

const core = instance();

function merged(target: string, patch: string): string {
  const text = core.text('mergePatch', ...core.span(target), ...core.span(patch)) ?? '';
  core.clear();
  return text;
}

test.each([
  ['{"name":"a"}', '{"name":"b"}', '{"name":"b"}'],
  ['{ "name" : "a" , "x":1 }', '{"name":"b","title":"T"}', '{ "name" : "b" , "x":1 ,"title":"T"}'],
  ['{"n\\u0061me":"a","n":18446744073709551615}', '{"name":"b"}', '{"n\\u0061me":"b","n":18446744073709551615}'],
  ['{"a":{"y":1, "x" :2},"z":0}', '{"a":{"x":3,"w":4}}', '{"a":{"y":1, "x" :3,"w":4},"z":0}'],
  ['{"a":{}}', '{"a":{"x":3}}', '{"a":{"x":3}}'],
  ['{"a":[1]}', '{"a":{"x":3}}', '{"a":{"x":3}}'],
  ['{"a":{"x":1}}', '{"a":"text"}', '{"a":"text"}'],
  ['{}', '{"a":1,"b":2}', '{"a":1,"b":2}'],
  ['{"a":1,"a":2}', '{"a":3}', '{"a":3}'],
  ['{ "a":1 , "b":2, "\\u0061" : 3 ,"c":4}', '{"a":5}', '{ "b":2, "\\u0061" : 5 ,"c":4}'],
  ['{"b":0,"a":1,"a":2,"b":3,"a":4}', '{"a":5,"b":6}', '{"b":6,"a":5}'],
  ['{"x":{"a":1},"x":{"a":2,"b":3,"a":4}}', '{"x":{"a":5}}', '{"x":{"b":3,"a":5}}'],
  ['{"x":{"a":1},"x":2}', '{"x":{"a":5}}', '{"x":{"a":5}}'],
  ['{"b":1,"b":2}', '{"a":5}', '{"b":1,"b":2,"a":5}'],
])('%s and %s are %s', (target, patch, expected) => {
  expect(merged(target, patch)).toBe(expected);
});

test('a member that stands there again and again makes nothing long', () => {
  const target = `{${'"title":"",'.repeat(1000)}"name":"a"}`;
  const title = 't'.repeat(1000);
  expect(merged(target, JSON.stringify({ title }))).toBe(`{"title":"${title}","name":"a"}`);
});

/** RFC 7396, without `null`. */
function patched(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) result[name] = patched(result[name], value);
  return result;
}

test('what comes out is what RFC 7396 says, and every other byte is as it was', () => {
  const names = fc.constantFrom('a', 'b', 'name', 'zz');
  const patch = fc.dictionary(names, fc.oneof(fc.string(), fc.boolean(), fc.dictionary(names, fc.integer())));
  fc.assert(
    fc.property(jsonObject, patch, (target, patch) => {
      const text = JSON.stringify(patch);
      const out = merged(target, text);
      expect(JSON.parse(out)).toEqual(patched(JSON.parse(target), patch));
      expect(Buffer.byteLength(out)).toBeLessThanOrEqual(Buffer.byteLength(target) + Buffer.byteLength(text));
      if (Object.keys(patch).length === 0) expect(out).toBe(target);
      // Once there, it stays so.
      expect(merged(out, text)).toBe(out);
    }),
    { numRuns: 500 },
  );
});

/** Names with a spelling that differs, each any number of times: `JSON.stringify` makes no such object. */
const spelled = fc.constantFrom('"name"', '"n\\u0061me"', '"title"', '"annotations"', '"x"');
const value = fc.constantFrom('1', '"a"', '[]', '{}', '{"title":1,"title":2,"y":{}}', '1e400');
const repeating = fc
  .array(fc.tuple(spelled, value), { maxLength: 12 })
  .map((members) => `{${members.map(([name, value]) => ` ${name} : ${value} `).join()}}`);

test('a tool object that repeats members has each patched one once, as its readers took it last', () => {
  const patch = { name: 'n', annotations: { title: 'T' } };
  fc.assert(
    fc.property(repeating, (target) => {
      const out = merged(target, JSON.stringify(patch));
      expect(JSON.parse(out)).toEqual(patched(JSON.parse(target), patch));
      const once = /"n(?:a|\\u0061)me"/g;
      expect(out.match(once)).toHaveLength(1);
      expect(out.match(/"annotations"/g)).toHaveLength(1);
    }),
    { numRuns: 500 },
  );
});
