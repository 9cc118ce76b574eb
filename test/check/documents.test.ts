// Files are hostile: whatever is in one, there is a list of findings and no exception, in bounded time.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDocuments } from '../../envoy/yaml/document.ts';
import { type Base, bases, examineText } from './support.ts';

const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
for (let level = 1; level < 12; level++) {
  const alias = `*a${level - 1}`;
  bomb.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => alias).join(', ')}]`);
}
const chain = ['a0: &a0 {}', ...Array.from({ length: 2_000 }, (_, i) => `a${i + 1}: &a${i + 1} { b: *a${i} }`)];

test.each([
  ['nothing', '', 'kind', 'is empty'],
  ['comments', '# nothing\n', 'kind', 'is empty'],
  ['a scalar', 'servers', 'kind', 'holds no object'],
  ['a list', '- servers: []', 'kind', 'holds no object'],
  ['a module', Buffer.from('\0asm\u0001\0\0\0'), 'yaml', 'name it with --module'],
  ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0x00), 'yaml', 'is not text in UTF-8'],
  ['control characters', '\u0001\u0002: \u0003', 'kind', 'is neither'],
  ['10 MB', Buffer.alloc(10 << 20, 'a: 1\n'), 'yaml', 'has 10485760 bytes'],
  ['more values than are looked at', `[${'1,'.repeat(300_000)}]`, 'yaml', 'more than 200000 values'],
  ['aliases that multiply', bomb.join('\n'), 'yaml', 'more than 200000 values'],
  ['aliases that nest', chain.join('\n'), 'yaml', 'nested deeper than 200 levels'],
  ['an alias into itself', 'servers: &a [*a]', 'yaml', 'leads back into itself'],
  ['an alias of nothing', 'servers: *nobody', 'yaml', 'not before it'],
  ['an alias before its anchor', 'servers: *a\nb: &a 1', 'yaml', 'not before it'],
  ['equal members', 'servers: []\nservers: []', 'yaml', 'servers is given twice'],
  ['equal members of JSON', '{"servers": [], "servers": []}', 'yaml', 'servers is given twice'],
  ['lists without an end', '['.repeat(150), 'yaml', 'is not YAML'],
  ['maps without an end', '{"a":'.repeat(150), 'yaml', 'is not YAML'],
  ['lists in lists', '['.repeat(300), 'yaml', 'nested deeper than 200 levels'],
  ['maps in maps', '{"a":'.repeat(300), 'yaml', 'nested deeper than 200 levels'],
  ['items in items', `${'- '.repeat(300)}a`, 'yaml', 'nested deeper than 200 levels'],
  ['quotes', '"'.repeat(100_000), 'yaml', 'is not YAML'],
  ['tabs', 'servers:\n\t- a', 'yaml', 'is not YAML'],
  ['a template', 'servers: {{ .Values.servers }}', 'yaml', 'is not YAML'],
  ['something else', 'version: 3\nservices: {}', 'kind', 'it has version, services'],
  ['a slip', 'server: []', 'kind', 'did you mean "servers"?'],
])('of a file with %s it is said what is wrong', (_, text, rule, says) => {
  const findings = examineText(text);
  const own = findings.filter((finding) => finding.rule === rule && finding.message.includes(says));
  expect(own.length, JSON.stringify(findings.slice(0, 3))).toBeGreaterThan(0);
  expect(findings.length).toBeLessThan(200);
});

test('of thousands of faults the first of each kind are told', () => {
  const text = bases.hold.replace(
    /^( +)servers:\n/m,
    (line, indent: string) =>
      `${line}${Array.from({ length: 3_000 }, (_, i) => `${indent}  - { name: s${i}, cluster: evrything }\n`).join('')}`,
  );
  const findings = examineText(text);
  const of = (id: string): string[] => findings.filter(({ rule }) => rule === id).map(({ message }) => message);
  expect(of('cluster')).toHaveLength(100);
  expect(of('cluster')[0]).toContain('did you mean "everything"?');
  expect(of('cluster')[99]).toBe('breaks the rule too, and so may others');
  expect(findings.length).toBeLessThan(500);
});

test('what is wrong has its line and column', () => {
  const text =
    'endpoint: /mcp\nservers:\n  - name: weather\n    url: weather\n  - { name: notes, url: "ftp://notes" }\n';
  const found = examineText(text).filter(({ rule }) => rule === 'plugin');
  expect(found.map(({ path, line, column }) => ({ path, line, column }))).toEqual([
    { path: 'servers[0].url', line: 4, column: 5 },
    { path: 'servers[1].url', line: 5, column: 20 },
  ]);
});

test('Kubernetes merges keys, others do not', () => {
  const merged = readDocuments('f', Buffer.from('apiVersion: v1\na: &a { b: 1, c: 2 }\nd: { <<: *a, b: 3 }'))
    .documents[0]?.root;
  expect(merged?.get('d').value).toEqual({ b: 3, c: 2 });
  const plain = readDocuments('f', Buffer.from('a: &a { b: 1 }\nd: { <<: *a }')).documents[0]?.root;
  expect(plain?.get('d').value).toEqual({ '<<': { b: 1 } });
});

test('members that objects have by themselves are none', () => {
  const [document] = readDocuments('f', Buffer.from('__proto__: { admin: 1 }\nconstructor: 2')).documents;
  expect(document?.root.get('admin').isThere).toBe(false);
  expect(document?.root.get('toString').isThere).toBe(false);
  expect(document?.root.get('__proto__', 'admin').value).toBe(1);
});

type Path = readonly (string | number)[];

/** Everything in a value that can be changed, by its path. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return [path, ...keys.flatMap((key) => pathsIn((value as Record<string | number, unknown>)[key], [...path, key]))];
}

const changes = ['drop', 'rename', 'number', 'text', 'list', 'object', 'empty'] as const;
const replacements = { number: -1, text: 'x', list: [[]], object: { a: {} }, empty: null } as const;

/** Changes a value in place. */
function change(root: unknown, path: Path, kind: (typeof changes)[number]): void {
  const last = path.at(-1);
  if (last === undefined) return;
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | null)?.[key], root);
  if (typeof parent !== 'object' || parent === null) return; // the change before took it away
  const object = parent as Record<string | number, unknown>;
  if (kind === 'rename') object[`${last}x`] = object[last];
  if (kind !== 'drop' && kind !== 'rename') object[last] = structuredClone(replacements[kind]);
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else Reflect.deleteProperty(object, last);
}

describe.each(Object.keys(bases) as Base[])('whatever is changed in %s', (base) => {
  test('there is a list of findings', () => {
    const documents = bases[base].split(/^---$/m).map((text) => parse(text) as unknown);
    const paths = pathsIn(documents);
    const changed = fc.tuple(fc.nat(paths.length - 1), fc.constantFrom(...changes));
    fc.assert(
      fc.property(fc.array(changed, { minLength: 1, maxLength: 4 }), (list) => {
        const copy = structuredClone(documents);
        for (const [index, kind] of list) change(copy, paths[index] ?? [], kind);
        const findings = examineText(copy.map((document) => JSON.stringify(document)).join('\n---\n'));
        for (const { line, column, message } of findings) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
          expect(message).not.toContain('undefined');
        }
      }),
      { numRuns: 200 },
    );
  });
});

test('any text at all has findings, or is one of ours', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json(), fc.uint8Array({ maxLength: 200 })),
      (text) => {
        expect(Array.isArray(examineText(text))).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
