import { Arena } from '../bytes/arena';
import { decode, encode, encodedLength } from '../bytes/base64';
import { Span, length, pointer, span, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { hmacSha256 } from '../crypto/sha256';
import { KEY_SIZE, NONCE_SIZE, open, seal, TAG_SIZE } from '../crypto/aead';
import { Key } from '../model/keyring';
import { Session } from './token';

/**
 * A text that a client keeps for the gateway and cannot read: any worker of any replica opens it, and nothing is
 * remembered for it. base64url of
 *
 *     │ format (1) │ nonce (12) │ sealed … │ tag (16) │
 *
 * under the key of the client's session, with the purpose of the text and that session's id as associated data: it is good
 * for one purpose and in one session alone, so for one caller alone. The nonce is a keyed hash of all of that (RFC 5297 has
 * the idea), so the same text always becomes the same characters.
 */
const FORMAT: u8 = 1;
const TEXT: i32 = 1 + NONCE_SIZE;

/** Characters that so many bytes become. */
export function sealedLength(size: i32): i32 {
  return encodedLength(TEXT + size + TAG_SIZE);
}

/** @param purpose no two kinds of text have the same */
export function writeSealed(writer: Writer, session: Session, purpose: Span, plain: Span): void {
  const arena = writer.arena;
  const size = TEXT + length(plain) + TAG_SIZE;
  const sealed = arena.allocate(size as usize);
  const bound = binding(session, purpose, arena);
  store<u8>(sealed, FORMAT);
  memory.copy(sealed + 1, pointer(nonceOf(session.key, bound, plain, arena)), NONCE_SIZE as usize);
  const text = sealed + (TEXT as usize);
  seal(session.key.bytes, sealed + 1, pointer(bound), length(bound), pointer(plain), length(plain), text);
  const characters = encodedLength(size) as usize;
  encode(sealed, size, writer.room(characters));
  writer.wrote(characters);
}

/** NONE: these characters were not made here, for this purpose, in this session. */
export function openSealed(session: Session, purpose: Span, characters: Span, arena: Arena): Span {
  const sealed = arena.allocate(length(characters) as usize);
  const size = decode(pointer(characters), length(characters), sealed);
  if (size < TEXT + TAG_SIZE || load<u8>(sealed) !== FORMAT) return NONE;
  const plain = arena.allocate((size - TEXT) as usize);
  const bound = binding(session, purpose, arena);
  const text = sealed + (TEXT as usize);
  if (!open(session.key.bytes, sealed + 1, pointer(bound), length(bound), text, size - TEXT, plain)) return NONE;
  return span(plain, (size - TEXT - TAG_SIZE) as u32);
}

function binding(session: Session, purpose: Span, arena: Arena): Span {
  return newWriter(arena, 64).bytes(purpose).u8(FORMAT).bytes(session.id).written;
}

function nonceOf(key: Key, bound: Span, plain: Span, arena: Arena): Span {
  const what = newWriter(arena, (length(bound) + length(plain)) as usize)
    .bytes(bound)
    .bytes(plain).written;
  return hmacSha256(span(key.bytes, KEY_SIZE as u32), what, arena);
}
