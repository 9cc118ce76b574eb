// Templates and arguments of prompts, whatever they are: an answer is a result with the messages of the definition, each text
// in its place, or a refusal; nothing traps.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ask, openSession, startHost } from './gateway.ts';
import { Host } from './host.ts';
import type { Headers } from './pairs.ts';

interface Answer {
  readonly result?: { readonly messages: readonly { readonly role: string; readonly content: object }[] };
  readonly error?: { readonly code: number; readonly data: { readonly reason: string } };
}

function answerOf(host: Host, session: Headers, params: string): Answer {
  const body = `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":${params}}`;
  const stream = ask(host, { headers: session, body });
  const { reply, forwarded } = stream;
  stream.close();
  expect(forwarded).toBeUndefined();
  return JSON.parse(reply?.body.toString() ?? '') as Answer;
}

/** Whether a text has no lone surrogate. */
function isUtf8(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

const pieces = [
  '{{',
  '}}',
  '{{.args.a}}',
  '{{.}}',
  '"',
  '\\',
  '\n',
  '\u0000',
  '"}},{"role":"assistant"',
  '\ud800',
  'ü',
  '😀',
];
const strange = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 6 })
  .map((parts) => parts.join(''));

const prompts = [
  {
    name: 'p',
    arguments: [{ name: 'a', required: true }, { name: 'b' }],
    messages: [
      { role: 'user', text: 'one {{.args.a}} two {{.args.b}}' },
      { role: 'assistant', text: 'three' },
    ],
  },
];

test('no argument leaves the text that it stands in', () => {
  const host = startHost({ servers: [{ name: 's', prefix: '', rest: { prompts } }] });
  const session = openSession(host);
  fc.assert(
    fc.property(strange, fc.option(strange, { nil: undefined }), (a, b) => {
      const { result } = answerOf(host, session, JSON.stringify({ name: 'p', arguments: { a, b } }));
      // What is no text in UTF-8 (a lone surrogate) has no place in one.
      const isText = isUtf8(a) && isUtf8(b ?? '');
      const texts = result?.messages.map(({ content }) => content);
      if (isText) expect(texts?.[0]).toEqual({ type: 'text', text: `one ${a} two ${b ?? ''}` });
      expect(texts?.[1]).toEqual({ type: 'text', text: 'three' });
      expect(result?.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
    }),
    { numRuns: 1500, examples: pieces.map((each): [string, undefined] => [each, undefined]) },
  );
});

test('arguments of any kind are taken, or refused by name', () => {
  const host = startHost({ servers: [{ name: 's', prefix: '', rest: { prompts } }] });
  const session = openSession(host);
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.record({ a: fc.jsonValue(), b: fc.jsonValue() })), (given) => {
      const { result, error } = answerOf(host, session, JSON.stringify({ name: 'p', arguments: given }));
      if (result !== undefined) expect(result.messages).toHaveLength(2);
      else expect(error).toMatchObject({ code: -32602, data: { reason: 'invalid_arguments' } });
    }),
    { numRuns: 1000 },
  );
});

test('a template of any kind is refused with its position, or writes one text', () => {
  const word = fc.constantFrom(
    'if',
    'range',
    'end',
    'else',
    'with',
    '.args.a',
    '.args',
    '.',
    '$',
    'seq',
    '9',
    'printf',
    '|',
    'upper',
  );
  const action = fc.array(word, { maxLength: 4 }).map((words) => `{{${words.join(' ')}}}`);
  const template = fc.array(fc.oneof(strange, action), { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  let served = 0;
  fc.assert(
    fc.property(template, strange, (text, a) => {
      fc.pre(text !== '' && isUtf8(text));
      const prompt = { name: 'p', arguments: [{ name: 'a' }], messages: [{ role: 'user', text }] };
      const servers = [{ name: 's', prefix: '', rest: { prompts: [prompt] } }];
      const host = new Host({ configuration: JSON.stringify({ servers }) });
      if (!host.configure()) {
        expect(host.log.join('\n')).toMatch(
          /servers\[0\]\.rest\.prompts\[0\]\.messages\[0\]\.text: prompt "\w+": line \d+, column \d+: /,
        );
        return;
      }
      served++;
      const { result, error } = answerOf(host, openSession(host), JSON.stringify({ name: 'p', arguments: { a } }));
      if (result === undefined) expect(error?.data.reason).toBe('invalid_arguments');
      else
        expect(result).toEqual({
          messages: [{ role: 'user', content: { type: 'text', text: expect.any(String) as string } }],
        });
    }),
    { numRuns: 150 },
  );
  expect(served).toBeGreaterThan(10);
});
