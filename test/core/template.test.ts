import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instance } from './core.ts';
import { rendered, ways } from './rendering.ts';

/** What the engine that templates are written for (gjson_template) answers, and at which stage it refuses. */
interface Case {
  template: string;
  data: string;
  output?: string;
  stage?: 'parse' | 'exec';
}

const cases = JSON.parse(readFileSync(new URL('cases/templates.json', import.meta.url), 'utf8')) as Case[];
const core = instance();

/** Half a surrogate pair has no UTF-8 form, and becomes U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

describe('as the engine that templates are written for, or refused', () => {
  test.each(cases)('$template', ({ template, data, output, stage }) => {
    const outcome = rendered(core, template, data);
    if ('refused' in outcome) {
      expect(outcome.refused).not.toBe('');
      expect(outcome.position).toBeLessThanOrEqual(Buffer.byteLength(template));
    } else if (stage === undefined) expect(outcome).toEqual({ text: output });
    else expect(outcome).toEqual({ fault: expect.stringMatching(/./) as string });
    if (stage === 'parse') expect(outcome).toHaveProperty('refused');
  });

  test('few are refused that the engine renders', () => {
    const valid = cases.filter(({ stage }) => stage === undefined);
    const refused = valid.filter(({ template, data }) => 'refused' in rendered(core, template, data));
    expect(refused.length / valid.length).toBeLessThan(0.27);
  });
});

/** What 52 files of Higress' public catalogue of tools are made of: an example of each kind, and how often it is there. */
const inCatalogue: readonly [template: string, count: number][] = [
  ['{{.config.apiKey}}', 305],
  ['{{uuidv4}}', 158],
  ['{{.result.name}}', 157],
  ['{{.args.city}}', 153],
  ['{{range $index, $item := .list}}{{$item.name}}{{end}}', 24 + 17], // a path of a variable, and `range`
  ['{{if .args.city}}a{{else}}b{{end}}', 21 + 17 + 38], // `if`, `else`, and every `end`
  ['{{toJson .list}}', 16],
  ['{{dateInZone "2006-01-02" "2026-01-01T00:00:00Z" "UTC"}}', 5],
  ['{{add 1 2}}', 4],
  ['{{len .list}}', 2],
  ['{{join "," .args.tags}}', 2],
  ['{{index .list 0}}', 2],
  ['{{getRealIP}}', 2],
  ['{{b64enc .args.city}}', 1],
];

test('of 925 expressions in a public catalogue of tools, at most one in a hundred is refused', () => {
  const data = JSON.stringify({
    ...{ config: { apiKey: 'k' }, args: { city: 'Bern', tags: ['a', 'b'] } },
    ...{ result: { name: 'x' }, list: [{ name: 'y' }] },
  });
  const taken = inCatalogue.filter(([template]) => 'text' in rendered(core, template, data));
  const served = taken.reduce((sum, [, count]) => sum + count, 0);
  expect((925 - served) / 925).toBeLessThanOrEqual(0.01);
});

test('a fault has its position', () => {
  expect(rendered(core, 'a{{.b}} {{nope .c}}', '{}')).toEqual({
    refused: expect.stringContaining('nope') as string,
    position: 10,
  });
});

test('a path is refused with the whole character that it may not have', () => {
  expect(rendered(core, '{{index . "list.#é"}}', '{}')).toMatchObject({
    refused: expect.stringMatching(/é$/) as string,
  });
});

describe('an argument stays in its place', () => {
  const value = fc.string({ unit: 'binary' });

  test('of a path and a query', () => {
    fc.assert(
      fc.property(value, (argument) => {
        const data = JSON.stringify({ args: { a: argument } });
        const outcome = rendered(core, '/x/{{.args.a}}/y?q={{.args.a}}&r=1', data, 'url');
        if (!('text' in outcome)) throw new Error(JSON.stringify(outcome));
        const url = new URL(`http://host${outcome.text}`);
        expect(url.host).toBe('host');
        expect(url.searchParams.get('q')).toBe(wellFormed(argument));
        expect([...url.searchParams.keys()]).toEqual(['q', 'r']);
        expect(outcome.text.split('?')[0]?.split('/').length).toBe(4);
      }),
    );
  });

  test('of a JSON string', () => {
    fc.assert(
      fc.property(value, (argument) => {
        const data = JSON.stringify({ args: { a: argument } });
        const outcome = rendered(core, '{"a":"{{.args.a}}","b":1}', data, 'json');
        if (!('text' in outcome)) throw new Error(JSON.stringify(outcome));
        expect(JSON.parse(outcome.text)).toEqual({ a: wellFormed(argument), b: 1 });
      }),
    );
  });

  test('of a JSON value', () => {
    fc.assert(
      fc.property(fc.oneof(value, fc.json()), (argument) => {
        const data = JSON.stringify({ args: { a: argument } });
        const outcome = rendered(core, '{"a":{{.args.a}},"b":1}', data, 'json');
        if ('text' in outcome && argument !== '')
          expect(Object.keys(JSON.parse(outcome.text) as object)).toEqual(['a', 'b']);
      }),
    );
  });

  test('of a form', () => {
    fc.assert(
      fc.property(value, (argument) => {
        const data = JSON.stringify({ args: { a: argument } });
        const outcome = rendered(core, 'a={{.args.a}}&b=1', data, 'form');
        if (!('text' in outcome)) throw new Error(JSON.stringify(outcome));
        expect([...new URLSearchParams(outcome.text)]).toEqual([
          ['a', wellFormed(argument)],
          ['b', '1'],
        ]);
      }),
    );
  });
});

describe('no template traps, or goes beyond its bounds', () => {
  const piece = fc.oneof(
    fc.constantFrom(...cases.map(({ template }) => template)),
    fc.constantFrom(
      '{{',
      '}}',
      '{{-',
      '-}}',
      '{{range .l}}',
      '{{range .n}}',
      '{{end}}',
      '{{else}}',
      '{{with .a}}',
      '{{if .b}}',
    ),
    fc.constantFrom(
      '{{$x := .l}}',
      '{{$x}}',
      '{{.l | join ","}}',
      '{{break}}',
      '{{continue}}',
      '(',
      ')',
      '"',
      '`',
      '\\',
    ),
    fc.string(),
  );
  const template = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  const data = fc.oneof(
    fc.constantFrom(...cases.map((each) => each.data)),
    fc.json(),
    fc.tuple(fc.json(), fc.nat()).map(([json, at]) => json.slice(0, at % (json.length + 1))),
  );

  test('whatever they are made of', () => {
    fc.assert(
      fc.property(
        template,
        data,
        fc.constantFrom(...(Object.keys(ways) as (keyof typeof ways)[])),
        fc.nat(300),
        (a, b, way, most) => {
          const outcome = rendered(core, a, b, way, most);
          if ('text' in outcome) expect(Buffer.byteLength(outcome.text)).toBeLessThanOrEqual(most);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['{{range .n}}x{{end}}', '{"n":1e15}'],
    ['{{range .n}}{{range $.n}}{{end}}{{end}}', '{"n":100000}'],
    ['{{repeat 1000000000 "x"}}', '{}'],
    ['{{repeat 100000 (repeat 100000 "x")}}', '{}'],
    ['{{indent 1000 (repeat 1000000 "\\n")}}', '{}'],
    ['{{replace "" (repeat 100000 "x") (repeat 100000 "y")}}', '{}'],
    ['{{seq 1 100000000}}', '{}'],
    ['{{range .l}}{{$.l}}{{end}}', JSON.stringify({ l: Array.from({ length: 10_000 }, () => 'abcdefgh') })],
    ['{{range .l}}{{len $.l}}{{end}}', JSON.stringify({ l: Array.from({ length: 100_000 }, () => 1) })],
  ])('%s ends', (source, document) => {
    expect(rendered(core, source, document)).toHaveProperty('fault');
  });

  test.each([
    ['{{if .a}}'.repeat(100) + '{{end}}'.repeat(100)],
    ['{{' + '('.repeat(100) + '.a' + ')'.repeat(100) + '}}'],
    ['{{$a := 1}}'.repeat(100)],
    ['x{{.a}}'.repeat(50_000)],
  ])('too large a template is refused', (source) => {
    expect(rendered(core, source, '{}')).toHaveProperty('refused');
  });
});
