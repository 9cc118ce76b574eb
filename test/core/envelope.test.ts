import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockOf, casesIn } from './cases.ts';
import { cutAt, feedings, Window } from './chunks.ts';
import { instance } from './core.ts';
import { json, member, mutated, objectOf } from './json-text.ts';
import { MessageReader } from './told-message.ts';

const core = instance();
const wholeKey = new Window(core, 1 << 10);
const reader = new MessageReader(core);

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function told(body: Uint8Array, chunks: Iterable<Uint8Array>): string {
  return reader.told(body, chunks);
}

function toldWhole(text: string): string {
  return told(utf8(text), [utf8(text)]);
}

/** `\xNN` is a byte. */
function bytesOf(body: string): Uint8Array {
  const parts = body.split(/\\x([0-9a-f]{2})/);
  return new Uint8Array(Buffer.concat(parts.map((part, i) => Buffer.from(part, i % 2 === 0 ? 'utf8' : 'hex'))));
}

test.each(casesIn('envelope'))('$title', (example) => {
  const body = bytesOf(blockOf(example, 'body'));
  for (const chunks of feedings(body)) expect(told(body, chunks)).toBe(blockOf(example, 'told'));
});

const id = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
);
const quoted = fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text));

const call = fc
  .tuple(id, quoted, quoted)
  .chain(([id, method, name]) =>
    objectOf(
      member('name', fc.constant(name)),
      member('arguments', json),
      member('_meta', fc.constant('{"progressToken":{"name":[]}}')),
    ).chain((params) =>
      objectOf(
        member('jsonrpc', fc.constant('"2.0"')),
        member('id', fc.constant(id)),
        member('method', fc.constant(method)),
        member('params', fc.constant(params)),
      ).map((text) => ({ text, told: `request\nid: ${id}\nmethod: ${method}\nparams: ${params}\nname: ${name}` })),
    ),
  );

test('a call is read whatever the order, the spelling and the neighbours of its members', () => {
  fc.assert(
    fc.property(call, fc.array(fc.nat(), { maxLength: 5 }), ({ text, told: wanted }, places) => {
      expect(told(utf8(text), cutAt(utf8(text), places))).toBe(wanted);
    }),
    { numRuns: 500 },
  );
});

test('what is read of a damaged message does not depend on where it is cut', () => {
  const text = call.map(({ text }) => text).filter((text) => text.length < 400);
  fc.assert(
    fc.property(mutated(text), fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), (body, places) => {
      expect(told(body, cutAt(body, places))).toBe(told(body, [body]));
    }),
    { numRuns: 500 },
  );
});

test('bytes that are no message never trap', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 8 }), (body, places) => {
      expect(told(body, cutAt(body, places))).toBe(told(body, [body]));
    }),
    { numRuns: 1000 },
  );
});

const ROUTING = ['jsonrpc', 'method', 'id', 'params', 'name', 'uri', 'arguments', 'ref', '_meta'];
const DISGUISED = 1;

/** Simple case folding as the standard tables have it, by the regular expressions of the engine. */
function isDisguise(key: string): boolean {
  const [cut = ''] = key.split('\0');
  return !ROUTING.includes(key) && ROUTING.some((name) => new RegExp(`^${name}$`, 'iu').test(cut));
}

test('every character that case folding takes for a letter of a routing member is a disguise (CVE-2026-27896)', () => {
  const wrong: string[] = [];
  for (let unit = 0; unit < 0x3000; unit++) {
    for (const name of ['params', 'arguments', 'id', '_meta']) {
      const key = name.slice(0, -1) + String.fromCharCode(unit);
      if ((core.call('memberKind', ...wholeKey.show(utf8(key))) === DISGUISED) !== isDisguise(key)) wrong.push(key);
    }
  }
  expect(wrong).toEqual([]);
});

test.each(ROUTING)(
  '%s in another case, or with NUL and more behind it, is a disguise (CVE-2026-27896, GHSA-q382-vc8q-7jhj)',
  (name) => {
    for (const key of [name.toUpperCase(), `${name}\0`, `${name}\0${name}`, `${name.toUpperCase()}\0x`]) {
      expect(isDisguise(key)).toBe(true);
      expect(core.call('memberKind', ...wholeKey.show(utf8(key)))).toBe(DISGUISED);
    }
  },
);

test('a hundred thousand arrays in each other are refused, with the id', () => {
  const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":${'['.repeat(1e5)}`;
  expect(toldWhole(text)).toBe('parse_error: it nests deeper than 512 levels\nid: 1');
});

test('an argument of half a megabyte is no obstacle', () => {
  const params = `{"arguments":"${'é'.repeat(1 << 18)}","name":"a"}`;
  const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
  expect(toldWhole(text)).toBe(`request\nid: 1\nmethod: "tools/call"\nparams: ${params}\nname: "a"`);
});
