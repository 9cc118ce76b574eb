import { Arena, make } from '../bytes/arena';
import { Span, after, length, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Key, KeyRing } from '../model/keyring';
import { decodeText, openSealedText, sealedLength, writeSealedText } from './sealed-text';

/**
 * A text of a server that a client repeats in a later request, where requests have no session (MCP 2026-07-28): the state of
 * a request that asks for input, and the id of a task. It says which server it is of, so that the request finds the way back
 * on any worker of any replica, and it is of use to the caller alone that it was given to. As in sealed-text.ts, with
 *
 *     head:    │ format (1) │ key id (1) │
 *     sealed:  │ fingerprint of the server (8) │ the server's own text … │
 *
 * and with its kind, the head and the audience as associated data: gateway, endpoint, virtual server of the path, identity.
 */
export const enum TextKind {
  RequestState,
  TaskId,
  /** Ours: where a list goes on; it is of no server. */
  Cursor,
}

const FORMAT: u8 = 2;
const HEAD: i32 = 2;
const FINGERPRINT: i32 = 8;
const REQUEST_STATE = literal('sluice request state');
const TASK_ID = literal('sluice task');
const CURSOR = literal('sluice cursor');

/** What a client has repeated. */
@unmanaged
export class CallerText {
  /** That it was sealed with. */
  key: Key;
  /** The server's, as it was under that key; see `Key.fingerprintOf`. */
  fingerprint: u64;
  /** As it was sealed. */
  original: Span;

  isOf(fingerprint: u64): bool {
    return this.key.fingerprintOf(fingerprint) === this.fingerprint;
  }
}

/** Characters that a text of so many bytes becomes. */
export function callerTextLength(size: i32): i32 {
  return sealedLength(FINGERPRINT + size, HEAD);
}

/** @param audience see session/audience.ts. @param fingerprint of the server */
export function writeCallerText(
  writer: Writer,
  kind: TextKind,
  key: Key,
  audience: Span,
  fingerprint: u64,
  original: Span,
): void {
  const arena = writer.arena;
  const plain = newWriter(arena, (FINGERPRINT + length(original)) as usize)
    .u64(key.fingerprintOf(fingerprint))
    .bytes(original).written;
  const head = newWriter(arena, HEAD as usize)
    .u8(FORMAT)
    .u8(key.id).written;
  writeSealedText(writer, head, key, binding(kind, head, audience, arena), plain);
}

/** Null: these characters were not made here for this caller, as such a text, or the key is gone. */
export function openCallerText(
  kind: TextKind,
  keys: KeyRing,
  audience: Span,
  characters: Span,
  arena: Arena,
): CallerText | null {
  const sealed = decodeText(characters, HEAD, arena);
  if (sealed === NONE || load<u8>(pointer(sealed)) !== FORMAT) return null;
  const key = keys.find(load<u8>(pointer(sealed), 1));
  if (key === null) return null;
  const bound = binding(kind, span(pointer(sealed), HEAD as u32), audience, arena);
  const plain = openSealedText(sealed, HEAD, key, bound, arena);
  if (plain === NONE || length(plain) < FINGERPRINT) return null;
  const found = make<CallerText>(arena);
  found.key = key;
  found.fingerprint = load<u64>(pointer(plain));
  found.original = after(plain, FINGERPRINT as u32);
  return found;
}

function binding(kind: TextKind, head: Span, audience: Span, arena: Arena): Span {
  return newWriter(arena, 160)
    .bytes(kind === TextKind.TaskId ? TASK_ID : kind === TextKind.Cursor ? CURSOR : REQUEST_STATE)
    .bytes(head)
    .bytes(audience).written;
}
