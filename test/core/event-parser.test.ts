import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutAt, feedings } from './chunks.ts';
import { instance } from './core.ts';
import { FieldReader, fieldsOf } from './event-fields.ts';
import { eventStream } from './event-streams.ts';

const core = instance();
const reader = new FieldReader(core);
const parse = (chunks: Iterable<Uint8Array>): string[] => reader.read(chunks);

test.each<[string, string, string[]]>([
  ['an event', 'data: a\n\n', ['data: |a', 'end']],
  ['line ends of all kinds', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['a', 'b', 'c'].flatMap(event)],
  ['line ends of two kinds in a row', 'data: a\n\rdata: b\r\n\n', ['a', 'b'].flatMap(event)],
  ['every field', 'event: e\nid: 7\nretry: 1\nx: y\n\n', ['event: |e', 'id: |7', 'retry: |1', 'other: |y', 'end']],
  ['comments', ': ping\n:\n\n', ['comment: |ping', 'comment:|', 'end']],
  ['a name alone', 'data\nid\n\n', ['data|', 'id|', 'end']],
  ['several lines of data', 'data: {\ndata:  1\n\n', ['data: |{', 'data: | 1', 'end']],
  [
    'names that are nearly one',
    'Data: a\n data: b\ndata : c\ndatum: d\n',
    ['a', 'b', 'c', 'd'].map((v) => `other: |${v}`),
  ],
  ['a colon in a value', 'data:a: b\n', ['data:|a: b']],
  ['a byte order mark', '\ufeffdata: a\n', ['data: |a']],
  ['a byte order mark before a blank line', '\ufeff\ndata: a\n', ['end', 'data: |a']],
  ['a byte order mark before an end of two bytes', '\ufeff\r\n: a\n', ['end', 'comment: |a']],
  ['a second byte order mark', '\ufeff\ufeffdata: a\n', ['other: |a']],
  ['a byte order mark later', 'data: a\n\ufeffdata: b\n', ['data: |a', 'other: |b']],
  ['a line that has not ended', 'data: a\ndata: b', ['data: |a']],
  ['blank lines alone', '\n\r\n\r', ['end', 'end', 'end']],
  ['nothing', '', []],
])('%s, cut anywhere', (_, stream, wanted) => {
  for (const chunks of feedings(Buffer.from(stream))) expect(parse(chunks)).toEqual(wanted);
});

function event(data: string): string[] {
  return [`data: |${data}`, 'end'];
}

test('half a byte order mark is the beginning of a name', () => {
  const stream = Buffer.concat([Buffer.of(0xef, 0xbb), Buffer.from('data: a\n')]);
  for (const chunks of feedings(stream)) expect(parse(chunks)).toEqual(['other: |a']);
});

test('a value may be of any length', () => {
  for (let length = 0; length < 70; length++) {
    expect(parse([Buffer.from(`data: ${'x'.repeat(length)}\r\n\r\n`)])).toEqual(event('x'.repeat(length)));
  }
});

test('the fields of a stream are those that another reader finds, wherever it is cut', () => {
  let fields = 0;
  fc.assert(
    fc.property(eventStream, fc.array(fc.nat(), { maxLength: 20 }), (stream, places) => {
      const wanted = fieldsOf(stream);
      fields += wanted.length;
      expect(parse(cutAt(Buffer.from(stream), places))).toEqual(wanted);
    }),
    { numRuns: 2000 },
  );
  expect(fields).toBeGreaterThan(5000);
});

test('no byte traps it', () => {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x0a, 0x0d, 0x3a, 0x20, 0xef, 0xbb, 0xbf));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 100 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, places) => {
      const stream = Uint8Array.from(bytes);
      expect(parse(cutAt(stream, places))).toEqual(parse([stream]));
    }),
  );
});
