import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KnownLists } from '../../plugin-server/live/known-lists.ts';
import { PollReader, parsePoll, printable } from '../../plugin-server/live/poll.ts';

const extensions = (release: number): object[] =>
  Array.from({ length: 50 }, (_, index) => ({
    name: `"]}${release}\\`,
    category: `{[${index}`,
    type_urls: ['a', 'b'],
  }));

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

test('a poll is read the same, whether its list of extensions is known or not', async () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('","extensions":[', '\\', '"', ',"extensions":'),
  );
  const poll = fc.record({
    version: anyText.filter((text) => text.length <= 1024),
    id: anyText.filter((text) => text !== '' && text.length <= 256),
    metadata: fc.dictionary(anyText, fc.jsonValue()),
    release: fc.nat(3),
    size: fc.integer({ min: 1, max: 9999 }),
  });
  const reader = new PollReader();
  await fc.assert(
    fc.asyncProperty(poll, async ({ version, id, metadata, release, size }) => {
      const text = JSON.stringify({
        version_info: version,
        node: { id, cluster: 'edge', metadata, extensions: extensions(release) },
      });
      expect(await reader.read('clusters', inPieces(text, size))).toEqual(parsePoll('clusters', Buffer.from(text)));
    }),
  );
});

test('a list that is known is cut out, and no other', () => {
  const lists = new KnownLists();
  const body = (release: number): Buffer =>
    Buffer.from(JSON.stringify({ node: { id: 'n', extensions: extensions(release) } }));
  expect(lists.cutOut(body(1))).toEqual(body(1));
  lists.learn(body(1));
  expect(lists.cutOut(body(1)).toString()).toBe('{"node":{"id":"n","extensions":[]}}');
  expect(lists.cutOut(body(2))).toEqual(body(2));
  for (let release = 2; release < 40; release++) lists.learn(body(release));
  expect(lists.cutOut(body(1))).toEqual(body(1));
  expect(lists.cutOut(body(39)).length).toBeLessThan(100);
});

test('whatever a node says, what is shown of it is short, and on one line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (said) => {
      expect(printable(said)).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]{0,500}$/u);
    }),
  );
});
