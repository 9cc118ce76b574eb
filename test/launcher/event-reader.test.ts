import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventReader } from '../../common/event-reader.ts';

const read = (parts: readonly Buffer[]) => {
  const reader = new EventReader();
  return parts.flatMap((part) => reader.read(part)).map(({ type, data }) => `${type}|${data}`);
};
const cuts = (bytes: Buffer): Buffer[][] =>
  Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
const singly = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte));

test.each<[string, string, string[]]>([
  ['an event', 'data: a\n\n', ['message|a']],
  ['a type', 'event: endpoint\ndata: /x\n\ndata: b\n\n', ['endpoint|/x', 'message|b']],
  ['line ends of all kinds', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['message|a', 'message|b', 'message|c']],
  ['several lines of data', 'data: {\ndata:  1\ndata\n\n', ['message|{\n 1\n']],
  ['no data', ': ping\n\nid: 1\n\nevent: x\n\ndata: a\n\n', ['message|a']],
  ['a byte order mark', '\ufeffdata: ü€😀\n\n', ['message|ü€😀']],
  ['names that are nearly one', 'Data: a\n data: b\ndatum: c\n\n', []],
  ['an event that has not ended', 'data: a\n\ndata: b\n', ['message|a']],
])('%s, cut anywhere', (_, stream, wanted) => {
  const bytes = Buffer.from(stream);
  for (const parts of [...cuts(bytes), singly(bytes)]) expect(read(parts)).toEqual(wanted);
});

test('in how many parts a stream comes makes no difference', () => {
  const line = fc.oneof(
    fc.string(),
    fc.string().map((text) => `data:${text}`),
    fc.constantFrom('', 'event: x'),
  );
  const stream = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')));
  fc.assert(
    fc.property(stream, (lines) => {
      const bytes = Buffer.from(lines.flat().join(''));
      expect(read(singly(bytes))).toEqual(read([bytes]));
    }),
  );
});

test('a megabyte of lines in parts of one byte is one event', () => {
  const lines = 175_000;
  expect(read(singly(Buffer.from(`${'data:\n'.repeat(lines)}\n`)))).toEqual([`message|${'\n'.repeat(lines - 1)}`]);
});
