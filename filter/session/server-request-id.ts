import { QUOTE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { decode, encode, encodedLength } from '../bytes/base64';
import { Span, after, length, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { hmacSha256 } from '../crypto/sha256';
import { KEY_SIZE, NONCE_SIZE, open, seal, TAG_SIZE } from '../crypto/aead';
import { isString, textOf } from '../json/text';
import { Key } from '../model/keyring';
import { Session, Upstream } from './token';
import { packId, unpackId } from './upstream-id';

/**
 * The id under which a client gets a request of a server (sampling, elicitation, roots, ping). Servers number their
 * requests from 0, each for itself, so the id says which server asked, and in which of its sessions: the client's response
 * then finds the way back on any worker of any replica, and nothing is remembered for it. A JSON string, base64url of
 *
 *     │ format (1) │ nonce (12) │ sealed … │ tag (16) │        sealed:  │ fingerprint (8) │ revision (1) │
 *                                                                       │ packed session id … │ original id … │
 *
 * under the key of the client's session, with that session's id as associated data: an id is good in one session alone, so
 * for one caller alone. The original id is kept as it was written. The nonce is a keyed hash of all of that (RFC 5297 has
 * the idea), so the same request always gets the same id: when a stream is resumed, and when its server cancels it.
 */
const FORMAT: u8 = 1;
/** Bytes of the longest original id that gets one. */
export const MOST_OF_ORIGINAL: i32 = 1024;
/** Characters of the longest id that is made, quotes not counted: no more than mcp/envelope.ts reads of an id. */
export const MOST_OF_ENCODED: i32 = 4094;

const TEXT: i32 = 1 + NONCE_SIZE;
/** What is sealed, without the session id and the original. */
const FIXED: i32 = 8 + 1;
const LEAST: i32 = TEXT + FIXED + 3 + 1 + TAG_SIZE;
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
  packId(plain, upstream.sessionId);
  plain.bytes(original);

  const size = TEXT + plain.size + TAG_SIZE;
  const characters = encodedLength(size);
  if (characters > MOST_OF_ENCODED) return NONE;
  const sealed = arena.allocate(size as usize);
  store<u8>(sealed, FORMAT);
  memory.copy(sealed + 1, pointer(nonceOf(session, plain.written, arena)), NONCE_SIZE as usize);
  const bound = binding(session, arena);
  const text = pointer(plain.written);
  seal(session.key.bytes, sealed + 1, pointer(bound), length(bound), text, plain.size, sealed + (TEXT as usize));

  const out = arena.allocate((characters + 2) as usize);
  store<u8>(out, QUOTE);
  encode(sealed, size, out + 1);
  store<u8>(out + 1 + (characters as usize), QUOTE);
  return span(out, (characters + 2) as u32);
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
  const sealed = arena.allocate(length(characters) as usize);
  const size = decode(pointer(characters), length(characters), sealed);
  if (size < LEAST || load<u8>(sealed) !== FORMAT) return null;
  const plain = arena.allocate((size - TEXT) as usize);
  const bound = binding(session, arena);
  const text = sealed + (TEXT as usize);
  if (!open(session.key.bytes, sealed + 1, pointer(bound), length(bound), text, size - TEXT, plain)) return null;

  const packed = plain + (FIXED as usize);
  const packedSize = 2 + (load<u16>(packed) as u32);
  const found = make<ServerRequestId>(arena);
  found.fingerprint = load<u64>(plain);
  found.upstream = make<Upstream>(arena);
  found.upstream.revision = load<u8>(plain, 8);
  found.upstream.sessionId = unpackId(span(packed, packedSize), arena);
  found.original = after(span(packed, (size - TEXT - TAG_SIZE - FIXED) as u32), packedSize);
  return found;
}

/** What an id is sealed with beside the key: no other text that this key seals has it. */
function binding(session: Session, arena: Arena): Span {
  return newWriter(arena, 64).bytes(PURPOSE).u8(FORMAT).bytes(session.id).written;
}

function nonceOf(session: Session, plain: Span, arena: Arena): Span {
  const what = newWriter(arena, 192).bytes(binding(session, arena)).bytes(plain).written;
  return hmacSha256(keyOf(session.key), what, arena);
}

function keyOf(key: Key): Span {
  return span(key.bytes, KEY_SIZE as u32);
}
