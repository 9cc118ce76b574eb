import { QUOTE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, after, equals, first, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isString, textOf } from '../json/text';
import { openSealed, sealedLength, writeSealed } from './sealed-text';
import { Session, Upstream } from './token';
import { packId, unpackCookie, unpackEndpoint, unpackId } from './upstream-id';

/**
 * The id under which a client gets a request of a server (sampling, elicitation, roots, ping). Servers number their
 * requests from 0, each for itself, so the id says which server asked, and in which of its sessions: the client's response
 * then finds the way back on any worker of any replica, and nothing is remembered for it. A JSON string, sealed-text.ts of
 *
 *     │ fingerprint (8) │ revision (1) │ packed session id … │ original id … │
 *
 * The original id is kept as it was written. The same request always gets the same id: when a stream is resumed, and when
 * its server cancels it.
 */
/** Bytes of the longest original id that gets one. */
export const MOST_OF_ORIGINAL: i32 = 1024;
/** Characters of the longest id that is made, quotes not counted: no more than mcp/envelope.ts reads of an id. */
export const MOST_OF_ENCODED: i32 = 4094;

/** What is sealed, without the session id and the original. */
const FIXED: i32 = 8 + 1;
const LEAST: i32 = FIXED + 3 + 1;
const PURPOSE = literal('sluice server request');

/** Whom a client answers. */
@unmanaged
export class ServerRequestId {
  /** As it was under the key of the session; see `Key.fingerprintOf`. */
  fingerprint: u64;
  /** The session with the server in which it asked. Its fingerprint and what it offers are not known here. */
  upstream: Upstream;
  /** As the server wrote it, quotes included. */
  original: Span;
}

/**
 * The id, quotes included; NONE where the original is longer than MOST_OF_ORIGINAL, or the id would be longer than
 * MOST_OF_ENCODED: such a request cannot be answered.
 * @param original a JSON string or integer
 */
export function encodeServerRequestId(session: Session, upstream: Upstream, original: Span, arena: Arena): Span {
  if (length(original) > MOST_OF_ORIGINAL) return NONE;
  const plain = newWriter(arena, 128);
  plain.u64(session.key.fingerprintOf(upstream.fingerprint)).u8(upstream.revision);
  packId(plain, upstream.sessionId, upstream.endpoint, cookieFor(session, upstream, arena));
  plain.bytes(original);

  const characters = sealedLength(plain.size);
  if (characters > MOST_OF_ENCODED) return NONE;
  const id = newWriter(arena, (characters + 2) as usize).byte(QUOTE);
  writeSealed(id, session, PURPOSE, plain.written);
  return id.byte(QUOTE).written;
}

/** That of the handshake, where the session has it: a balancer may have renewed it since, and the id stays the same. */
function cookieFor(session: Session, upstream: Upstream, arena: Arena): Span {
  const begun = session.upstream(upstream.fingerprint, arena);
  return begun !== null && equals(begun.sessionId, upstream.sessionId) ? begun.cookie : upstream.cookie;
}

/**
 * Whom this id belongs to; null where it is none that was made here in this session: forged, of another session, of a key
 * that is gone.
 * @param id as a token of JSON
 */
export function decodeServerRequestId(session: Session, id: Span, arena: Arena): ServerRequestId | null {
  if (!isString(id)) return null;
  const characters = textOf(id, arena);
  if (characters === NONE || length(characters) > MOST_OF_ENCODED) return null;
  const plain = openSealed(session, PURPOSE, characters, arena);
  if (length(plain) < LEAST) return null;

  const packed = after(plain, FIXED as u32);
  const packedSize = 2 + (load<u16>(pointer(packed)) as u32);
  const found = make<ServerRequestId>(arena);
  found.fingerprint = load<u64>(pointer(plain));
  found.upstream = make<Upstream>(arena);
  found.upstream.revision = load<u8>(pointer(plain), 8);
  found.upstream.sessionId = unpackId(first(packed, packedSize), arena);
  found.upstream.endpoint = unpackEndpoint(first(packed, packedSize));
  found.upstream.cookie = unpackCookie(first(packed, packedSize));
  found.original = after(packed, packedSize);
  return found;
}
