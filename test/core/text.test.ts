import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { inside, jsonObject } from './json-text.ts';

const core = instance();

function textOf(token: string): string | undefined {
  const text = core.text('textText', ...core.span(token));
  core.clear();
  return text;
}

/** Half of a surrogate pair has no UTF-8 form. */
function isText(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

test('the text of a string is what JSON.parse makes of it', () => {
  let texts = 0;
  let halves = 0;
  fc.assert(
    fc.property(inside, (inside) => {
      const text = JSON.parse(`"${inside}"`) as string;
      if (isText(text)) texts++;
      else halves++;
      expect(textOf(`"${inside}"`)).toBe(isText(text) ? text : undefined);
    }),
    { numRuns: 2000 },
  );
  expect(texts).toBeGreaterThan(500);
  expect(halves).toBeGreaterThan(100);
});

test.each([
  ['""', ''],
  [String.raw`"\ud83d\ude00"`, '😀'],
  [String.raw`"\uD83D\uDE00"`, '😀'],
  [String.raw`"\udbff\udfff"`, '\u{10ffff}'],
  [String.raw`"\ud800\udc00"`, '\u{10000}'],
  [String.raw`"\u0000\u007f\u0080\u07ff\u0800\uffff"`, '\0\x7f\x80\u07ff\u0800\uffff'],
  [String.raw`"\\ud83d"`, '\\ud83d'],
])('%s is a text', (token, text) => {
  expect(textOf(token)).toBe(text);
});

test.each([
  String.raw`"\ud83d"`,
  String.raw`"\ude00"`,
  String.raw`"\ude00\ud83d"`,
  String.raw`"\ud83d\ud83d"`,
  String.raw`"\ud83d "`,
  String.raw`"\ud83d\n"`,
  String.raw`"\ud83d\\ude00"`,
  String.raw`"\ud83dude00"`,
  String.raw`"\ud83d\u0061"`,
])('%s is none', (token) => {
  expect(textOf(token)).toBeUndefined();
});

/** Ways to write an ASCII letter in a JSON string. */
function spellings(letter: string): fc.Arbitrary<string> {
  const digits = letter.charCodeAt(0).toString(16).padStart(4, '0');
  const short = JSON.stringify(letter).slice(1, -1);
  return fc.constantFrom(short, `\\u${digits}`, `\\u${digits.toUpperCase()}`, ...(letter === '/' ? ['\\/'] : []));
}

const ascii = fc.string({ unit: fc.constantFrom(...Array.from('ab_.-/"\\\n\x7f0')), maxLength: 12 });
const spelled = ascii.chain((text) =>
  fc.tuple(fc.constant(text), fc.tuple(...Array.from(text).map(spellings)), inside),
);

test('the characters of a prefix are counted as they are written', () => {
  fc.assert(
    fc.property(spelled, ([text, letters, rest]) => {
      const token = core.span(`"${letters.join('')}${rest}"`);
      for (let count = 0; count <= text.length; count++) {
        const offset = core.call('textOffsetBehind', ...token, count);
        expect(offset).toBe(1 + letters.slice(0, count).join('').length);
      }
      core.clear();
    }),
    { numRuns: 300 },
  );
});

test('what is escaped is the inside of a JSON string for the same text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        ascii,
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.nat(0x80).map((c) => String.fromCharCode(c)) }),
      ),
      (text) => {
        const escaped = core.text('textEscaped', ...core.span(text)) ?? '';
        core.clear();
        expect(JSON.parse(`"${escaped}"`)).toBe(text);
      },
    ),
    { numRuns: 300 },
  );
});

test('of bytes that are no text, what is escaped is text all the same', () => {
  const edges = fc.constantFrom(
    0x22,
    0x61,
    0x80,
    0x8f,
    0x9f,
    0xa0,
    0xbf,
    0xc1,
    0xc2,
    0xe0,
    0xed,
    0xf0,
    0xf4,
    0xf5,
    0xff,
  );
  fc.assert(
    fc.property(fc.array(edges, { maxLength: 8 }), (bytes) => {
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
      const escaped = core.text('textEscaped', ...core.span(Uint8Array.from(bytes))) ?? '';
      core.clear();
      const read = JSON.parse(`"${escaped}"`) as string;
      // How many U+FFFD stand for a bad sequence is not settled.
      expect(read.replace(/\ufffd+/g, '\ufffd')).toBe(text.replace(/\ufffd+/g, '\ufffd'));
    }),
    { numRuns: 1000 },
  );
});

test('a member is found by its name, and of several the last, as JSON.parse has it', () => {
  let found = 0;
  fc.assert(
    fc.property(jsonObject, fc.constantFrom('a', 'b', 'name', 'other'), (text, name) => {
      const object = JSON.parse(text) as Record<string, unknown>;
      const value = core.text('readerMember', ...core.span(text), ...core.span(name));
      core.clear();
      expect(value !== undefined).toBe(Object.hasOwn(object, name));
      if (value === undefined) return;
      expect(JSON.parse(value)).toEqual(object[name]);
      found++;
    }),
    { numRuns: 1000 },
  );
  expect(found).toBeGreaterThan(50);
});

test('a member is found whatever stands around it', () => {
  const object = ' { "a" : { "name" : [ "}" , "]" , "\\"" ] } , "name"\n:\t-1.5e3 , "b" : "name" } ';
  expect(core.text('readerMember', ...core.span(object), ...core.span('name'))).toBe('-1.5e3');
  expect(core.text('readerMember', ...core.span(object), ...core.span('a'))).toBe('{ "name" : [ "}" , "]" , "\\"" ] }');
  core.clear();
});
