import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutAt, feedings, Window } from './chunks.ts';
import { instance } from './core.ts';
import { isJson, json, mutated, nested } from './json-text.ts';
import { tokensIn, type Token } from './tokens.ts';

const MAX_DEPTH = 512;
const KEY_CAPACITY = 64;
const INVALID = 1;
const KINDS = ['more', 'invalid', '{', '}', '[', ']', 'key', 'string', 'number', 'word'];
const KEY = KINDS.indexOf('key');
const FAULTS = ['none', 'syntax', 'utf8', 'depth'];

const core = instance();
const window = new Window(core, 1 << 16);

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** All that the scanner tells about a document: a line for each token, then how it ended. */
function scan(chunks: Iterable<Uint8Array>, watch = MAX_DEPTH, sought?: string): string {
  const lines: string[] = [];
  core.call('scannerOpen', watch);
  if (sought !== undefined) core.call('scannerSeek', ...core.span(sought));
  let kind = 0;
  for (const chunk of chunks) {
    // After a fault nobody feeds another chunk.
    if (kind === INVALID) break;
    core.call('scannerFeed', ...window.show(chunk));
    while ((kind = core.call('scannerNext')) > INVALID) {
      const range = `${core.call('scannerStart')}-${core.call('scannerFinish')}`;
      const name = kind === KEY ? core.get(core.call('scannerKey'), core.call('scannerKeyKept')) : undefined;
      const length = kind === KEY ? core.call('scannerKeyLength') : 0;
      lines.push(line(KINDS[kind], range, core.call('scannerDepth'), name, length));
    }
  }
  const fault = FAULTS[core.call('scannerFault')] ?? '';
  const complete = core.call('scannerComplete') === 1;
  return [...lines, `${fault} at ${core.call('scannerPosition')}, ${complete ? 'complete' : 'incomplete'}`].join('\n');
}

function line(kind = '', range: string, depth: number, name: Uint8Array | undefined, length: number): string {
  const named = name ? ` ${Buffer.from(name.subarray(0, KEY_CAPACITY)).toString('hex')} of ${length}` : '';
  return `${kind} ${range} in ${depth}${named}`;
}

/** The same from the tokenizer of the tests. */
function expected(text: string, watch = MAX_DEPTH): string {
  const tokens = tokensIn(text).filter((token) => levelOf(token) <= watch && !isUnended(token, text));
  const lines = tokens.map(({ kind, start, finish, depth, name }) =>
    line(kind, `${start}-${finish}`, depth, name, name?.length ?? 0),
  );
  return [...lines, `none at ${Buffer.byteLength(text)}, complete`].join('\n');
}

/** Of the token itself: the brackets of a container stand outside of it. */
function levelOf({ kind, depth }: Token): number {
  return kind === '{' || kind === '[' ? depth - 1 : depth;
}

/** A number with nothing behind it could still go on: that it has ended, only `complete` can tell. */
function isUnended({ kind, depth, finish }: Token, text: string): boolean {
  return kind === 'number' && depth === 0 && finish === Buffer.byteLength(text);
}

test('every token has the kind, the range, the depth and the name that another tokenizer finds', () => {
  fc.assert(
    fc.property(json, (text) => {
      expect(scan([utf8(text)])).toBe(expected(text));
    }),
    { numRuns: 2000 },
  );
});

test('it does not matter where a document is cut', () => {
  fc.assert(
    fc.property(
      json.filter((text) => text.length < 300),
      (text) => {
        const whole = expected(text);
        for (const chunks of feedings(utf8(text))) expect(scan(chunks)).toBe(whole);
      },
    ),
    { numRuns: 60 },
  );
});

test('it does not matter how often a document is cut', () => {
  fc.assert(
    fc.property(json, fc.array(fc.nat(), { maxLength: 20 }), (text, places) => {
      expect(scan(cutAt(utf8(text), places))).toBe(expected(text));
    }),
    { numRuns: 500 },
  );
});

test('only what stands no deeper than is watched is told', () => {
  fc.assert(
    fc.property(json, fc.integer({ min: -1, max: 4 }), fc.array(fc.nat(), { maxLength: 3 }), (text, watch, places) => {
      expect(scan(cutAt(utf8(text), places), watch)).toBe(expected(text, watch));
    }),
    { numRuns: 500 },
  );
});

test('what is looked for is told as ever, and a fault is found where it is, however much passes untold', () => {
  let passed = 0;
  fc.assert(
    fc.property(fc.oneof(json.map(utf8), mutated(json)), fc.array(fc.nat(), { maxLength: 3 }), (bytes, places) => {
      const all = scan([bytes]).split('\n');
      const told = scan(cutAt(bytes, places), MAX_DEPTH, 'a').split('\n');
      core.clear();
      passed += all.length - told.length;
      // What is told is told as if nothing had passed, to the end.
      let at = 0;
      for (const line of told) {
        at = all.indexOf(line, at) + 1;
        expect(at, line).toBeGreaterThan(0);
      }
      expect(told.at(-1)).toBe(all.at(-1));
      const wanted = outsideOfOthers(all, '61').filter((line) => /^(?:[{}[\]]|key .* 61 of 1$)/.test(line));
      const isWanted = new Set(wanted);
      expect(told.filter((line) => isWanted.has(line))).toEqual(wanted);
    }),
    { numRuns: 3000 },
  );
  expect(passed).toBeGreaterThan(100);
});

test('a document is JSON to the scanner exactly if it is JSON to JSON.parse', () => {
  let valid = 0;
  fc.assert(
    fc.property(mutated(json), (bytes) => {
      const wanted = isJson(bytes);
      if (wanted) valid++;
      expect(core.call('readerIsJson', ...window.show(bytes)) === 1).toBe(wanted);
    }),
    { numRuns: 10_000 },
  );
  expect(valid).toBeGreaterThan(500);
  expect(valid).toBeLessThan(9500);
});

/** Lines without those of containers that are members of other names. @param name in hexadecimal digits */
function outsideOfOthers(lines: readonly string[], name: string): string[] {
  const depthOf = (line: string | undefined): number => Number(/ in (\d+)/.exec(line ?? '')?.[1]);
  const outside: string[] = [];
  /** Of the object around the container that is left out. */
  let around: number | undefined;
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1];
    const isOther = before?.startsWith('key ') === true && !before.endsWith(` ${name} of 1`);
    if (around === undefined && isOther && /^[{[]/.test(line)) around = depthOf(before);
    if (around === undefined) outside.push(line);
    else if (/^[}\]]/.test(line) && depthOf(line) === around) around = undefined;
  }
  return outside;
}

test('characters where nobody looks for them are those of UTF-8', () => {
  const tails = [[], [0x80], [0xbf], [0x7f], [0xc0], [0x80, 0x80], [0xbf, 0xbf], [0x80, 0x7f], [0xc0, 0x80]];
  const wrong: string[] = [];
  for (let lead = 0x80; lead < 0x100; lead++) {
    for (const second of [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]) {
      for (const tail of lead < 0xe0 ? tails.slice(0, 2) : tails) {
        const document = Buffer.concat([utf8('{"b":"'), Buffer.of(lead, second, ...tail), utf8('","a":1}')]);
        const ended = scan([document], MAX_DEPTH, 'a').endsWith(`none at ${document.length}, complete`);
        core.clear();
        if (ended !== isJson(document)) wrong.push(document.toString('hex'));
      }
    }
  }
  expect(wrong).toEqual([]);
});

/** All sequences of one to `most` of these parts. */
function* sequences(parts: string[], most: number, before = ''): Generator<string> {
  if (most === 0) return;
  for (const part of parts) {
    yield before + part;
    yield* sequences(parts, most - 1, before + part);
  }
}

test.each([
  { kind: 'number', parts: ['0', '1', '-', '+', '.', 'e'], most: 5, quote: '' },
  { kind: 'structure', parts: ['{', '}', '[', ']', ',', ':', '""', '1'], most: 5, quote: '' },
  { kind: 'escape', parts: ['\\', 'u', '00', 'F', 'g'], most: 5, quote: '"' },
])('of all short texts that look like a $kind, those are JSON that are JSON to JSON.parse', (texts) => {
  const wrong: string[] = [];
  for (const sequence of sequences(texts.parts, texts.most)) {
    const bytes = utf8(`${texts.quote}${sequence}${texts.quote}`);
    if ((core.call('readerIsJson', ...window.show(bytes)) === 1) !== isJson(bytes)) wrong.push(sequence);
  }
  expect(wrong).toEqual([]);
});

test.each([
  { kind: 'number', parts: ['0', '1', '-', '+', '.', 'e'], most: 5 },
  { kind: 'structure', parts: ['{', '}', '[', ']', ',', ':', '""', '1'], most: 4 },
  { kind: 'word', parts: ['true', 'false', 'nul', 'l', 'e', '1', ' '], most: 3 },
])('it is the same for those that look like a $kind where nobody looks for them', ({ parts, most }) => {
  const wrong: string[] = [];
  for (const sequence of sequences(parts, most)) {
    for (const document of [`{"b":${sequence},"a":1}`, `{"b":[${sequence}],"a":1}`, `{"b":{"c":${sequence}},"a":1}`]) {
      const ended = scan([utf8(document)], MAX_DEPTH, 'a').endsWith(`none at ${document.length}, complete`);
      core.clear();
      if (ended !== isJson(utf8(document))) wrong.push(document);
    }
  }
  expect(wrong).toEqual([]);
});

test.each([
  { kind: 'number', parts: ['0', '1', '-', '+', '.', 'e'], most: 5, quote: '' },
  { kind: 'structure', parts: ['{', '}', '[', ']', ',', ':', '""', '1'], most: 4, quote: '' },
  { kind: 'word', parts: ['true', 'false', 'nul', 'l', 'e', '1', ' '], most: 3, quote: '' },
  { kind: 'escape', parts: ['\\', 'u', '00', 'F', 'g', '"'], most: 5, quote: '"' },
])('it is the same for those that look like a $kind within the blocks that are read at once', (texts) => {
  const wrong: string[] = [];
  for (const sequence of sequences(texts.parts, texts.most)) {
    // As a member, an element, and across the end of a block.
    const value = `${texts.quote}${sequence}${texts.quote}`;
    const rest = `"${'b'.repeat(64)}"`;
    for (const document of [
      `{"a":${value},"b":${rest}}`,
      `[ [${value}\n, ${rest}]]`,
      `["${'a'.repeat(57 - (sequence.length % 3))}", ${value},${rest}]`,
    ]) {
      const bytes = utf8(document);
      if ((core.call('readerIsJson', ...window.show(bytes)) === 1) !== isJson(bytes)) wrong.push(document);
    }
  }
  expect(wrong).toEqual([]);
});

test('two bytes within a block are refused that TextDecoder or JSON.parse refuses, in a string and outside', () => {
  const wrong: string[] = [];
  for (const [before, behind] of [
    ['["é', `${'b'.repeat(80)}"]`],
    ['[1', `${' '.repeat(80)}]`],
  ] as const) {
    const document = utf8(`${before}..${behind}`);
    const place = utf8(before).length;
    for (let first = 0; first < 256; first++) {
      for (const second of EDGES) {
        document[place] = first;
        document[place + 1] = second;
        const told = core.call('readerIsJson', ...window.show(document)) === 1;
        if (told !== isJson(document)) wrong.push(Buffer.from(document).toString('hex'));
      }
    }
  }
  expect(wrong).toEqual([]);
});

test('512 levels that open and close within a few blocks are followed', () => {
  for (const levels of [40, 56, 57, 64, 65, 300, MAX_DEPTH]) {
    for (const [open, close] of [
      ['[', ']'],
      ['{"":', '}'],
    ] as const) {
      const text = `${open.repeat(levels)}[]${close.repeat(levels)}`;
      const isAdmitted = levels < MAX_DEPTH;
      const bytes = utf8(text);
      expect(core.call('readerIsJson', ...window.show(bytes)) === 1).toBe(isAdmitted);
      bytes[bytes.length - 3] = utf8(close === ']' ? '}' : ']')[0] ?? 0;
      expect(core.call('readerIsJson', ...window.show(bytes))).toBe(0);
    }
  }
});

test('a fault is found at the first byte that no document could have there, wherever it is cut', () => {
  fc.assert(
    fc.property(mutated(json.filter((text) => text.length < 200)), (bytes) => {
      const whole = scan([bytes]);
      for (const chunks of feedings(bytes)) expect(scan(chunks)).toBe(whole);
      const [, fault = '', position = ''] = /(\w+) at (\d+), \w+$/.exec(whole) ?? [];
      if (fault === 'none') return;
      expect(scan([bytes.subarray(0, Number(position))])).toContain(`none at ${position},`);
      expect(scan([bytes.subarray(0, Number(position) + 1)])).toBe(whole);
    }),
    { numRuns: 60 },
  );
});

test('bytes that are no text never trap', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, places) => {
      expect(scan(cutAt(bytes, places))).toBe(scan([bytes]));
      expect(core.call('readerIsJson', ...window.show(bytes)) === 1).toBe(isJson(bytes));
    }),
    { numRuns: 1000 },
  );
});

/** Those at the edges of what RFC 3629 §4 and RFC 8259 §7 allow. */
// prettier-ignore
const EDGES = [
  0x00, 0x1f, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
  0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
];
const ALL = Array.from({ length: 256 }, (_, byte) => byte);

test.each([
  { bytes: 'one or two bytes', places: [ALL, ALL] },
  { bytes: 'three bytes', places: [EDGES, EDGES, EDGES] },
  { bytes: 'four bytes', places: [[0xf0, 0xf1, 0xf3, 0xf4, 0xf5], EDGES, EDGES, [0x22, 0x7f, 0x80, 0xbf, 0xc0]] },
])('of $bytes inside a string, those are refused that TextDecoder or JSON.parse refuses', ({ places }) => {
  const document = utf8(`["${'.'.repeat(places.length)}"]`);
  const [pointer, length] = window.show(document);
  const wrong: string[] = [];
  const tryAll = (at: number): void => {
    if (at === places.length) {
      core.memory.set(document, pointer);
      if ((core.call('readerIsJson', pointer, length) === 1) !== isJson(document)) {
        wrong.push(Buffer.from(document).toString('hex'));
      }
      return;
    }
    for (const byte of places[at] ?? []) {
      document[2 + at] = byte;
      tryAll(at + 1);
    }
  };
  tryAll(0);
  expect(wrong).toEqual([]);
});

test('each bad byte is found at each place of the blocks that are read at once', () => {
  for (let length = 0; length < 70; length++) {
    for (const bad of [0x00, 0x1f, 0x80, 0xff]) {
      const text = utf8(`"${'a'.repeat(length)}?${'b'.repeat(70 - length)}"`);
      text[length + 1] = bad;
      expect(scan([text])).toBe(`${bad < 0x20 ? 'syntax' : 'utf8'} at ${length + 1}, incomplete`);
    }
  }
});

test.each([
  ['a byte order mark', '\ufeff{}', 'syntax at 0, incomplete'],
  ['nothing', '', 'none at 0, incomplete'],
  ['white space alone', ' \n', 'none at 2, incomplete'],
  ['white space that is none to JSON', '\f1', 'syntax at 0, incomplete'],
  ['a number that nothing follows', '-0', 'none at 2, complete'],
  ['a number that has not ended', '1e', 'none at 2, incomplete'],
  ['two documents', '{}{}', '{ 0-1 in 1\n} 1-2 in 0\nsyntax at 2, incomplete'],
  ['a zero that goes on', '01', 'number 0-1 in 0\nsyntax at 1, incomplete'],
  ['a bracket of the other kind', '[}', '[ 0-1 in 1\nsyntax at 1, incomplete'],
  ['a comma before the end', '[1,]', '[ 0-1 in 1\nnumber 1-2 in 1\nsyntax at 3, incomplete'],
  ['a closing bracket alone', ']', 'syntax at 0, incomplete'],
  ['a word cut short', 'nul', 'none at 3, incomplete'],
  ['a word with another ending', 'nulL', 'syntax at 3, incomplete'],
])('%s', (_, text, told) => {
  for (const chunks of feedings(utf8(text))) expect(scan(chunks)).toBe(told);
});

test('512 levels are read, one more is refused where it begins', () => {
  const deepest = nested(MAX_DEPTH);
  expect(scan([utf8(deepest)])).toBe(expected(deepest));
  expect(scan([...utf8(deepest)].map((byte) => Uint8Array.of(byte)))).toBe(expected(deepest));

  const deeper = nested(MAX_DEPTH + 1);
  const last = tokensIn(deeper).findLast(({ kind }) => kind === '{' || kind === '[')?.start ?? 0;
  expect(scan([utf8(deeper)], -1)).toBe(`depth at ${last}, incomplete`);
});

test('a hundred thousand levels are refused, not followed', () => {
  for (const text of ['['.repeat(1e5), '{"a":'.repeat(1e5)]) {
    const bytes = utf8(text);
    expect(core.call('readerIsJson', ...core.span(bytes))).toBe(0);
    core.call('scannerOpen', 0);
    core.call('scannerFeed', ...core.span(bytes));
    while (core.call('scannerNext') > INVALID);
    expect(FAULTS[core.call('scannerFault')]).toBe('depth');
    core.clear();
  }
});
