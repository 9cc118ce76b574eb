import { Arena, make } from '../bytes/arena';
import { decode, encode, encodedLength } from '../bytes/base64';
import { Span, span, pointer, length, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Revision } from '../mcp/revisions';
import { open, seal, NONCE_SIZE, TAG_SIZE } from '../crypto/aead';
import { DialectRow, dialectRow, spokenDialect } from '../model/dialects';
import { Key, KeyRing } from '../model/keyring';
import { packId, unpackCookie, unpackEndpoint, unpackId } from './upstream-id';

/**
 * The session id that a client holds: all that must be remembered about it, sealed, so that any worker of any replica
 * that has the key can serve it. base64url of
 *
 *     │ format (1) │ key id (1) │ nonce (12) │ sealed … │ tag (16) │
 *
 * with the first two bytes and the audience (gateway, endpoint, identity) as associated data, and sealed:
 *
 *     │ issued (4) │ expires (4) │ token id (16) │ revision (1) │ servers (1) │ client capabilities (4) │ entries … │
 *     entry:  │ fingerprint (8) │ revision (1) │ offers (4) │ packed session id … │
 *
 * Format 1 had no client capabilities and one byte of offers, format 2 no endpoints in packed session ids, and format 3 no
 * cookies in them; their sessions are served on, so that an upgrade ends none. A session is sealed in the first format, from 2
 * on, that has what is in it, so that an older release can open it where it would send its messages to the same instance.
 *
 * Times are seconds since 1970. The nonce is random: with one key, 2^32 sessions are safe (RFC 8439 §4, birthday bound
 * of 96 bits); rotate the key before.
 */
export const FORMAT: u8 = 4;
const FORMAT_3: u8 = 3;
const FORMAT_2: u8 = 2;
const FORMAT_1: u8 = 1;
/** Characters of the encoded token. Other servers and proxies keep headers to 8 KiB, Node's clients all of them to 16 KiB. */
export const MAX_TOKEN: i32 = 4096;
export const TOKEN_ID_SIZE: usize = 16;
/** Randomness for one token: its id and the nonce. */
export const ENTROPY_SIZE: usize = TOKEN_ID_SIZE + (NONCE_SIZE as usize);

const HEAD: usize = 2;
const TEXT: usize = HEAD + (NONCE_SIZE as usize);
/** Bytes of the fixed part, in format 1 and since. */
const FIXED_1: usize = 4 + 4 + TOKEN_ID_SIZE + 1 + 1;
const FIXED: usize = FIXED_1 + 4;
const OVERHEAD: usize = HEAD + ((NONCE_SIZE + TAG_SIZE) as usize);

/** What an upstream offers where nobody knows. */
export const ANYTHING: u32 = u32.MAX_VALUE;

/** An upstream's part of a session. */
@unmanaged
export class Upstream {
  fingerprint: u64;
  revision: Revision;
  /** Capabilities of nouns, see mcp/nouns.ts. */
  offers: u32;
  /** NONE where the server keeps no session. */
  sessionId: Span;
  /** That opened the session and that all its messages are for, `ip:port`. NONE: any, or nobody knows. */
  endpoint: Span;
  /** The cookie of a balancer between us and the server, sent with all its messages: `NAME=value`. NONE: there is none. */
  cookie: Span;

  /** How the server is spoken to, which its configuration may have left open. */
  get dialect(): DialectRow {
    return dialectRow(spokenDialect(this.revision));
  }
}

@unmanaged
export class Session {
  issued: u32;
  expires: u32;
  /** TOKEN_ID_SIZE bytes */
  id: Span;
  revision: Revision;
  /** That it was sealed with. */
  key: Key;
  /** Bits of what the client can be asked for by servers; 0 while they can ask it for nothing. */
  capabilities: u32;
  /** It stands for the sessions that several requests of one caller share, see pool.ts. */
  isShared: bool;
  count: i32;
  /** Bytes of the offers in an entry. */
  private offersSize: u32;
  entries: Span;

  /** Reads what was sealed. @param plain of `size` bytes, in that format */
  unpack(plain: usize, size: u32, format: u8): void {
    const isFirst = format === FORMAT_1;
    const fixed = (isFirst ? FIXED_1 : FIXED) as u32;
    this.issued = load<u32>(plain);
    this.expires = load<u32>(plain, 4);
    this.id = span(plain + 8, TOKEN_ID_SIZE as u32);
    this.revision = load<u8>(plain + 8 + TOKEN_ID_SIZE);
    this.count = load<u8>(plain + 8 + TOKEN_ID_SIZE, 1) as i32;
    this.capabilities = isFirst ? 0 : load<u32>(plain + FIXED_1);
    this.offersSize = isFirst ? 1 : 4;
    this.entries = span(plain + (fixed as usize), size - fixed);
  }

  /** The upstream that was initialized with exactly this configuration, or null. */
  upstream(fingerprint: u64, arena: Arena): Upstream | null {
    const sealed = this.key.fingerprintOf(fingerprint);
    let at = pointer(this.entries);
    for (let i = 0; i < this.count; i++) {
      const id = at + 9 + (this.offersSize as usize);
      const packed: usize = 2 + (load<u16>(id) as usize);
      if (load<u64>(at) === sealed) {
        const found = make<Upstream>(arena);
        found.fingerprint = fingerprint;
        found.revision = load<u8>(at, 8);
        found.offers = this.offersSize === 1 ? (load<u8>(at, 9) as u32) : load<u32>(at, 9);
        found.sessionId = unpackId(span(id, packed as u32), arena);
        found.endpoint = unpackEndpoint(span(id, packed as u32));
        found.cookie = unpackCookie(span(id, packed as u32));
        return found;
      }
      at = id + packed;
    }
    return null;
  }
}

/** Collects what a new session has to remember. */
@unmanaged
export class SessionDraft {
  revision: Revision;
  /** See `Session`. */
  capabilities: u32;
  count: i32;
  /** That an upstream of it needs. */
  format: u8;
  entries: Writer;

  /** False where the token would become too large: that server is not part of the session. */
  add(upstream: Upstream): bool {
    if (length(upstream.sessionId) > MAX_TOKEN) return false;
    const before = this.entries.size;
    this.entries.u64(upstream.fingerprint).u8(upstream.revision).u32(upstream.offers);
    packId(this.entries, upstream.sessionId, upstream.endpoint, upstream.cookie);
    const sealed = OVERHEAD + FIXED + (this.entries.size as usize);
    if (this.count === 255 || encodedLength(sealed as i32) > MAX_TOKEN) {
      this.entries.truncate(before);
      return false;
    }
    this.count++;
    const format = upstream.cookie !== NONE ? FORMAT : upstream.endpoint !== NONE ? FORMAT_3 : FORMAT_2;
    if (format > this.format) this.format = format;
    return true;
  }

  /**
   * @param entropy ENTROPY_SIZE random bytes
   * @param now seconds since 1970
   * @param audience see `audienceOf`
   */
  sealed(key: Key, entropy: Span, now: u32, ttl: u32, audience: Span, arena: Arena): Span {
    const plain = newWriter(arena, FIXED + (this.entries.size as usize));
    plain
      .u32(now)
      .u32(now + ttl)
      .bytes(span(pointer(entropy), TOKEN_ID_SIZE as u32))
      .u8(this.revision)
      .u8(this.count)
      .u32(this.capabilities)
      .bytes(this.entries.written);

    const size = OVERHEAD + (plain.size as usize);
    const sealed = arena.allocate(size);
    store<u8>(sealed, this.format);
    store<u8>(sealed, key.id as u8, 1);
    memory.copy(sealed + HEAD, pointer(entropy) + TOKEN_ID_SIZE, NONCE_SIZE as usize);
    const bound = associatedData(sealed, audience, arena);
    const text = pointer(plain.written);
    seal(key.bytes, sealed + HEAD, pointer(bound), length(bound), text, plain.size, sealed + TEXT);

    const out = arena.allocate(encodedLength(size as i32) as usize);
    return span(out, encode(sealed, size as i32, out) as u32);
  }
}

export function newSessionDraft(revision: Revision, arena: Arena): SessionDraft {
  const draft = make<SessionDraft>(arena);
  draft.entries = newWriter(arena, 512);
  draft.revision = revision;
  draft.format = FORMAT_2;
  return draft;
}

/**
 * The session in a token, or null where it is forged, expired, of another audience or under a key we do not have: the
 * caller cannot tell which, and neither can the client.
 */
export function openSession(token: Span, keys: KeyRing, now: u32, audience: Span, arena: Arena): Session | null {
  if (length(token) > MAX_TOKEN) return null;
  const sealed = arena.allocate(length(token) as usize);
  const size = decode(pointer(token), length(token), sealed);
  if (size < ((OVERHEAD + FIXED_1) as i32)) return null;
  const format = load<u8>(sealed);
  if (format < FORMAT_1 || format > FORMAT || (format > FORMAT_1 && size < ((OVERHEAD + FIXED) as i32))) return null;
  const key = keys.find(load<u8>(sealed, 1));
  if (key === null) return null;

  const bound = associatedData(sealed, audience, arena);
  const text = sealed + TEXT;
  const textSize = size - (TEXT as i32);
  const plain = arena.allocate(textSize as usize);
  if (!open(key.bytes, sealed + HEAD, pointer(bound), length(bound), text, textSize, plain)) return null;

  const session = make<Session>(arena);
  session.key = key;
  session.unpack(plain, (textSize - TAG_SIZE) as u32, format);
  return now < session.expires ? session : null;
}

/** The head of the token, which says how to open it, then whom it is for. */
function associatedData(sealed: usize, audience: Span, arena: Arena): Span {
  return newWriter(arena, HEAD + (length(audience) as usize))
    .bytes(span(sealed, HEAD as u32))
    .bytes(audience).written;
}
