import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { instance, NONE } from './core.ts';

const core = instance();
const NOW = 1_900_000_000;
const AUDIENCE = new TextEncoder().encode('/mcp');
const KEY = { id: 1, bytes: new Uint8Array(32).fill(1) };
const OTHER_KEY = { id: 2, bytes: new Uint8Array(32).fill(2) };
const MOST_OF_ORIGINAL = 1024;
const MOST_OF_ENCODED = 4094;
const UUID = '0f8fad5b-d9cb-469f-a165-70867728950e';

interface Asked {
  fingerprint: bigint;
  revision: number;
  session: string | undefined;
  original: string;
}

const SAMPLE: Asked = { fingerprint: 7n, revision: 4, session: UUID, original: '0' };

/** Begins a session: what follows is said in it. */
function begin(entropy: number, key = KEY): void {
  core.call('sessionOpenRing');
  core.call('sessionAddKey', key.id, core.put(key.bytes));
  core.call('sessionOpenDraft', 4);
  const token = core.bytes(
    'sessionSeal',
    core.put(new Uint8Array(28).fill(entropy)),
    NOW,
    3600,
    ...core.span(AUDIENCE),
  );
  expect(core.call('sessionOpen', ...core.span(token ?? ''), NOW, ...core.span(AUDIENCE))).toBe(1);
  core.clear();
}

function tryEncode({ fingerprint, revision, session, original }: Asked): string | undefined {
  const id = session === undefined ? NONE : core.span(session);
  const encoded = core.text('serverRequestIdEncode', fingerprint, revision, ...id, ...core.span(original));
  core.clear();
  return encoded;
}

/** The id, quotes included. */
function encode(asked: Asked): string {
  return tryEncode(asked) ?? '';
}

/** @param id as a token of JSON */
function decode(id: string, fingerprint = SAMPLE.fingerprint): Asked | undefined {
  const known = core.call('serverRequestIdDecode', ...core.span(id)) === 1;
  const read = known && {
    fingerprint: core.call('serverRequestIdIsOf', fingerprint) === 1 ? fingerprint : -1n,
    revision: core.call('serverRequestIdRevision'),
    session: core.text('serverRequestIdSession'),
    original: core.text('serverRequestIdOriginal') ?? '',
  };
  core.clear();
  return read || undefined;
}

beforeEach(() => {
  begin(7);
});

test.each([
  ['zero', '0'],
  ['a negative number', '-1'],
  ['an integer beyond 2^53', '9007199254740993'],
  ['an integer of thirty digits', '123456789012345678901234567890'],
  ['a string that looks like a number', '"1"'],
  ['an empty string', '""'],
  ['a string with escapes', String.raw`"a\"b\\c\u00e9\/d"`],
  ['a string with a lone surrogate', String.raw`"\ud800"`],
  ['a string that is not ASCII', '"fråga ✓"'],
])('the original id comes back as it was written: %s', (_, original) => {
  const id = encode({ ...SAMPLE, original });
  expect(id).toMatch(/^"[A-Za-z0-9_-]+"$/);
  expect(decode(id)).toEqual({ ...SAMPLE, original });
});

test('any server, session and id come back', () => {
  const session = fc.option(
    fc.oneof(
      fc.uuid(),
      fc.string({ unit: fc.constantFrom('!', 'a', 'z', '0', '9', '~', '-'), minLength: 1, maxLength: 64 }),
    ),
    { nil: undefined },
  );
  const asked = fc.record({
    fingerprint: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    revision: fc.integer({ min: 1, max: 4 }),
    session,
    original: fc.oneof(
      fc.bigInt().map(String),
      fc.string({ maxLength: 100 }).map((text) => JSON.stringify(text)),
    ),
  });
  fc.assert(
    fc.property(asked, (asked) => {
      expect(decode(encode(asked), asked.fingerprint)).toEqual(asked);
    }),
    { numRuns: 300 },
  );
});

test('1 and "1" get different ids, and so do the same ids of two servers and of two of their sessions', () => {
  const ids = [
    encode({ ...SAMPLE, original: '1' }),
    encode({ ...SAMPLE, original: '"1"' }),
    encode({ ...SAMPLE, original: '1', fingerprint: 8n }),
    encode({ ...SAMPLE, original: '1', session: undefined }),
    encode({ ...SAMPLE, original: '1', session: 'another' }),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test('the same request always gets the same id: when its stream is resumed, and when its server cancels it', () => {
  const id = encode(SAMPLE);
  begin(7);
  expect(encode(SAMPLE)).toBe(id);
});

test('an id may be spelled with escapes', () => {
  const id = encode(SAMPLE);
  const spelled = `"\\u00${id.charCodeAt(1).toString(16)}${id.slice(2)}`;
  expect(decode(spelled)).toEqual(SAMPLE);
});

test('nothing of the session with the server can be read in it', () => {
  const session = 'this-is-the-session-id-of-a-server';
  const bytes = Buffer.from(encode({ ...SAMPLE, session }).slice(1, -1), 'base64url');
  for (let at = 0; at + 6 <= session.length; at++) expect(bytes.includes(session.slice(at, at + 6))).toBe(false);
});

test('an id with any bit flipped is refused', () => {
  const genuine = Buffer.from(encode(SAMPLE).slice(1, -1), 'base64url');
  for (let bit = 0; bit < genuine.length * 8; bit++) {
    const forged = Buffer.from(genuine);
    forged.writeUInt8(forged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(decode(`"${forged.toString('base64url')}"`)).toBeUndefined();
  }
});

test('an id of another session is refused, and one of another key', () => {
  const id = encode(SAMPLE);
  begin(8);
  expect(decode(id)).toBeUndefined();
  begin(7, OTHER_KEY);
  expect(decode(id)).toBeUndefined();
  begin(7);
  expect(decode(id)).toEqual(SAMPLE);
});

test('what is no id of ours is refused', () => {
  const id = encode(SAMPLE);
  for (const other of ['0', '-1', '""', '"1"', '"a"', String.raw`"\ud800"`, `"${'A'.repeat(5000)}"`, id.slice(1, -1)]) {
    expect(decode(other)).toBeUndefined();
  }
  for (let length = 1; length < id.length - 1; length++) expect(decode(`${id.slice(0, length)}"`)).toBeUndefined();
});

test('an id that would be too long to come back is not made', () => {
  const longest = `"${'a'.repeat(MOST_OF_ORIGINAL - 2)}"`;
  expect(decode(encode({ ...SAMPLE, original: longest }))).toEqual({ ...SAMPLE, original: longest });
  expect(tryEncode({ ...SAMPLE, original: `${longest.slice(0, -1)}a"` })).toBeUndefined();
  for (let length = 1; length < 4096; length += 16) {
    const asked = { ...SAMPLE, session: 's'.repeat(length), original: longest };
    const id = tryEncode(asked);
    if (id === undefined) {
      expect(length).toBeGreaterThan(1900);
    } else {
      expect(id.length - 2).toBeLessThanOrEqual(MOST_OF_ENCODED);
      expect(decode(id)).toEqual(asked);
    }
  }
});
