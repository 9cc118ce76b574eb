import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();

function headerText(text: string): string {
  const header = core.text('headerTextOf', ...core.span(text)) ?? '';
  core.clear();
  return header;
}

/** As a server reads it (MCP 2026-07-28, HTTP headers). */
function readByServer(header: string): string {
  const [, encoded] = /^=\?base64\?(.*)\?=$/s.exec(header) ?? [];
  return encoded === undefined ? header : Buffer.from(encoded, 'base64').toString();
}

test.each([
  ['get_forecast', 'get_forecast'],
  ['~!"#$%&/()', '~!"#$%&/()'],
  ['=?base64', '=?base64'],
  ['=?BASE64?YQ==?=', '=?BASE64?YQ==?='],
  ['a b', '=?base64?YSBi?='],
  [' ', '=?base64?IA==?='],
  ['é', '=?base64?w6k=?='],
  ['a\nb', '=?base64?YQpi?='],
  ['\x7f', '=?base64?fw==?='],
  ['=?base64?YQ==?=', '=?base64?PT9iYXNlNjQ/WVE9PT89?='],
])('%j is %s', (text, header) => {
  expect(headerText(text)).toBe(header);
});

test('a header says its text and no other, in visible ASCII', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string(),
    fc.string().map((text) => `=?base64?${text}?=`),
  );
  fc.assert(
    fc.property(text, (text) => {
      const header = headerText(text);
      expect(header).toMatch(/^[\x21-\x7e]*$/);
      expect(readByServer(header)).toBe(text);
    }),
    { numRuns: 1000 },
  );
});

test('a text is clipped between two characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat(40), (text, most) => {
      const clipped = core.text('headerTextClipped', ...core.span(text), most) ?? '';
      core.clear();
      expect(text.startsWith(clipped)).toBe(true);
      expect(Buffer.byteLength(clipped)).toBeLessThanOrEqual(most);
      const [next = ''] = text.slice(clipped.length);
      if (next !== '') expect(Buffer.byteLength(clipped + next)).toBeGreaterThan(most);
    }),
    { numRuns: 1000 },
  );
});

test('bytes that are no text are clipped without looking before them', () => {
  const tails = new Uint8Array(20).fill(0x80);
  expect(core.bytes('headerTextClipped', ...core.span(tails), 10)).toEqual(new Uint8Array());
  core.clear();
});
