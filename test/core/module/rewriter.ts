import { make, newArena } from '../../../filter/bytes/arena';
import { newList } from '../../../filter/bytes/list';
import { newWriter } from '../../../filter/bytes/writer';
import { Span, literal, span, NONE } from '../../../filter/bytes/span';
import { KEY_SIZE } from '../../../filter/crypto/aead';
import { Gateway } from '../../../filter/model/gateway';
import { Key, KeyRing } from '../../../filter/model/keyring';
import { Server } from '../../../filter/model/server';
import { newReplacements } from '../../../filter/response/replacements';
import { newRewriter, Rewriter } from '../../../filter/response/rewriter';
import { CallerText, openCallerText } from '../../../filter/session/caller-text';
import { EventId, openEventId } from '../../../filter/session/event-id';
import { decodeServerRequestId } from '../../../filter/session/server-request-id';
import { Session, TOKEN_ID_SIZE, Upstream } from '../../../filter/session/token';

const arena = newArena(1024);
const callback = newArena(1024);
const SLASH = literal('/');
const AUDIENCE = literal('ada');
const REVISION = 4;
const FINGERPRINT: u64 = 0x0123456789abcdef;

let rewriter: Rewriter = changetype<Rewriter>(0);
let session: Session = changetype<Session>(0);
let keys: KeyRing = changetype<KeyRing>(0);

/**
 * Begins an answer of the server `name`, in the session that is the same each time.
 * @param several there are other servers @param inSession the era has sessions
 */
export function rewriterOpen(isStream: bool, name: usize, count: u32, several: bool, inSession: bool, most: u32): void {
  arena.reset();
  const gateway = make<Gateway>(arena);
  gateway.servers = newList(arena);
  const server = make<Server>(arena);
  server.name = arena.copy(span(name, count));
  server.mark = several ? newWriter(arena, 64).bytes(server.name).bytes(SLASH).written : span(arena.allocate(1), 0);
  gateway.servers.push(changetype<usize>(server) as u64);
  if (several) {
    const other = make<Server>(arena);
    other.name = SLASH;
    gateway.servers.push(changetype<usize>(other) as u64);
  }
  const upstream = make<Upstream>(arena);
  upstream.fingerprint = FINGERPRINT;
  upstream.revision = REVISION;
  session = make<Session>(arena);
  session.key = make<Key>(arena);
  session.key.bytes = arena.zeroed(KEY_SIZE as usize);
  session.id = span(arena.zeroed(TOKEN_ID_SIZE), TOKEN_ID_SIZE as u32);
  server.fingerprint = FINGERPRINT;
  keys = make<KeyRing>(arena);
  keys.keys = newList(arena);
  keys.keys.push(changetype<usize>(session.key) as u64);
  const replacements = newReplacements(gateway, server, inSession ? session : null, upstream, arena);
  if (!inSession) {
    replacements.audience = AUDIENCE;
    replacements.sealing = session.key;
  }
  rewriter = newRewriter(isStream, replacements, most, arena);
}

export function rewriterWrite(chunk: usize, count: u32): Span {
  callback.reset();
  return rewriter.write(span(chunk, count), callback);
}

export function rewriterEnd(): Span {
  callback.reset();
  return rewriter.end(callback);
}

export function rewriterObstacle(): i32 {
  return rewriter.obstacle;
}

export function rewriterIsResumable(): bool {
  return rewriter.isResumable;
}

/** Bytes that are kept from one chunk to the next, memory that waits for more among them. */
export function rewriterHeld(): u32 {
  return arena.held as u32;
}

/** Whether what goes on is the chunk itself, no copy. */
export function rewriterReturnsChunk(chunk: usize, count: u32): bool {
  return rewriterWrite(chunk, count) === span(chunk, count);
}

/** A chunk, so many times; the size of what goes on of the last one. */
export function rewriterRepeat(chunk: usize, count: u32, times: u32): i32 {
  let size: i32 = 0;
  for (let i: u32 = 0; i < times; i++) size = rewriterWrite(chunk, count) as i32;
  return size;
}

/** The server's id in an id that its client got, or NONE. @param token JSON */
export function rewriterServersId(token: usize, count: u32): Span {
  const found = decodeServerRequestId(session, span(token, count), callback);
  return found === null || found.fingerprint !== FINGERPRINT ? NONE : found.original;
}

/** The server's event id in one that its client got, or NONE. */
export function rewriterEventId(id: usize, count: u32): Span {
  const found: EventId | null = openEventId(session, span(id, count), callback);
  return found === null || found.fingerprint !== FINGERPRINT ? NONE : found.original;
}

/** The server's own text in one that its caller got, or NONE. @param kind TextKind @param characters no quotes */
export function rewriterCallerText(kind: i32, characters: usize, count: u32): Span {
  const found: CallerText | null = openCallerText(kind, keys, AUDIENCE, span(characters, count), callback);
  return found === null || !found.isOf(FINGERPRINT) ? NONE : found.original;
}
