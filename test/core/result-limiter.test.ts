import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { TestGateway } from './test-gateway.ts';

const core = instance();

/** What goes on of a body that comes in these pieces. */
function limited(isStream: boolean, most: number, pieces: readonly Uint8Array[]): string {
  core.call('limiterOpen', isStream, most);
  const going: Uint8Array[] = [];
  for (const piece of pieces) {
    going.push(core.bytes('limiterWrite', ...core.span(piece)) ?? new Uint8Array());
    core.clear();
  }
  going.push(core.bytes('limiterEnd') ?? new Uint8Array());
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(going));
}

function inPieces(body: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(body);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to));
}

const word = fc
  .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), fc.constantFrom(1, 3, 40, 150))
  .map(([some, times]) => some.repeat(times));
const block = fc.oneof(
  { weight: 4, arbitrary: word.map((text) => ({ type: 'text', text })) },
  word.map((text) => ({ text, type: 'text', annotations: { priority: 1 } })),
  fc.string({ maxLength: 400 }).map((data) => ({ type: 'image', data, mimeType: 'image/png' })),
  word.map((text) => ({ type: 'resource', resource: { uri: 'file:///a', text } })),
  fc.constantFrom<unknown>(null, 1, 'x', [], {}, [{ type: 'text' }], { type: 'text', text: 7 }),
);
const content = fc.oneof(
  { weight: 9, arbitrary: fc.array(block, { maxLength: 8 }) },
  fc.constantFrom<unknown>('x'.repeat(2000), null, { a: { type: 'text', text: 'x'.repeat(2000) } }),
);
const member = fc.constantFrom(
  ['isError', true],
  ['resultType', 'complete'],
  ['ttlMs', 5],
  ['_meta', { x: 'y' }],
  ['structuredContent', { a: 1 }],
);
const result = fc
  .tuple(fc.array(member, { maxLength: 2 }), content, fc.array(member, { maxLength: 3 }))
  .map(([before, blocks, behind]) => Object.fromEntries([...before, ['content', blocks], ...behind]) as object);
const message = fc.tuple(result, fc.constantFrom('id', 'result', 'jsonrpc')).map(([of, last]) => {
  const members = { jsonrpc: '2.0', id: 7, result: of } as Record<string, unknown>;
  const { [last]: end, ...others } = members;
  return JSON.stringify({ ...others, [last]: end });
});
const cuts = fc.array(fc.nat(), { maxLength: 6 });

test('a result is as it came, cut, or refused, whatever it is and in whatever pieces it comes', () => {
  const seen = { whole: 0, cut: 0, refused: 0 };
  fc.assert(
    fc.property(message, cuts, fc.constantFrom(1024, 2048), fc.boolean(), (sent, places, most, isStream) => {
      const body = isStream ? `: hi\n\nid: 1\ndata: ${sent}\n\n` : sent;
      const got = limited(isStream, most, inPieces(body, places));
      if (Buffer.byteLength(sent) <= most) {
        seen.whole++;
        expect(got).toBe(body);
        return;
      }
      if (isStream) expect(got).toMatch(/^: hi\n\nid: 1\nevent: message\ndata: [^\n]*\n\n$/u);
      const data = isStream ? got.slice(got.indexOf('data: ') + 6, -2) : got;
      const left = JSON.parse(data) as { jsonrpc: string; id: number; result: Record<string, unknown> };
      expect(left).toMatchObject({ jsonrpc: '2.0', id: 7 });
      expect(Buffer.byteLength(data)).toBeLessThanOrEqual(most + 600);
      const blocks = left.result['content'] as { type: string; text: string }[];
      const original = (JSON.parse(sent) as { result: Record<string, unknown> }).result;
      const last = blocks.at(-1);
      if (last?.text === '[refused]') {
        seen.refused++;
        return;
      }
      seen.cut++;
      expect(last?.text.endsWith('[cut]')).toBe(true);
      expect(left.result['isError']).toBe(original['isError']);
      expect(left.result['resultType']).toBe(original['resultType']);
      expect(left.result['structuredContent']).toEqual(original['structuredContent']);
      const originals = original['content'] as { type?: string; text?: string }[];
      expect(blocks.slice(0, -1)).toEqual(originals.slice(0, blocks.length - 1));
      // Nothing but text is gone.
      for (const lost of originals.slice(blocks.length)) expect(lost).toMatchObject({ type: 'text' });
      const shortened = originals[blocks.length - 1];
      if (last?.text !== '[cut]' && shortened?.text !== undefined) {
        expect(shortened.text.startsWith(last?.text.slice(0, -5) ?? '')).toBe(true);
      }
    }),
    { numRuns: 400 },
  );
  expect(Math.min(seen.whole, seen.cut, seen.refused)).toBeGreaterThan(10);
});

test('a result whose message stands in several lines of an event is cut to one that stands in lines, too', () => {
  const sent = {
    jsonrpc: '2.0',
    id: 7,
    result: {
      content: [
        { type: 'text', text: 'first' },
        { type: 'text', text: 'x'.repeat(3000) },
      ],
    },
  };
  const lines = JSON.stringify(sent, null, 1).split('\n');
  const body = `id: 1\n${lines.map((line) => `data: ${line}\n`).join('')}\n`;
  for (const end of ['\n', '\r\n', '\r']) {
    const got = limited(true, 1024, inPieces(body.replaceAll('\n', end), [40, 700]));
    const fields = got.trimEnd().split('\n');
    expect(fields.filter((line) => !/^(?:id|event|data): /u.test(line))).toEqual([]);
    const data = fields.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
    const left = JSON.parse(data.join('\n')) as typeof sent;
    expect(left.result.content.map(({ text }) => text)).toEqual([
      'first',
      expect.stringMatching(/^x+\[cut\]$/u) as string,
    ]);
  }
});

test('half a pair before another escape does not lead the cut into the middle of a character', () => {
  for (let shift = 0; shift < 12; shift++) {
    const text = 'x'.repeat(shift) + '\ud83d\nab€'.repeat(200);
    const sent = JSON.stringify({ jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text }] } });
    const left = JSON.parse(limited(false, 1024, [Buffer.from(sent)])) as { result: { content: [{ text: string }] } };
    const [{ text: got }] = left.result.content;
    expect(got.endsWith('[cut]')).toBe(true);
    expect(text.startsWith(got.slice(0, -5))).toBe(true);
  }
});

test('what is kept of a stream stays as small, however many of its results are cut and however often one has an id', () => {
  const text = 'x'.repeat(3000);
  const cut = Buffer.from(
    `data: ${JSON.stringify({ jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text }] } })}\n\n`,
  );
  const ids = Buffer.from('"id":123456789,'.repeat(200));
  core.call('limiterOpen', true, 1024);
  const write = (bytes: Uint8Array): void => {
    core.bytes('limiterWrite', ...core.span(bytes));
    core.clear();
  };
  for (let i = 0; i < 20; i++) write(cut);
  const held = core.call('limiterHeld');
  for (let i = 0; i < 50; i++) write(cut);
  expect(core.call('limiterHeld')).toBe(held);
  write(Buffer.from(`data: {"text":"${text}",`));
  for (let i = 0; i < 50; i++) write(ids);
  expect(core.call('limiterHeld')).toBe(held);
});

test('no bytes make it fail', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 4000 }),
        fc.tuple(message, fc.nat()).map(([sent, at]) => Buffer.from(sent).subarray(0, at % (sent.length + 1))),
      ),
      fc.boolean(),
      (bytes, isStream) => {
        core.call('limiterOpen', isStream, 1024);
        core.bytes('limiterWrite', ...core.span(bytes));
        core.bytes('limiterEnd');
        core.clear();
      },
    ),
    { numRuns: 300 },
  );
});

test.each<[string, unknown, string]>([
  ['no object', 5, 'results: must be an object, found 5'],
  ['no size', {}, 'results.maxBytes: is missing'],
  ['too little', { maxBytes: 100 }, 'results.maxBytes: must be "none" or a size of 1Ki or more, found 100'],
  ['another way', { maxBytes: '1Mi', over: 'drop' }, 'results.over: must be one of cut, refuse, found "drop"'],
])('%s is a mistake', (_, results, problem) => {
  const gateway = new TestGateway();
  expect(gateway.configure({ servers: [{ name: 'one', cluster: 'o' }], results })).toContain(problem);
  const tools = { results: { 'a*': results } };
  expect(gateway.configure({ servers: [{ name: 'one', cluster: 'o', tools }] })).toContain(
    problem.replace('results', 'servers[0].tools.results.a*'),
  );
});
