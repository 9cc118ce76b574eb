import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();

/** Whether there is a response in an event stream that comes in these parts. */
function finds(...parts: string[]): boolean {
  core.call('seekerOpen');
  for (const part of parts) {
    core.call('seekerRead', ...core.span(part));
    core.clear();
  }
  return core.call('seekerEnd') === 1;
}

const answer = '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a \\"method\\": b"}]}}';
const failure = '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"result"}}';
const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"result":1,"error":2}}';
const question = '{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{}}';

const streams: readonly [name: string, stream: string, found: boolean][] = [
  ['a result', `event: message\ndata: ${answer}\n\n`, true],
  ['an error', `data: ${failure}\n\n`, true],
  ['no space behind the colon', `data:${answer}\n\n`, true],
  ['CRLF', `id: 1\r\ndata: ${answer}\r\n\r\n`, true],
  ['CR', `data: ${answer}\r\r`, true],
  ['a byte order mark', `\ufeffdata: ${answer}\n\n`, true],
  ['several lines', 'data: {"jsonrpc":"2.0","id":1,\ndata: "result":{}}\n\n', true],
  ['a batch', `data: [${progress},${answer}]\n\n`, true],
  [
    'behind a priming event, a comment and progress',
    `id: 0\ndata:\n\n: ping\n\ndata: ${progress}\n\ndata: ${answer}\n\n`,
    true,
  ],
  ['behind an event that is no JSON', `data: hello\n\ndata: ${answer}\n\n`, true],
  ['the last blank line is missing', `data: ${answer}`, true],
  ['nothing', '', false],
  ['comments', ': ping\n\n: ping\n\n', false],
  ['a priming event', 'id: 0\nretry: 3000\ndata: \n\n', false],
  ['progress', `data: ${progress}\n\n`, false],
  ['a request of the server', `data: ${question}\n\n`, false],
  ['the beginning of an answer', `data: ${answer.slice(0, -1)}\n\n`, false],
  ['another field', `datum: ${answer}\n\nid: ${answer}\n\n`, false],
  ['a comment that looks like one', `: data: ${answer}\n\n`, false],
  [
    'an event between whose halves another begins',
    `data: ${answer.slice(0, 40)}\n\ndata: ${answer.slice(40)}\n\n`,
    false,
  ],
];

describe('the response in an event stream', () => {
  it.each(streams)('%s', (_, stream, found) => {
    expect(finds(stream)).toBe(found);
  });

  it.each(streams)('%s, cut at every byte', (_, stream, found) => {
    for (let at = 0; at <= stream.length; at++) expect(finds(stream.slice(0, at), stream.slice(at))).toBe(found);
    expect(finds(...Array.from(stream))).toBe(found);
  });
});

const parts = fc.array(fc.oneof(fc.constantFrom(...streams.map(([, stream]) => stream)), fc.string(), fc.json()));

test('however a stream is cut, the same is found', () => {
  fc.assert(
    fc.property(parts, fc.array(fc.nat(200), { maxLength: 20 }), (pieces, cuts) => {
      const whole = pieces.join('');
      const chunks: string[] = [];
      let rest = whole;
      for (const cut of cuts) {
        chunks.push(rest.slice(0, cut));
        rest = rest.slice(cut);
      }
      expect(finds(...chunks, rest)).toBe(finds(whole));
    }),
  );
});
