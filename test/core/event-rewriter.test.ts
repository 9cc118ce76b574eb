import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutAt, feedings, Window } from './chunks.ts';
import { instance } from './core.ts';
import { dataOfEvents, eventStream, fieldIn } from './event-streams.ts';

const LARGE = 1 << 20;

const core = instance();
const window = new Window(core, 1 << 18);

interface Rewriting {
  /** What stands in the data, and what comes in its place. */
  wanted: string;
  text: string;
  /** Bytes of an event that are kept. */
  most?: number;
  mode?: 'rewriterEditsInTwo' | 'rewriterEditsWrongly';
}

function open({ wanted, text, most = LARGE, mode }: Rewriting): void {
  core.call('rewriterOpen', ...core.span(wanted), ...core.span(text), most);
  if (mode) core.call(mode);
}

/** What goes on of each chunk, and at the end. */
function parts(chunks: Iterable<Uint8Array>, rewriting: Rewriting): string[] {
  const out: Buffer[] = [];
  open(rewriting);
  for (const chunk of chunks) out.push(Buffer.from(core.bytes('rewriterWrite', ...window.show(chunk)) ?? []));
  out.push(Buffer.from(core.bytes('rewriterEnd') ?? []));
  core.clear();
  return out.map((part) => part.toString('latin1'));
}

function rewrite(chunks: Iterable<Uint8Array>, rewriting: Rewriting): string {
  return Buffer.from(parts(chunks, rewriting).join(''), 'latin1').toString();
}

/** The same, found line by line, for a text that stands in one line. */
function expected(stream: string, { wanted, text }: Rewriting): string {
  const [, mark = '', lines = ''] = /^(\ufeff?)([^]*)$/.exec(stream) ?? [];
  const rewritten = lines.split(/(\r\n|\r|\n)/).map((line, i, all) => {
    // A name alone that no end of a line follows is none yet.
    const isLine = i % 2 === 0 && (line.includes(':') || i + 1 < all.length);
    const { name, value } = fieldIn(line);
    if (!isLine || name !== 'data' || !value.includes(wanted)) return line;
    const before = value.startsWith(wanted) ? 'data: ' : line.slice(0, line.length - value.length);
    return before + value.replaceAll(wanted, () => text);
  });
  return mark + rewritten.join('');
}

describe.each<[string, string, string, string]>([
  ['data', 'data: {"id":"a"}\n\n', 'a', 'data: {"id":"long"}\n\n'],
  ['data at both ends', 'data: a b a\n\n', 'a', 'data: long b long\n\n'],
  ['several events', 'data: a\n\ndata: b\n\ndata: a\n\n', 'a', 'data: long\n\ndata: b\n\ndata: long\n\n'],
  [
    'all else as it was',
    ': a\rid:a\r\ndata:[a]\nevent: a\r\n\n: a\n',
    'a',
    ': a\rid:a\r\ndata:[long]\nevent: a\r\n\n: a\n',
  ],
  ['data without a space before them', 'data:a\r\n\r\n', 'a', 'data: long\r\n\r\n'],
  ['data with two', 'data:  a\r\r', 'a', 'data:  long\r\r'],
  ['two lines of data', 'data: a\nid: 1\ndata:a\n\n', 'a', 'data: long\nid: 1\ndata: long\n\n'],
  ['what two lines share', 'data: {"a"\r\nid: 1\r\ndata::1}\r\n\r\n', '"\n:', 'data: {"along1}\r\n\r\n'],
  ['what three lines share', 'data: xb\ndata\ndata: by\n\n', 'b\n\nb', 'data: xlongy\n\n'],
  ['a whole line', 'data: b\ndata:a\ndata: b\n\n', '\na\n', 'data: blongb\n\n'],
  ['the end of a line of data', 'data: b\ndata:c\n\n', 'b\n', 'data: longc\n\n'],
  ['a beginning that is a name alone', 'data\ndata: c\n\n', '\nc', 'data: long\n\n'],
  ['the end of a name alone', 'data: b\ndata\n\n', 'b\n', 'data: long\n\n'],
  ['an event whose blank line is missing', 'data: a\n', 'a', 'data: long\n'],
  ['a line that has not ended', 'data: b\n\ndata: {"a', 'a', 'data: b\n\ndata: {"long'],
  ['no other field', 'datum: a\nData: a\n data: a\n\n', 'a', 'datum: a\nData: a\n data: a\n\n'],
  ['behind a byte order mark', '\ufeffdata: a\n\n', 'a', '\ufeffdata: long\n\n'],
])('an edit rewrites %s', (_, stream, wanted, result) => {
  test('cut anywhere', () => {
    for (const chunks of feedings(Buffer.from(stream))) {
      expect(rewrite(chunks, { wanted, text: 'long' })).toBe(result);
    }
  });

  test('by two edits side by side', () => {
    for (const chunks of feedings(Buffer.from(stream))) {
      expect(rewrite(chunks, { wanted, text: 'long', mode: 'rewriterEditsInTwo' })).toBe(result);
    }
  });
});

test('without an edit, the stream is the very bytes, and those of a whole event are not copied', () => {
  open({ wanted: 'nowhere', text: '' });
  const stream = Buffer.from('id: 1\r\ndata: {"a":1}\r\rdata:b\ndata: c\n\n: ping\n');
  expect(core.call('rewriterReturnsChunk', ...window.show(stream))).toBe(1);
  fc.assert(
    fc.property(eventStream, fc.array(fc.nat(), { maxLength: 20 }), (stream, places) => {
      expect(rewrite(cutAt(Buffer.from(stream), places), { wanted: 'nowhere', text: '' })).toBe(stream);
    }),
  );
});

test('what does not belong to the data of an event goes on at once', () => {
  const chunks = [': ping\n', 'id: 1\nda', 'ta: ', '{"a":', '1}\n', '\n', ': ping\n'].map((chunk) =>
    Buffer.from(chunk),
  );
  expect(parts(chunks, { wanted: '1', text: '2' })).toEqual([
    ': ping\n',
    'id: 1\nda',
    'ta: ',
    '',
    '',
    '{"a":2}\n\n',
    ': ping\n',
    '',
  ]);
});

test('an event is complete with the first byte of its blank line', () => {
  const chunks = ['data: a\r\n\r', '\ndata: a\r\r', '\n'].map((chunk) => Buffer.from(chunk));
  expect(parts(chunks, { wanted: 'a', text: 'b' })).toEqual(['data: b\r\n\r', '\ndata: b\r\r', '\n', '']);
});

test('an end of a line in a new text does not end the field', () => {
  const text = '{\r\n"x":\n1}\n\nevent: x\r';
  expect(rewrite([Buffer.from('data: a\n\n')], { wanted: 'a', text })).toBe('data: {  "x": 1}  event: x \n\n');
});

test('a new text that begins with a space keeps it', () => {
  for (const separator of [':', ': ']) {
    const stream = rewrite([Buffer.from(`data${separator}a\n\n`)], { wanted: 'a', text: ' b' });
    expect(dataOfEvents(stream)).toEqual([' b']);
  }
});

test('edits that overlap, or that leave the data, are not taken', () => {
  const rewriting: Rewriting = { wanted: 'a', text: 'b', mode: 'rewriterEditsWrongly' };
  expect(rewrite([Buffer.from('data: xaxa\n\n')], rewriting)).toBe('data: xbxb\n\n');
});

test('wherever a stream is cut, its data are edited, and nothing else is', () => {
  let edited = 0;
  const wanted = fc.constantFrom('x', ':', '"', 'data', '  ', '{}', ',', 'a:b');
  fc.assert(
    fc.property(eventStream, wanted, fc.array(fc.nat(), { maxLength: 20 }), (stream, wanted, places) => {
      const rewriting = { wanted, text: '<new>' };
      const result = expected(stream, rewriting);
      if (result !== stream) edited++;
      expect(rewrite(cutAt(Buffer.from(stream), places), rewriting)).toBe(result);
    }),
    { numRuns: 3000 },
  );
  expect(edited).toBeGreaterThan(500);
});

test('a reader of the new stream finds the edited data, also where an edit joins lines', () => {
  let joined = 0;
  const wanted = fc.constantFrom('x\n', '\nx', '\n', '\n\n', 'x\nx', '\n:', '\ndata');
  const text = fc.constantFrom('', ' ', '-', ': ', 'data: ');
  const mode = fc.constantFrom(undefined, 'rewriterEditsInTwo' as const);
  const value = fc.constantFrom('', ':', ': ', ':x', ': x', ':  x', ':x:', ': data');
  const event = fc
    .array(fc.tuple(value, fc.constantFrom('\n', '\r\n', '\r')), { minLength: 1, maxLength: 5 })
    .map((lines) => lines.map(([value, end]) => `data${value}${end}`).join('') + '\n\n');
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 3 }).map((events) => events.join('')),
      fc.record({ wanted, text, mode }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (stream, { wanted, text, mode }, places) => {
        const before = dataOfEvents(stream);
        const after = before.map((data) => data.replaceAll(wanted, text)).filter((data) => data !== '');
        if (before.join('|') !== after.join('|')) joined++;
        const rewriting: Rewriting = { wanted, text, ...(mode && { mode }) };
        expect(dataOfEvents(rewrite(cutAt(Buffer.from(stream), places), rewriting))).toEqual(after);
      },
    ),
    { numRuns: 3000 },
  );
  expect(joined).toBeGreaterThan(500);
});

describe('an event that is larger than the bound', () => {
  const most = 32 + 16;
  const small = `data: a${'.'.repeat(29)}\n\n`;
  const large = `data: a${'.'.repeat(30)}\n\n`;
  const lines = `${'data: a\n'.repeat(3)}\n`;
  const others = `data: a\nid: ${'1'.repeat(30)}\n\n`;

  test.each([
    ['one line', large],
    ['many lines', lines],
    ['another field behind the data', others],
  ])('passes as it is, and is counted (%s)', (_, event) => {
    const stream = small + event + small;
    for (const chunks of feedings(Buffer.from(stream))) {
      const edited = small.replace('a.', 'b.');
      expect(rewrite(chunks, { wanted: 'a', text: 'b', most })).toBe(edited + event + edited);
      expect(core.call('rewriterUnedited')).toBe(1);
    }
  });

  test('is not kept, however long it goes on', () => {
    for (const part of ['x', 'x\ndata: ', '\n', 'x\n: ', 'x\nx']) {
      open({ wanted: 'a', text: 'b', most: 1 << 14 });
      const chunk = Buffer.from(part.repeat(1 << 12));
      core.bytes('rewriterWrite', ...window.show(Buffer.from('data: ')));
      for (let i = 0; i < 50; i++) core.bytes('rewriterWrite', ...window.show(chunk));
      expect(core.call('rewriterHeld')).toBeLessThan(5 << 14);
    }
  });

  test('costs as much memory as one, however many there are', () => {
    open({ wanted: 'a', text: 'b', most: 1 << 14 });
    const chunk = Buffer.from(`${'x'.repeat(9000)}\n\ndata: `);
    for (let i = 0; i < 50; i++) core.bytes('rewriterWrite', ...window.show(chunk));
    expect(core.call('rewriterHeld')).toBeLessThan(5 << 14);
    expect(core.call('rewriterUnedited')).toBe(0);
  });
});

test('no byte traps it', () => {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x0a, 0x0d, 0x3a, 0x20));
  const piece = fc.oneof(fc.constant([...Buffer.from('data:')]), fc.array(byte, { maxLength: 6 }));
  const bytes = fc.array(piece, { maxLength: 20 }).map((pieces) => Uint8Array.from(pieces.flat()));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 5 }), fc.nat(40), (stream, places, most) => {
      const rewriting = { wanted: 'data', text: '\n', most };
      expect(parts(cutAt(stream, places), rewriting).join('')).toBe(parts([stream], rewriting).join(''));
    }),
  );
});
