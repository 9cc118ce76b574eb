import { Arena } from '../bytes/arena';
import { decode, encode, encodedLength } from '../bytes/base64';
import { Span, first, length, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { hmacSha256 } from '../crypto/sha256';
import { KEY_SIZE, NONCE_SIZE, open, seal, TAG_SIZE } from '../crypto/aead';
import { Key } from '../model/keyring';
import { Session } from './token';

/**
 * A text that a client keeps for the gateway and cannot read: any worker of any replica opens it, and nothing is
 * remembered for it. base64url of
 *
 *     │ head │ nonce (12) │ sealed … │ tag (16) │
 *
 * with associated data that says what it is good for. The nonce is a keyed hash of all of that (RFC 5297 has the idea), so
 * the same text always becomes the same characters.
 *
 * Here are those of a session: their head is a format (1), they are under the key of the session, with the purpose of the
 * text and that session's id as associated data. So it is good for one purpose and in one session alone, and for one caller
 * alone. Where requests have no session, see caller-text.ts.
 */
const FORMAT: u8 = 1;
const HEAD: i32 = 1;
const OWN_HEAD = literal('\x01');

/** Characters that so many bytes become. @param headSize bytes of the head */
export function sealedLength(size: i32, headSize: i32 = HEAD): i32 {
  return encodedLength(headSize + NONCE_SIZE + size + TAG_SIZE);
}

/** @param purpose no two kinds of text have the same */
export function writeSealed(writer: Writer, session: Session, purpose: Span, plain: Span): void {
  writeSealedText(writer, OWN_HEAD, session.key, binding(session, purpose, writer.arena), plain);
}

/** NONE: these characters were not made here, for this purpose, in this session. */
export function openSealed(session: Session, purpose: Span, characters: Span, arena: Arena): Span {
  const sealed = decodeText(characters, HEAD, arena);
  if (sealed === NONE || load<u8>(pointer(sealed)) !== FORMAT) return NONE;
  return openSealedText(sealed, HEAD, session.key, binding(session, purpose, arena), arena);
}

function binding(session: Session, purpose: Span, arena: Arena): Span {
  return newWriter(arena, 64).bytes(purpose).u8(FORMAT).bytes(session.id).written;
}

/** @param bound associated data */
export function writeSealedText(writer: Writer, head: Span, key: Key, bound: Span, plain: Span): void {
  const arena = writer.arena;
  const nonceAt = length(head);
  const textAt = nonceAt + NONCE_SIZE;
  const size = textAt + length(plain) + TAG_SIZE;
  const sealed = arena.allocate(size as usize);
  const nonce = sealed + (nonceAt as usize);
  memory.copy(sealed, pointer(head), nonceAt as usize);
  memory.copy(nonce, pointer(nonceOf(key, bound, plain, arena)), NONCE_SIZE as usize);
  const text = sealed + (textAt as usize);
  seal(key.bytes, nonce, pointer(bound), length(bound), pointer(plain), length(plain), text);
  const characters = encodedLength(size) as usize;
  encode(sealed, size, writer.room(characters));
  writer.wrote(characters);
}

/** The bytes, head first; NONE: the characters are too few, or no base64url. @param headSize bytes of the head */
export function decodeText(characters: Span, headSize: i32, arena: Arena): Span {
  const sealed = arena.allocate(length(characters) as usize);
  const size = decode(pointer(characters), length(characters), sealed);
  return size < headSize + NONCE_SIZE + TAG_SIZE ? NONE : span(sealed, size as u32);
}

/** NONE: the bytes were not made under this key with this associated data. @param sealed see `decodeText` */
export function openSealedText(sealed: Span, headSize: i32, key: Key, bound: Span, arena: Arena): Span {
  const textAt = headSize + NONCE_SIZE;
  const size = length(sealed) - textAt;
  const plain = arena.allocate(size as usize);
  const nonce = pointer(sealed) + (headSize as usize);
  const text = pointer(sealed) + (textAt as usize);
  if (!open(key.bytes, nonce, pointer(bound), length(bound), text, size, plain)) return NONE;
  return span(plain, (size - TAG_SIZE) as u32);
}

function nonceOf(key: Key, bound: Span, plain: Span, arena: Arena): Span {
  const what = newWriter(arena, (length(bound) + length(plain)) as usize)
    .bytes(bound)
    .bytes(plain).written;
  return first(hmacSha256(span(key.bytes, KEY_SIZE as u32), what, arena), NONCE_SIZE as u32);
}
