import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { instance, NONE } from './core.ts';

const core = instance();
const MAX_TOKEN = 4096;
const ENTROPY_SIZE = 28;
const NOW = 1_900_000_000;
const TTL = 3600;
const AUDIENCE = utf8('/mcp');
const KEY = { id: 1, bytes: filled(32, 1) };
const NEW_KEY = { id: 2, bytes: filled(32, 2) };

interface Upstream {
  fingerprint: bigint;
  revision: number;
  offers: number;
  id: string | undefined;
  endpoint: string | undefined;
  cookie?: string | undefined;
}

interface Session {
  revision: number;
  upstreams: Upstream[];
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function filled(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte);
}

function useKeys(...keys: { id: number; bytes: Uint8Array }[]): void {
  core.call('sessionOpenRing');
  for (const { id, bytes } of keys) core.call('sessionAddKey', id, core.put(bytes));
  core.clear();
}

/** Adds a server to the draft; false: it did not fit. */
function add({ fingerprint, revision, offers, id, endpoint, cookie }: Upstream): boolean {
  const texts = [id, endpoint, cookie].flatMap((text) => (text === undefined ? NONE : core.span(text)));
  return core.call('sessionAdd', fingerprint, revision, offers, ...texts) === 1;
}

function sealDraft(entropy = filled(ENTROPY_SIZE, 7), now = NOW, ttl = TTL, audience = AUDIENCE): string {
  const token = core.text('sessionSeal', core.put(entropy), now, ttl, ...core.span(audience)) ?? '';
  core.clear();
  return token;
}

function seal({ revision, upstreams }: Session, entropy?: Uint8Array): string {
  core.call('sessionOpenDraft', revision);
  for (const upstream of upstreams) expect(add(upstream)).toBe(true);
  return sealDraft(entropy);
}

function opens(token: Uint8Array | string, now = NOW, audience = AUDIENCE): boolean {
  const opened = core.call('sessionOpen', ...core.span(token), now, ...core.span(audience)) === 1;
  core.clear();
  return opened;
}

function upstreamOf(fingerprint: bigint): Upstream | undefined {
  if (core.call('sessionFind', fingerprint) === 0) return undefined;
  return {
    fingerprint,
    revision: core.call('sessionUpstreamRevision'),
    offers: core.call('sessionUpstreamOffers'),
    id: core.text('sessionUpstreamId'),
    endpoint: core.text('sessionUpstreamEndpoint'),
    cookie: core.text('sessionUpstreamCookie'),
  };
}

const hexDigits = (length: number, digits: string) =>
  fc.string({ unit: fc.constantFrom(...Array.from(digits)), minLength: length, maxLength: length });
const uuid = (digits: string) =>
  fc.tuple(...[8, 4, 4, 4, 12].map((length) => hexDigits(length, digits))).map((parts) => parts.join('-'));
/** Visible ASCII, as MCP has it; UUIDs as servers make them, and what only looks like one. */
const sessionId = fc.oneof(
  uuid('0123456789abcdef'),
  uuid('0123456789ABCDEF'),
  uuid('0123456789abcdefgG:/`'),
  fc.stringMatching(/^[0-9a-f-]{36}$/),
  fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 80 }),
);

/** As Envoy writes them. */
const cookie = fc
  .string({ unit: fc.constantFrom(...Array.from('AZaz09=+/"')), maxLength: 500 })
  .map((value) => `LB=v${value}`);
const endpoint = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat(65_535)).map(([ip, port]) => `${ip}:${port}`),
  fc.tuple(fc.ipV6(), fc.nat(65_535)).map(([ip, port]) => `[${ip}]:${port}`),
);

const session: fc.Arbitrary<Session> = fc.record({
  revision: fc.integer({ min: 1, max: 255 }),
  upstreams: fc.uniqueArray(
    fc.record({
      fingerprint: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      revision: fc.integer({ min: 0, max: 255 }),
      offers: fc.integer({ min: 0, max: 255 }),
      id: fc.option(sessionId, { nil: undefined }),
      endpoint: fc.option(endpoint, { nil: undefined }),
      cookie: fc.option(cookie, { nil: undefined }),
    }),
    { selector: ({ fingerprint }) => fingerprint, maxLength: 12 },
  ),
});

const SAMPLE: Session = {
  revision: 4,
  upstreams: [
    { fingerprint: 1n, revision: 4, offers: 1, id: '0f8fad5b-d9cb-469f-a165-70867728950e', endpoint: undefined },
    { fingerprint: 2n ** 63n, revision: 2, offers: 0, id: undefined, endpoint: undefined },
  ],
};

beforeEach(() => {
  useKeys(KEY);
});

test('what was sealed is what is opened', () => {
  fc.assert(
    fc.property(session, fc.uint8Array({ minLength: ENTROPY_SIZE, maxLength: ENTROPY_SIZE }), (session, entropy) => {
      expect(opens(seal(session, entropy))).toBe(true);
      expect(core.call('sessionIssued')).toBe(NOW);
      expect(core.call('sessionExpires')).toBe(NOW + TTL);
      expect(core.bytes('sessionId')).toEqual(entropy.slice(0, 16));
      expect(core.call('sessionRevision')).toBe(session.revision);
      expect(core.call('sessionCount')).toBe(session.upstreams.length);
      for (const upstream of session.upstreams) expect(upstreamOf(upstream.fingerprint)).toEqual(upstream);
    }),
    { numRuns: 300 },
  );
});

test('a server whose configuration has changed is not in the session', () => {
  expect(opens(seal(SAMPLE))).toBe(true);
  expect(upstreamOf(1n)).toBeDefined();
  expect(upstreamOf(2n)).toBeUndefined();
});

test('a token is base64url', () => {
  fc.assert(
    fc.property(session, (session) => {
      expect(seal(session)).toMatch(/^[A-Za-z0-9_-]+$/);
    }),
    { numRuns: 50 },
  );
});

test('nothing of a session can be read in its token', () => {
  const id = 'this-is-the-session-id-of-an-upstream';
  const token = seal({
    revision: 4,
    upstreams: [{ fingerprint: 1n, revision: 4, offers: 1, id, endpoint: undefined }],
  });
  const bytes = Buffer.from(token, 'base64url');
  for (let at = 0; at + 8 <= id.length; at++) expect(bytes.includes(id.slice(at, at + 8))).toBe(false);
});

test('with other randomness the same session has another token', () => {
  const one = Buffer.from(seal(SAMPLE, filled(ENTROPY_SIZE, 1)), 'base64url');
  const other = Buffer.from(seal(SAMPLE, filled(ENTROPY_SIZE, 2)), 'base64url');
  expect(one.subarray(2, 14)).toEqual(Buffer.alloc(12, 1));
  expect(one.subarray(14)).not.toEqual(other.subarray(14));
});

test('a token with any bit flipped is refused', () => {
  const token = Buffer.from(seal(SAMPLE), 'base64url');
  for (let bit = 0; bit < token.length * 8; bit++) {
    const forged = Buffer.from(token);
    forged.writeUInt8(forged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(opens(forged.toString('base64url'))).toBe(false);
  }
  expect(opens(token.toString('base64url'))).toBe(true);
});

/** A session without servers, sealed by another implementation. */
function sealedByNode(format: number, size = 26): string {
  const head = Uint8Array.of(format, KEY.id);
  const nonce = filled(12, 9);
  const plain = Buffer.alloc(size);
  plain.writeUInt32LE(NOW, 0);
  plain.writeUInt32LE(NOW + TTL, 4);
  plain.writeUInt8(4, 24);
  const cipher = createCipheriv('chacha20-poly1305', KEY.bytes, nonce, { authTagLength: 16 });
  cipher.setAAD(Buffer.concat([head, AUDIENCE]), { plaintextLength: plain.length });
  const sealed = [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat([head, nonce, ...sealed]).toString('base64url');
}

test('a token of another format is refused, though it is genuine', () => {
  expect(opens(sealedByNode(1))).toBe(true);
  expect(core.call('sessionRevision')).toBe(4);
  for (const format of [2, 3, 4]) {
    expect(opens(sealedByNode(format, 30))).toBe(true);
    expect(opens(sealedByNode(format, 29))).toBe(false);
  }
  expect(opens(sealedByNode(0))).toBe(false);
  expect(opens(sealedByNode(5, 30))).toBe(false);
});

test('a release that knows no endpoints or cookies can open a session that has none', () => {
  const formatOf = (token: string): number => Buffer.from(token, 'base64url').readUInt8(0);
  expect(formatOf(seal(SAMPLE))).toBe(2);
  const [first, second] = SAMPLE.upstreams;
  if (first === undefined || second === undefined) throw new Error('no sample');
  expect(formatOf(seal({ revision: 4, upstreams: [{ ...first, endpoint: '10.0.0.7:8080' }, second] }))).toBe(3);
  expect(formatOf(seal({ revision: 4, upstreams: [{ ...first, cookie: 'LB=a' }, second] }))).toBe(4);
});

test('an endpoint is what Envoy writes as one, and nothing that a header could not hold', () => {
  const isEndpoint = (text: string): boolean => core.call('isEndpointText', ...core.span(text)) === 1;
  fc.assert(
    fc.property(endpoint, (text) => {
      expect(isEndpoint(text)).toBe(true);
      core.clear();
    }),
  );
  for (const text of ['', 'notes:80', '10.0.0.7:80, 10.0.0.8:80', '10.0.0.7:80\r\nx: y', '1'.repeat(65)])
    expect(isEndpoint(text)).toBe(false);
});

test('a token that is cut short or goes on is refused', () => {
  const token = seal(SAMPLE);
  for (let length = 0; length < token.length; length++) expect(opens(token.slice(0, length))).toBe(false);
  for (const more of ['A', 'AA', 'AAAA', '=', ' ']) expect(opens(token + more)).toBe(false);
});

test('a token lives until it expires, and not a second longer', () => {
  const token = seal(SAMPLE);
  expect(opens(token, NOW + TTL - 1)).toBe(true);
  expect(opens(token, NOW + TTL)).toBe(false);
  expect(opens(token, NOW + TTL + 1)).toBe(false);
});

test('a token of another audience is refused', () => {
  core.call('sessionOpenDraft', 4);
  const token = sealDraft(undefined, NOW, TTL, utf8('/other'));
  expect(opens(token)).toBe(false);
  expect(opens(token, NOW, utf8('/othe'))).toBe(false);
  expect(opens(token, NOW, utf8(''))).toBe(false);
  expect(opens(token, NOW, utf8('/other'))).toBe(true);
});

test('a gateway and its endpoint are an audience of their own, whatever follows them', () => {
  const audience = core.bytes('sessionAudience', ...core.span('front'), ...core.span('/mcp'));
  expect(audience).toEqual(Uint8Array.of(5, 0, 0, 0, ...utf8('front'), 4, 0, 0, 0, ...utf8('/mcp'), 0, 0, 0, 0));
  core.clear();
});

test('a token of another key with the same number is refused', () => {
  const token = seal(SAMPLE);
  useKeys({ id: KEY.id, bytes: NEW_KEY.bytes });
  expect(opens(token)).toBe(false);
});

test('a token of a key that is not there is refused', () => {
  const token = seal(SAMPLE);
  useKeys(NEW_KEY);
  expect(opens(token)).toBe(false);
  useKeys();
  expect(opens(token)).toBe(false);
});

test('the first key seals, and all of them open: a rotation ends no session', () => {
  const before = seal(SAMPLE);
  useKeys(NEW_KEY, KEY);
  const after = seal(SAMPLE);
  expect(Buffer.from(before, 'base64url').readUInt8(1)).toBe(KEY.id);
  expect(Buffer.from(after, 'base64url').readUInt8(1)).toBe(NEW_KEY.id);
  expect(opens(before)).toBe(true);
  expect(opens(after)).toBe(true);

  useKeys(KEY, NEW_KEY);
  expect(opens(after)).toBe(true);
  useKeys(NEW_KEY);
  expect(opens(before)).toBe(false);
});

test('a session takes servers until its token would exceed 4 KiB, and no further', () => {
  core.call('sessionOpenDraft', 4);
  const upstream = (i: number): Upstream => ({
    fingerprint: BigInt(i),
    revision: 4,
    offers: 1,
    id: `${i}`.padStart(100, 'x'),
    endpoint: undefined,
  });
  let count = 0;
  while (add(upstream(count))) count++;
  expect(add({ ...upstream(count), id: 'x'.repeat(MAX_TOKEN + 1) })).toBe(false);
  const token = sealDraft();
  expect(token.length).toBeLessThanOrEqual(MAX_TOKEN);
  expect(token.length).toBeGreaterThan(MAX_TOKEN - 4 * Math.ceil(113 / 3));
  expect(opens(token)).toBe(true);
  expect(core.call('sessionCount')).toBe(count);
  expect(upstreamOf(BigInt(count - 1))).toEqual(upstream(count - 1));
  expect(upstreamOf(BigInt(count))).toBeUndefined();
});

test('what did not fit leaves room for what does', () => {
  core.call('sessionOpenDraft', 4);
  expect(add({ fingerprint: 1n, revision: 4, offers: 1, id: 'x'.repeat(3500), endpoint: undefined })).toBe(false);
  expect(add({ fingerprint: 2n, revision: 4, offers: 1, id: 'x'.repeat(2900), endpoint: undefined })).toBe(true);
  expect(opens(sealDraft())).toBe(true);
  expect(upstreamOf(1n)).toBeUndefined();
  expect(upstreamOf(2n)?.id).toBe('x'.repeat(2900));
});

test('a token longer than 4 KiB is refused before anything else is done with it', () => {
  const before = core.memory.length;
  expect(opens('A'.repeat(20_000_000))).toBe(false);
  expect(core.memory.length).toBeLessThan(before + 30_000_000);
});

test('bytes that are no token never trap', () => {
  const letters = fc.string({ unit: fc.constantFrom(...Array.from('AB01_-')), maxLength: 300 });
  const anything = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.oneof(letters.map(utf8), anything), (token) => {
      expect(opens(token)).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

function packed(id: string, endpoint = '', cookie = ''): Uint8Array {
  const texts = [id, endpoint, cookie].flatMap((text) => core.span(text));
  const bytes = core.bytes('upstreamIdPack', ...texts) ?? new Uint8Array();
  core.clear();
  return bytes;
}

test('an upstream session id comes back byte for byte', () => {
  fc.assert(
    fc.property(
      sessionId,
      fc.oneof(endpoint, fc.constant('')),
      fc.oneof(cookie, fc.constant('')),
      (id, endpoint, cookie) => {
        const bytes = packed(id, endpoint, cookie);
        expect((bytes[0] ?? 0) + 256 * (bytes[1] ?? 0)).toBe(bytes.length - 2);
        expect(core.text('upstreamIdUnpack', ...core.span(bytes))).toBe(id);
        expect(core.text('upstreamEndpointUnpack', ...core.span(bytes)) ?? '').toBe(endpoint);
        expect(core.text('upstreamCookieUnpack', ...core.span(bytes)) ?? '').toBe(cookie);
        core.clear();
      },
    ),
    { numRuns: 500 },
  );
});

test('no id is not the empty id', () => {
  const none = core.bytes('upstreamIdPack', ...NONE, ...NONE, ...NONE) ?? new Uint8Array();
  expect(core.bytes('upstreamIdUnpack', ...core.span(none))).toBeUndefined();
  expect(core.text('upstreamIdUnpack', ...core.span(packed('')))).toBe('');
  core.clear();
});

test('a UUID takes 16 bytes, in the form that servers write it', () => {
  expect(packed('0f8fad5b-d9cb-469f-a165-70867728950e')).toHaveLength(3 + 16);
  for (const other of [
    '0F8FAD5B-D9CB-469F-A165-70867728950E',
    '0f8fad5b-d9cb-469f-a165-70867728950g',
    '0f8fad5b_d9cb-469f-a165-70867728950e',
    '0f8fad5bd9cb469fa16570867728950e',
    '0f8fad5b-d9cb-469f-a165-70867728950',
    '0f8fad5bd-9cb-469f-a165-70867728950e',
  ]) {
    expect(packed(other)).toHaveLength(3 + other.length);
  }
});
