// Answers of servers are read as Node's own parser reads them, which is as strict as Envoy's or stricter.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Answer, type Read, readByEngine, readByNode } from './read-by-node.ts';

const maxHeaderBytes = 1000;

function answer(bytes: string, method = 'POST', cuts: readonly number[] = []): Answer {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const parts = [0, ...places].map((from, index) => bytes.slice(from, places[index]));
  return { method, parts, maxHeaderBytes };
}

function bytesOf(text: string): string[] {
  return Array.from({ length: text.length }, (_, at) => text.charAt(at));
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;

const whole: Readonly<Record<string, readonly [bytes: string, body: string]>> = {
  'a length': [`${ok}content-length: 2\r\n\r\n{}`, '{}'],
  'no length': [`${ok}\r\n{}`, '{}'],
  'no reason': ['HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n{}', '{}'],
  'HTTP/1.0': ['HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}', '{}'],
  chunks: [`${chunked}1\r\n{\r\nA\r\n0123456789\r\n0\r\n\r\n`, '{0123456789'],
  'chunks with extensions': [`${chunked}2;a;b=c;d="e\\" f"\r\n{}\r\n0;g\r\n\r\n`, '{}'],
  'an answer behind informational ones': [
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: a\r\n\r\n${ok}content-length: 2\r\n\r\n{}`,
    '{}',
  ],
  'empty lines before it': [`\r\n\r\n${ok}content-length: 2\r\n\r\n{}`, '{}'],
  'bytes behind it': [`${ok}content-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n`, '{}'],
  'another protocol': ['HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: a\r\n\r\nbytes', ''],
};

describe('read is', () => {
  it.each(Object.entries(whole))('%s', (_, [bytes, body]) => {
    expect(readByEngine(answer(bytes))).toMatchObject({ body });
  });

  test('headers and trailers with all their bytes', () => {
    const bytes = `${ok}Transfer-Encoding: chunked\r\nSet-Cookie:a\r\nset-cookie: \t\xe9 b\t \r\n\r\n0\r\nA: b\r\nc:\r\n\r\n`;
    expect(readByEngine(answer(bytes))).toEqual({
      status: 200,
      headers: [':status', '200', 'transfer-encoding', 'chunked', 'set-cookie', 'a', 'set-cookie', '\xe9 b'],
      body: '',
      trailers: ['a', 'b', 'c', ''],
    });
  });

  it.each([
    ['HEAD', `${ok}content-length: 2\r\n\r\n`],
    ['POST', 'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n'],
    ['POST', 'HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n'],
  ])('no body of an answer that has none: %s', (method, bytes) => {
    expect(readByEngine(answer(bytes, method))).toMatchObject({ body: '' });
  });
});

const malformed: Readonly<Record<string, string>> = {
  'another protocol': 'SSH-2.0-OpenSSH\r\n',
  'no status line': 'HTTP/1.1 OK\r\n',
  'another version': 'HTTP/1.2 200 OK\r\n\r\n',
  'a status below 100': 'HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n',
  'an answer behind an informational one that ends the connection': `HTTP/1.0 100 Continue\r\n\r\n${ok}\r\n`,
  'lines without CR': 'HTTP/1.1 200 OK\ncontent-length: 2\n\n{}',
  'a line without CR among the others': `${ok}a: b\nc: d\r\n`,
  'a CR within a line': `${ok}a: b\rc\r\n`,
  'a header that goes on in the next line': `${ok}a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}`,
  'a space before the colon': `${ok}content-length : 2\r\n\r\n{}`,
  'a header without a name': `${ok}: a\r\n\r\n`,
  'a line that is no header': `${ok}a\r\n\r\n`,
  'NUL in a header': `${ok}a: \0\r\n\r\n`,
  'DEL in a header': `${ok}a: \x7f\r\n\r\n`,
  'a name that is no token': `${ok}a(: b\r\n\r\n`,
  'two lengths': `${ok}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
  'a length twice': `${ok}content-length: 2\r\ncontent-length: 2\r\n\r\n{}`,
  'a list of lengths': `${ok}content-length: 2, 2\r\n\r\n{}`,
  'a length with a sign': `${ok}content-length: +2\r\n\r\n{}`,
  'a length of nothing': `${ok}content-length: \r\n\r\n`,
  'a length above all that can be counted': `${ok}content-length: 18446744073709551616\r\n\r\n`,
  'a length and chunks': `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  'chunks and a length': `${ok}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  'another coding': `${ok}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  'chunks twice': `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a size that is none': `${chunked}x`,
  'a size with a prefix': `${chunked}0x2\r\n`,
  'a size above all that can be counted': `${chunked}fffffffffffffffff\r\n`,
  'a space behind a size': `${chunked}2 \r\n{}\r\n0\r\n\r\n`,
  'an extension without a name': `${chunked}2;\r\n{}\r\n0\r\n\r\n`,
  'a size line without CR': `${chunked}2\n{}`,
  'a chunk that is longer than its size': `${chunked}2\r\n{}}\r\n`,
  'a trailer that goes on in the next line': `${chunked}0\r\na: b\r\n c\r\n\r\n`,
  'more bytes of headers than may be': `${ok}a: ${'x'.repeat(maxHeaderBytes)}\r\n\r\n`,
  'a head that does not end': `${ok}${'a: b\r\n'.repeat(1000)}`,
  'more headers than may be': `${ok}${'a: b\r\n'.repeat(101)}\r\n`,
  'more bytes of trailers than may be': `${chunked}0\r\na: ${'x'.repeat(maxHeaderBytes)}\r\n\r\n`,
  'a size line that does not end': `${chunked}2;a="${'x'.repeat(20_000)}`,
};

describe('refused is', () => {
  it.each(Object.entries(malformed))('%s', (_, bytes) => {
    expect(readByEngine(answer(bytes))).toBe('malformed');
    expect(readByEngine({ ...answer(bytes), parts: bytesOf(bytes) })).toBe('malformed');
  });
});

const cut: readonly string[] = [
  '',
  'HTT',
  ok,
  `${ok}content-length: 3\r\n\r\n{}`,
  `${chunked}2\r\n{}`,
  `${chunked}0\r\n`,
];

it.each(cut)('tells an answer that has no end: %j', (bytes) => {
  expect(readByEngine(answer(bytes))).toBe('cut');
});

const lines = fc.constantFrom(
  ...['content-length: 2', 'content-length:2 ', 'content-length: 3', 'content-length: 0', 'Content-Length: 02'],
  ...['content-length: -2', 'content-length: ', 'content-length:\t2', 'content-length: 2\t'],
  ...['transfer-encoding: chunked', 'Transfer-Encoding: CHUNKED', 'transfer-encoding: identity', 'transfer-encoding: '],
  ...[
    'connection: close',
    'connection: keep-alive',
    'upgrade: h2c',
    'a: b',
    'a:',
    'a: \xe9',
    'a: \x01',
    'a : b',
    ' a: b',
    'a',
  ],
  ...['set-cookie: a; b', 'x!#$%&: "y"', 'x"y: z', ': z', 'a: b\r', 'a: b\nc: d', `a: ${'x'.repeat(600)}`],
);
const starts = fc.constantFrom(
  ...['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK', 'HTTP/1.1 200 OK', 'HTTP/1.0 200 OK', 'HTTP/1.1 404', 'HTTP/1.1 500 \xe9'],
  ...[
    'HTTP/1.1 204 No',
    'HTTP/1.1 304 No',
    'HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 101 S',
    '\r\nHTTP/1.1 200 OK',
  ],
  ...[
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/2.0 200 OK',
    'HTTP/3.0 200 OK',
    'http/1.1 200 OK',
    '',
    'HTTP/1.1 200\tOK',
  ],
);
const bodies = fc.constantFrom(
  ...['{}', '{}', '', '{', '2\r\n{}\r\n0\r\n\r\n', '2\r\n{}\r\n0\r\n\r\n', '02\r\n{}\r\n00\r\na: b\r\n\r\n'],
  ...['2;x\r\n{}\r\n0\r\n\r\n', '2;x=y;z="a b"\r\n{}\r\n0\r\n\r\n', '2 \r\n{}\r\n0\r\n\r\n', '2;\r\n{}\r\n0\r\n\r\n'],
  ...['2\n{}\r\n0\r\n\r\n', '2\r\n{}0\r\n\r\n', '2\r\n{}\r\n0\r\na : b\r\n\r\n', '2\r\n{}\r\n0\r\n', 'g\r\n', '{}{}'],
);
const answers = fc
  .record({
    start: starts,
    lines: fc.array(lines, { maxLength: 4 }),
    body: bodies,
    flipped: fc.option(
      fc.record({ at: fc.nat(), to: fc.constantFrom('\r', '\n', '\0', ' ', '\t', ':', 'a', '0', '\x7f') }),
      {
        freq: 2,
      },
    ),
    method: fc.constantFrom('POST', 'POST', 'HEAD'),
    cuts: fc.array(fc.nat(), { maxLength: 6 }),
  })
  .map(({ start, lines: all, body, flipped, method, cuts }) => {
    const bytes = [start, ...all, '', body].join('\r\n');
    const at = flipped === null ? 0 : flipped.at % bytes.length;
    return answer(flipped === null ? bytes : `${bytes.slice(0, at)}${flipped.to}${bytes.slice(at + 1)}`, method, cuts);
  });

/** Bytes behind the end are what Node refuses, and what Envoy does not read. */
function hasMore(given: Answer, read: Read): boolean {
  const shorter = given.parts.join('').slice(0, -1);
  return JSON.stringify(readByEngine({ ...given, parts: [shorter] })) === JSON.stringify(read);
}

/** Where the two are to differ. */
function mayDiffer(given: Answer, read: Read, byNode: Read): boolean {
  // Headers and trailers are judged once they are whole: what ends before is refused as well.
  if (byNode === 'malformed') return read === 'cut' || (typeof read !== 'string' && hasMore(given, read));
  return read === 'malformed' && given.parts.join('').includes('\r\r'); // Node takes CR CR for the end of a first line
}

test('what Node reads is read, and what it refuses is refused', async () => {
  await fc.assert(
    fc.asyncProperty(answers, async (given) => {
      const read = readByEngine(given);
      const byNode = await readByNode(given);
      if (!mayDiffer(given, read, byNode)) expect(read).toEqual(byNode);
    }),
    { numRuns: 2000, seed: 1 },
  );
});

test('the parts in which an answer comes change nothing', () => {
  fc.assert(
    fc.property(answers, (given) => {
      const all = { ...given, parts: [given.parts.join('')] };
      expect(readByEngine({ ...given, parts: bytesOf(given.parts.join('')) })).toEqual(readByEngine(all));
      expect(readByEngine(given)).toEqual(readByEngine(all));
    }),
    { numRuns: 2000 },
  );
});
