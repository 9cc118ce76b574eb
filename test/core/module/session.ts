import { make, newArena } from '../../../filter/bytes/arena';
import { newList } from '../../../filter/bytes/list';
import { newWriter } from '../../../filter/bytes/writer';
import { Span, pointer, span, NONE } from '../../../filter/bytes/span';
import { KEY_SIZE } from '../../../filter/crypto/aead';
import { audienceOf, NOBODY } from '../../../filter/session/audience';
import { Key, KeyRing } from '../../../filter/model/keyring';
import { CallerText, openCallerText, writeCallerText } from '../../../filter/session/caller-text';
import { isEndpoint } from '../../../filter/session/endpoint';
import {
  decodeServerRequestId,
  encodeServerRequestId,
  ServerRequestId,
} from '../../../filter/session/server-request-id';
import {
  ENTROPY_SIZE,
  newSessionDraft,
  openSession,
  Session,
  SessionDraft,
  Upstream,
} from '../../../filter/session/token';

const keyMemory = newArena(1024);
const draftMemory = newArena(8192);
const sessionMemory = newArena(8192);

let ring: KeyRing = make<KeyRing>(keyMemory);
ring.keys = newList(keyMemory);
let draft: SessionDraft = newSessionDraft(0, draftMemory);
let session: Session | null = null;
let upstream: Upstream | null = null;
let asked: ServerRequestId | null = null;

/** Forgets all keys. */
export function sessionOpenRing(): void {
  keyMemory.reset();
  ring = make<KeyRing>(keyMemory);
  ring.keys = newList(keyMemory);
}

export function sessionAddKey(id: u32, bytes: usize): void {
  const key = make<Key>(keyMemory);
  key.id = id;
  key.bytes = pointer(keyMemory.copy(span(bytes, KEY_SIZE)));
  ring.keys.push(changetype<usize>(key) as u64);
}

/** Begins another session. */
export function sessionOpenDraft(revision: i32): void {
  draftMemory.reset();
  draft = newSessionDraft(revision, draftMemory);
}

/** @param endpointCount 0: none is known @param cookieCount 0: there is none */
export function sessionAdd(
  fingerprint: u64,
  revision: i32,
  offers: u32,
  id: usize,
  count: u32,
  endpoint: usize,
  endpointCount: u32,
  cookie: usize,
  cookieCount: u32,
): bool {
  const added = make<Upstream>(draftMemory);
  added.fingerprint = fingerprint;
  added.revision = revision;
  added.offers = offers as u8;
  added.sessionId = span(id, count);
  added.endpoint = endpointCount === 0 ? NONE : span(endpoint, endpointCount);
  added.cookie = cookieCount === 0 ? NONE : span(cookie, cookieCount);
  return draft.add(added);
}

/** @param entropy 28 bytes */
export function sessionSeal(entropy: usize, now: u32, ttl: u32, audience: usize, count: u32): Span {
  const random = span(entropy, ENTROPY_SIZE as u32);
  return draft.sealed(ring.sealing, random, now, ttl, span(audience, count), draftMemory);
}

export function sessionOpen(token: usize, tokenCount: u32, now: u32, audience: usize, count: u32): bool {
  sessionMemory.reset();
  session = openSession(span(token, tokenCount), ring, now, span(audience, count), sessionMemory);
  return session !== null;
}

export function sessionIssued(): u32 {
  return session!.issued;
}

export function sessionExpires(): u32 {
  return session!.expires;
}

export function sessionId(): Span {
  return session!.id;
}

export function sessionRevision(): i32 {
  return session!.revision;
}

export function sessionCount(): i32 {
  return session!.count;
}

/** Looks an upstream up for the functions below. */
export function sessionFind(fingerprint: u64): bool {
  upstream = session!.upstream(fingerprint, sessionMemory);
  return upstream !== null;
}

export function sessionUpstreamRevision(): i32 {
  return upstream!.revision;
}

export function sessionUpstreamOffers(): u32 {
  return upstream!.offers;
}

export function sessionUpstreamId(): Span {
  return upstream!.sessionId;
}

export function sessionUpstreamEndpoint(): Span {
  return upstream!.endpoint;
}

export function sessionUpstreamCookie(): Span {
  return upstream!.cookie;
}

export function isEndpointText(text: usize, count: u32): bool {
  return isEndpoint(span(text, count));
}

export function sessionAudience(gateway: usize, gatewayCount: u32, endpoint: usize, count: u32): Span {
  return audienceOf(span(gateway, gatewayCount), span(endpoint, count), NONE, NOBODY, draftMemory);
}

/** The id that the client gets for a request of a server, in the session that was opened last. */
export function serverRequestIdEncode(
  fingerprint: u64,
  revision: i32,
  sessionId: usize,
  sessionIdCount: u32,
  endpoint: usize,
  endpointCount: u32,
  original: usize,
  count: u32,
): Span {
  const asking = make<Upstream>(sessionMemory);
  asking.fingerprint = fingerprint;
  asking.revision = revision;
  asking.sessionId = span(sessionId, sessionIdCount);
  asking.endpoint = endpointCount === 0 ? NONE : span(endpoint, endpointCount);
  return encodeServerRequestId(session!, asking, span(original, count), sessionMemory);
}

/** Reads one, for the functions below. */
export function serverRequestIdDecode(id: usize, count: u32): bool {
  asked = decodeServerRequestId(session!, span(id, count), sessionMemory);
  return asked !== null;
}

export function serverRequestIdIsOf(fingerprint: u64): bool {
  return asked!.fingerprint === fingerprint;
}

export function serverRequestIdRevision(): i32 {
  return asked!.upstream.revision;
}

export function serverRequestIdSession(): Span {
  return asked!.upstream.sessionId;
}

export function serverRequestIdEndpoint(): Span {
  return asked!.upstream.endpoint;
}

export function serverRequestIdOriginal(): Span {
  return asked!.original;
}

/** Seals a server's text under the first key. @param kind TextKind */
export function callerTextSeal(
  kind: i32,
  audience: usize,
  audienceCount: u32,
  fingerprint: u64,
  text: usize,
  count: u32,
): Span {
  sessionMemory.reset();
  const writer = newWriter(sessionMemory, 64);
  writeCallerText(writer, kind, ring.sealing, span(audience, audienceCount), fingerprint, span(text, count));
  return writer.written;
}

/** What a text is that was sealed, NONE where it is none of this kind, audience and server. */
export function callerTextOpen(
  kind: i32,
  audience: usize,
  audienceCount: u32,
  fingerprint: u64,
  characters: usize,
  count: u32,
): Span {
  sessionMemory.reset();
  const who = span(audience, audienceCount);
  const found: CallerText | null = openCallerText(kind, ring, who, span(characters, count), sessionMemory);
  return found === null || !found.isOf(fingerprint) ? NONE : found.original;
}
