import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instance, NONE } from './core.ts';

const core = instance();

function isWhole(type: 'json' | 'events', parts: readonly (string | Buffer)[], id?: string): boolean {
  core.call('passingOpen', Number(type === 'events'), ...(id === undefined ? NONE : core.span(id)));
  for (const part of parts) core.call('passingRead', ...core.span(part));
  const whole = core.call('passingIsWhole') === 1;
  core.clear();
  return whole;
}

const result = '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a \\"}\\" b"}]}}';
const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"result":1,"error":{}}}';

describe.each([
  ['a result', result],
  ['an error', '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"m"}}'],
  ['a result before the id', '{"result":{"a":[1,{"id":2}]},"jsonrpc":"2.0","id":1}'],
  ['an id in other words', '{"id":1.0e0,"result":{}}'],
  ['no id', '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}}'],
  ['white space around', ' \r\n {"id" : 1 , "\\u0072esult" : {} } \n'],
  ['a batch', `[${result}]`],
])('an answer with %s', (_, text) => {
  test('is whole in a document', () => {
    expect(isWhole('json', [text], '1')).toBe(true);
  });

  test.each(['\n', '\r\n', '\r'])('is whole in an event, lines ending with %j', (end) => {
    const lines = text.replaceAll(/[\r\n]/g, ' ');
    const stream = ['id: 1', 'data:', '', `data: ${progress}`, '', ': x', `data:${lines}`, '', ''].join(end);
    expect(isWhole('events', [stream], '1')).toBe(true);
    expect(isWhole('events', ['\ufeff' + stream + `: bye${end}${end}`], '1')).toBe(true);
  });

  test('is not whole where any of its last bytes are missing', () => {
    const bytes = Buffer.from(text.trimEnd());
    for (let cut = 1; cut < bytes.length; cut++) {
      const cutOff = bytes.subarray(0, bytes.length - cut);
      // What ends like a document is taken for one.
      if (/[}\]]\s*$/.test(cutOff.toString())) continue;
      expect(isWhole('json', [cutOff], '1'), cutOff.toString()).toBe(false);
      expect(isWhole('events', ['data: ', cutOff], '1'), cutOff.toString()).toBe(false);
    }
  });
});

test.each<[string, 'json' | 'events', string | Buffer]>([
  ['nothing', 'json', ''],
  ['an empty object', 'json', '{}'],
  ['null', 'json', 'null'],
  ['a page', 'json', '<html>"result":{}</html>'],
  ['a notification', 'json', progress],
  ['the answer to another request', 'json', result.replace('"id":1', '"id":2')],
  ['the answer to a request with a text for an id', 'json', result.replace('"id":1', '"id":"1"')],
  ['no event', 'events', ''],
  ['a priming event', 'events', 'id: 0\ndata:\n\n'],
  ['progress', 'events', `data: ${progress}\n\n`.repeat(3)],
  ['comments', 'events', `: ping\n\n: {"result":1}\n\n`],
  ['a result in another field', 'events', `event: ${result}\n\ndatum: ${result}\n\n`],
  ['the answer to another request', 'events', `data: ${result.replace('"id":1', '"id":2')}\n\n`],
  ['an answer that is no JSON before its result', 'events', 'data: {"id":1,,"result":{}}\n\n'],
  ['a name in two lines', 'events', 'data: {"id":1,"res\ndata: ult":{}}\n\n'],
  [
    'a line with half a byte order mark before it',
    'events',
    Buffer.concat([Buffer.of(0xef, 0xbb), Buffer.from(`data: ${result}\n\n`)]),
  ],
  ['a result behind a part of a byte order mark', 'json', Buffer.concat([Buffer.of(0xef, 0xbb), Buffer.from(result)])],
  ['two halves in two events', 'events', 'data: {"id":1,\n\ndata: "result":{}}\n\n'],
])('%s is no answer (%s)', (_, type, text) => {
  expect(isWhole(type, [text], '1')).toBe(false);
});

test.each([': bye\n', ':\n', 'event: x\n', 'garbage\n\n: x\n', 'data: {"jsonrpc":"2.0","method":"x"}\n', ':\r'])(
  'an answer is whole where its stream goes on behind it with %j',
  (rest) => {
    for (const end of ['\n\n', '\r\n\r\n', '\r\r']) {
      const stream = Buffer.from(`data: ${progress}\n\ndata: ${result}${end}${rest}`);
      for (let cut = 0; cut <= stream.length; cut++) {
        expect(isWhole('events', [stream.subarray(0, cut), stream.subarray(cut)], '1'), `cut at ${cut}`).toBe(true);
      }
    }
  },
);

test('a blank line before an answer does not end it', () => {
  const stream = Buffer.from(`data: ${progress}\n\ndata: ${result}`);
  const from = stream.lastIndexOf('content');
  for (let cut = from; cut < stream.length - 2; cut++) {
    if (/[}\]]$/.test(stream.subarray(0, cut).toString())) continue;
    expect(isWhole('events', [stream.subarray(0, cut)], '1'), `cut at ${cut}`).toBe(false);
  }
});

test('an answer in several lines of data is one', () => {
  expect(isWhole('events', ['data: {"id":\ndata: 1,\ndata\ndata: "result":{}\ndata: }\n\n'], '1')).toBe(true);
  expect(isWhole('events', ['data: {"id":\ndata: 2,\ndata\ndata: "result":{}\ndata: }\n\n'], '1')).toBe(false);
});

test('the id of the request may be unknown, or a text', () => {
  expect(isWhole('json', [result])).toBe(true);
  expect(isWhole('json', ['{"id":"\\u0061","result":{}}'], '"a"')).toBe(true);
  expect(isWhole('json', ['{"id":"b","result":{}}'], '"a"')).toBe(false);
  expect(isWhole('json', ['{"id":9007199254740993,"result":{}}'], '9007199254740992')).toBe(false);
});

test('in how many parts a response comes makes no difference', () => {
  const event = fc.oneof(
    fc.constantFrom(result, progress, '', '{}', 'x', result.replace('"id":1', '"id":2'), result.slice(0, -2)),
    fc.json(),
  );
  const stream = fc
    .tuple(fc.array(event, { maxLength: 5 }), fc.constantFrom('\n', '\r\n', '\r'), fc.boolean())
    .map(
      ([events, end, ended]) => events.map((data) => `data: ${data}${end}${end}`).join('') + (ended ? '' : 'data: {'),
    );
  fc.assert(
    fc.property(stream, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }), (text, sizes) => {
      const bytes = Buffer.from(text);
      const parts: Buffer[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        parts.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(isWhole('events', parts, '"z"')).toBe(isWhole('events', [bytes], '"z"'));
      // The id is compared where it comes in one part.
      expect(isWhole('events', parts)).toBe(isWhole('events', [bytes]));
    }),
  );
});

test('nothing that a server sends traps', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), fc.boolean(), (parts, isStream) => {
      isWhole(
        isStream ? 'events' : 'json',
        parts.map((part) => Buffer.from(part)),
        '1',
      );
    }),
  );
});
