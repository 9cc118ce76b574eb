// What `headers.traceToMeta` adds to a message, and that it changes nothing else.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutAt, Window } from './chunks.ts';
import { instance } from './core.ts';
import { json, spelled } from './json-text.ts';

const core = instance();
const window = new Window(core, 1 << 16);
const wholeBody = new Window(core, 1 << 16);
const FORWARD = 2;
const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function configure(traceToMeta: boolean): void {
  const configuration = { headers: { traceToMeta }, servers: [{ name: 'one', cluster: 'c' }] };
  expect(core.call('exchangeConfigure', ...core.span(JSON.stringify(configuration)))).toBe(1);
  core.clear();
}

interface Trace {
  readonly traceparent: string;
  readonly tracestate: string;
  readonly baggage: string;
}

/** What the server gets of a message that came with these headers, in parts. */
function sent(text: string, { traceparent, tracestate, baggage }: Trace, places: readonly number[] = []): string {
  const body = Buffer.from(text);
  core.call('exchangeOpenTraced', ...core.span(traceparent), ...core.span(tracestate), ...core.span(baggage));
  for (const chunk of cutAt(body, [...places])) core.call('exchangeRead', ...window.show(chunk));
  expect(core.call('exchangeDecide', ...wholeBody.show(body))).toBe(FORWARD);
  const made = core.bytes('exchangeMade');
  const [from, to] = [core.call('exchangeCutFrom'), core.call('exchangeCutTo')];
  const whole = made === undefined ? Buffer.concat([body.subarray(0, from), body.subarray(to)]) : Buffer.from(made);
  // Where the client's is of another length.
  const told = core.text('exchangeHeader', ...core.span('content-length'));
  if (told !== undefined) expect(told).toBe(String(whole.length));
  core.clear();
  return whole.toString();
}

const traced = fc.record({
  traceparent: fc.constantFrom('', parent, parent.toUpperCase(), 'x'),
  tracestate: fc.constantFrom('', 'rojo=00f067aa0ba902b7,congo="t\\61"', 'a=é'),
  baggage: fc.constantFrom('', 'userId=alice', 'a="b\\c"'),
});

const names = ['traceparent', 'tracestate', 'baggage'] as const;
const space = fc.constantFrom('', ' ', '\n\t');

/** `_meta`: what stands before the members of an object, those, and what they say of the trace already. */
const meta = fc.tuple(fc.subarray([...names]), fc.option(json), space).chain(([said, other, space]) =>
  fc
    .tuple(...said.map((name) => spelled(name)))
    .map((keys) => keys.map((key) => `"${key}"${space}:${space}"mine"`))
    .map((members) => [...members, ...(other === null ? [] : [`"x":${other}`])])
    .chain((members) => fc.shuffledSubarray(members, { minLength: members.length }))
    .map((members) => ({ said, text: space + members.join(`${space},`) })),
);

/** A message in two parts, between which stands what is added, and whether that is a whole `_meta`. */
const message = fc
  .record({ meta: fc.option(meta), first: fc.boolean(), space, value: json })
  .chain(({ meta, first, space, value }) =>
    spelled('_meta').map((key) => {
      const named = (name: string): string => `"name":"${name}","arguments":{"_meta":${value}}`;
      const open = `{${space}"jsonrpc":"2.0","id":1,"method":"tools/call","params":${space}{`;
      if (meta === null) {
        return {
          isWhole: true,
          isEmpty: false,
          said: [] as string[],
          parts: (name: string) => [open, `${space}${named(name)}}}`],
        };
      }
      const [before, behind] = [`"${key}":${space}{`, `${meta.text}}`];
      return {
        isWhole: false,
        isEmpty: meta.text.trim() === '',
        said: meta.said,
        parts: (name: string) =>
          first ? [open + before, `${behind},${named(name)}}}`] : [`${open}${named(name)},${before}`, `${behind}}}`],
      };
    }),
  );

/** By the page docs/tracing.md. */
function addition(said: readonly string[], { traceparent, tracestate, baggage }: Trace): Partial<Trace> {
  const isFree = !said.includes('traceparent') && !said.includes('tracestate') && traceparent === parent;
  return {
    ...(isFree && { traceparent }),
    ...(isFree && tracestate !== '' && tracestate !== 'a=é' && { tracestate }),
    ...(!said.includes('baggage') && baggage !== '' && { baggage }),
  };
}

test('a message differs from that of its client by these members alone, wherever it was cut', () => {
  configure(true);
  const places = fc.array(fc.nat(), { maxLength: 4 });
  fc.assert(
    fc.property(message, traced, places, ({ isWhole, isEmpty, said, parts }, trace, places) => {
      const [before, behind] = parts('echo');
      const added = JSON.stringify(addition(said, trace));
      const members = isWhole ? `"_meta":${added}` : added.slice(1, -1);
      const put = added === '{}' ? '' : members + (isEmpty ? '' : ',');
      expect(sent(parts('one_echo').join(''), trace, places)).toBe([before, put, behind].join(''));
    }),
    { numRuns: 2000 },
  );
});

test('nothing is added where nobody asks for it', () => {
  configure(false);
  const trace = { traceparent: parent, tracestate: 'a=b', baggage: 'c=d' };
  fc.assert(
    fc.property(message, ({ parts }) => {
      expect(sent(parts('one_echo').join(''), trace)).toBe(parts('echo').join(''));
    }),
  );
  configure(true);
});

test.each(['null', '[]', '"x"', '1', 'true'])('a `_meta` that is %s stays', (meta) => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one_echo","_meta":${meta}}}`;
  expect(sent(body, { traceparent: parent, tracestate: '', baggage: '' })).toBe(body.replace('one_', ''));
});
